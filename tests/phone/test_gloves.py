"""Every page of the telephone as a gloved hand meets it: 56 px, 12 px apart, nothing main in a corner."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.installable import PAGES
from tests.cast import World
from tests.custody.test_pages import offered
from tests.frontend.looking import glove_faults
from tests.phone.handset import Handset, with_phone
from tests.records import register_seizure

pytestmark = pytest.mark.browser
LOOK = os.environ.get("CASEMGMT_SCREENSHOTS")


def look(phone: Handset, name: str, faults: list[str]) -> None:
    phone.page.evaluate("document.fonts.ready.then(() => 1)")
    faults.extend(f"{name}: {fault}" for fault in glove_faults(phone.page))
    if LOOK:
        phone.page.screenshot(path=f"{LOOK}/{name}.png", full_page=True)


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
async def test_the_pages_of_the_phone_itself(server: str, world: World, photo: Path, locale: str) -> None:
    faults: list[str] = []

    def visit(phone: Handset) -> None:
        phone.sign_in(world.aida)
        phone.page.goto("/phone")
        expect(phone.page.locator("[data-setup]")).to_be_visible()
        look(phone, f"{locale}-setup", faults)
        phone.page.fill("#new-pin", "402917")
        phone.page.fill("#new-pin-again", "402917")
        phone.page.locator("[data-setup] button").click()
        expect(phone.page.locator("[data-unlocked]")).to_be_visible()
        phone.sign_out()
        phone.begin()
        look(phone, f"{locale}-new", faults)
        phone.page.locator(".bar button").click()
        expect(phone.page.locator("[data-phone-errors]")).to_be_visible()
        look(phone, f"{locale}-refused", faults)
        phone.photograph(photo, photo)
        phone.fill()
        for summary in phone.page.locator("details:not(.menu) > summary").all():
            if summary.is_visible():
                summary.click()
        phone.page.locator("input[value=TIMBER]").check(force=True)
        expect(phone.page.locator("[data-checklist]")).to_be_visible()
        phone.page.locator("[data-checklist] > summary").click()
        look(phone, f"{locale}-filled", faults)
        phone.page.locator(".bar button").click()
        phone.page.wait_for_url("**/phone?saved=*")
        expect(phone.page.locator("[data-state]")).to_have_count(1)
        for summary in phone.page.locator("details.more-details summary").all():
            summary.click()
        look(phone, f"{locale}-waiting", faults)
        phone.page.goto("/phone")
        phone.page.locator("[data-lock]").click()
        expect(phone.page.locator("[data-unlock]")).to_be_visible()
        look(phone, f"{locale}-locked", faults)

    await with_phone(server, visit, locale=locale)
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/phone/more"])  # that one is a part of a page
async def test_every_page_that_opens_without_a_network(server: str, world: World, photo: Path, path: str) -> None:
    """Locked and open; a page that comes to the shell later is looked at too."""
    faults: list[str] = []

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.sign_out()
        phone.register(photo)
        name = path.replace("/", "-")
        for state in ("open", "locked"):
            phone.page.goto(path)
            phone.page.wait_for_load_state("networkidle")
            look(phone, f"en-GB{name}-{state}", faults)
            phone.page.goto("/phone")
            if state == "open":
                phone.page.locator("[data-lock]").click()
                expect(phone.page.locator("[data-unlock]")).to_be_visible()

    await with_phone(server, visit)
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
async def test_the_page_of_whoever_receives(
    app: Any, server: str, world: World, database: Database, browser: Any, locale: str
) -> None:
    made = await register_seizure(database, world.aida, "B-1001", "B-1002", None)
    address = await offered(app, world, made, browser)
    faults: list[str] = []

    def visit(phone: Handset) -> None:
        phone.sign_in(world.nurlan)
        for name, at in (("receive", address), ("waiting-for-me", "/")):
            phone.page.goto(at)
            look(phone, f"{locale}-{name}", faults)

    await with_phone(server, visit, locale=locale)
    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
async def test_the_pages_of_the_server_for_a_phone(
    app: Any, server: str, world: World, database: Database, locale: str
) -> None:
    codes: Codes = app.state.codes
    made = await register_seizure(database, world.aida)
    exhibit = codes.encode("exhibit", made.exhibits[0].id)
    faults: list[str] = []
    pages = {
        "sign-in": "/sign-in",
        "shift": "/",
        "register": "/seizures/new",
        "saved": f"/seizures/{codes.encode('seizure', made.seizure.id)}/saved",
        "hand-over": "/hand-overs/new",
        "offer": f"/hand-overs/new?exhibit={exhibit}",
        "labels": "/labels",
    }

    def visit(phone: Handset) -> None:
        for name, address in pages.items():
            if name != "sign-in":
                phone.sign_in(world.aida)
            phone.page.goto(address)
            phone.page.wait_for_load_state("networkidle")
            look(phone, f"{locale}-{name}", faults)

    await with_phone(server, visit, locale=locale)
    assert faults == [], "\n".join(faults)
