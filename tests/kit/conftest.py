"""verify.html opened from a file, and good packages made once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import chromium
from tests.kit.cases import GOOD
from tests.kit.verifiers import PAGE, unpacked

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_html", ROOT / "tools" / "verify_html.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as (_, found):
        yield found


@pytest.fixture(scope="module")
def verifier(browser: Browser) -> Iterator[Page]:
    """verify.html as from a USB stick, ready."""
    page = browser.new_page()
    opened(page)
    yield page
    page.close()


def opened(page: Page, path: Path = PAGE) -> Page:
    page.goto(path.as_uri())
    page.wait_for_function("!document.getElementById('file').disabled")
    return page


@pytest.fixture(scope="session")
def good() -> dict[str, bytes]:
    return {name: make() for name, make in GOOD.items()}


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Path]:
    return lambda archive: unpacked(archive, tmp_path)
