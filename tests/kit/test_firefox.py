"""verify.html in another browser than Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.cases import BAD
from tests.kit.firefox import firefox, found
from tests.kit.verifiers import PAGE

pytestmark = pytest.mark.browser

_READY = """document.querySelector('[data-lang=en]').click();
document.getElementById('report').hidden = true;"""
_WAIT = """for (;;) {
    if (!document.getElementById('report').hidden) return document.getElementById('verdict').textContent;
    await new Promise(done => setTimeout(done, 50));
}"""


def test_firefox_opens_it_from_a_file_and_judges_as_chromium_does(
    good: dict[str, bytes], tmp_path: Path, missing_part: Callable[[str], None]
) -> None:
    if found() is None:
        missing_part("Firefox: run tools/install-system-packages.sh")
    packages = {"good": good["full"], **{bad.name: bad.make() for bad in BAD if bad.step in (3, 6, 8, 10)}}
    expected = {bad.name: f"Failed: step {bad.step}." for bad in BAD}
    (tmp_path / "profile").mkdir()
    with firefox(tmp_path / "profile") as browser:
        browser.ask("WebDriver:Navigate", {"url": PAGE.as_uri()})
        for number, (name, archive) in enumerate(packages.items()):
            path = tmp_path / f"{number}.zip"
            path.write_bytes(archive)
            browser.run(_READY)
            browser.choose("#file", path)
            said = browser.run(_WAIT)
            assert expected.get(name, "Every step that this page can check holds.") in said, f"{name}: {said}"
