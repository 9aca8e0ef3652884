"""The real Chromium of the browser tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")

PATIENCE = 40_000
"""Milliseconds a page may take to come to what is expected of it. It costs nothing but where a test fails, and
machines that run many things at once are slow."""

expect.set_options(timeout=PATIENCE)


def program() -> str:
    """Where Chromium is."""
    path = os.environ.get("CASEMGMT_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "Chromium is needed: install it or name it in CASEMGMT_TEST_CHROMIUM"
    return path


@contextmanager
def profile(folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser whose profile stays in ``folder`` and can be opened again."""
    with sync_playwright() as playwright:
        arguments = [*QUIET, *options.pop("args", ())]
        context = playwright.chromium.launch_persistent_context(
            str(folder), executable_path=program(), args=arguments, **options
        )
        try:
            yield context
        finally:
            context.close()


@contextmanager
def chromium(*arguments: str) -> Iterator[tuple[Playwright, Browser]]:
    """A browser that starts no downloads of its own.

    Keep it no longer than one module: as long as it is open, its event loop counts as running in this thread, and no
    asynchronous test can run.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=[*QUIET, *arguments])
        try:
            yield playwright, browser
        finally:
            browser.close()
