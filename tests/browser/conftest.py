"""One running instance with the demonstration cast, and devices for its people."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from casemgmt.embedded.temporary import TemporaryInstance
from tests.browser.device import Device, Notes
from tests.chromium import chromium

SCREENS = Path(__file__).resolve().parents[2] / "test-results" / "screens"

Hand = Callable[..., Device]


@pytest.fixture(scope="session")
def instance() -> Iterator[str]:
    """The address of an instance in a process of its own. Everybody shares it: register your own things."""
    with TemporaryInstance(demo=True, settings={"TIME_ZONE": "Asia/Bishkek"}) as running:
        yield running.url


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Playwright, Browser]]:
    with chromium() as both:
        yield both


@pytest.fixture
def notes() -> Iterator[Notes]:
    """What was wrong on any page; the test fails at its end when there is something."""
    found = Notes(SCREENS if os.environ.get("CASEMGMT_TEST_SCREENS", "1") != "0" else None)
    yield found
    assert found.faults == [], "\n" + "\n".join(found.faults)


@pytest.fixture
def desk(running: tuple[Playwright, Browser], instance: str, notes: Notes) -> Iterator[Hand]:
    """``desk("elena")``: a desktop computer with English pages at which that person is about to sign in."""
    yield from _hand_out(
        running, instance, notes, "en", {"viewport": {"width": 1366, "height": 800}, "locale": "en-GB"}
    )


@pytest.fixture
def phone(running: tuple[Playwright, Browser], instance: str, notes: Notes) -> Iterator[Hand]:
    """``phone("aida")``: a telephone with Russian pages that knows where it is."""
    playwright, _ = running
    options = {
        **playwright.devices["Pixel 7"],
        "locale": "ru-RU",
        "geolocation": {"latitude": 42.8746, "longitude": 74.5698, "accuracy": 12},
        "permissions": ["geolocation"],
    }
    yield from _hand_out(running, instance, notes, "ru", options)


def _hand_out(
    running: tuple[Playwright, Browser], instance: str, notes: Notes, language: str, options: dict[str, Any]
) -> Iterator[Hand]:
    _, browser = running
    given: list[Device] = []

    def hand(login: str, **more: Any) -> Device:
        context = browser.new_context(base_url=instance, timezone_id="Asia/Bishkek", **{**options, **more})
        device = Device(
            context,
            login,
            language,
            notes,
            gloves=bool(options.get("is_mobile")),
            scripts=more.get("java_script_enabled", True),
        )
        given.append(device)
        return device

    yield hand
    for device in given:
        device.context.close()
