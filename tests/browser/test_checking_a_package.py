"""Somebody without an account takes the page from the server, and checks a package with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.conftest import SCREENS
from tests.frontend.looking import DEVICES, axe, overflow
from tests.trust.factory import full_draft

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("device", ["small phone", "desk"])
@pytest.mark.parametrize(("language", "title"), [("en", "Check a package"), ("ru", "Проверка пакета")])
def test_the_page_of_what_is_published_reads_well(
    device: str, language: str, title: str, running: tuple[Playwright, Browser], instance: str
) -> None:
    context = running[1].new_context(base_url=instance, locale=language, **DEVICES[device])
    page = context.new_page()
    page.goto("/verify")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert overflow(page) == 0
    assert axe(page) == []
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"verify.{language}.{device.replace(' ', '-')}.png", full_page=True)
    context.close()


def test_the_page_checks_a_package_where_the_server_serves_it_too(
    running: tuple[Playwright, Browser], instance: str, tmp_path: Path
) -> None:
    package = tmp_path / "package.zip"
    package.write_bytes(full_draft().archive())
    page = running[1].new_page(base_url=instance)
    page.goto("/verify")
    page.get_by_role("link", name="verify.html").first.click()
    page.set_input_files("#file", package)
    expect(page.locator("#verdict")).to_contain_text("Every step that this page can check holds.", timeout=60_000)
    page.close()
