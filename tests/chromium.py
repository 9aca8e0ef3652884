"""The real Chromium of the browser tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

_QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


def program() -> str:
    """Where Chromium is."""
    path = os.environ.get("CASEMGMT_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "Chromium is needed: install it or name it in CASEMGMT_TEST_CHROMIUM"
    return path


@contextmanager
def chromium() -> Iterator[tuple[Playwright, Browser]]:
    """A browser that starts no downloads of its own.

    Keep it no longer than one module: as long as it is open, its event loop counts as running in this thread, and no
    asynchronous test can run.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=list(_QUIET))
        try:
            yield playwright, browser
        finally:
            browser.close()
