"""My shift on the telephone: one line above, night in one tap, what waits and for how long, what I hold and owe."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from casemgmt.core.db import Database
from tests.cast import World
from tests.frontend.looking import axe, overflow
from tests.phone.handset import Handset, with_phone
from tests.records import register_seizure

pytestmark = pytest.mark.browser
LOOK = os.environ.get("CASEMGMT_SCREENSHOTS")


async def test_one_look_tells_what_waits_what_i_hold_and_what_is_left(
    server: str, world: World, photo: Path, database: Database
) -> None:
    made = await register_seizure(database, world.aida, "B-1001")
    number = made.exhibits[0].number

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.answer("**/api/v1/seizures", 500)  # the server is there and cannot take it
        phone.offline()  # nothing is being sent, and so nothing written, while the store is changed below
        phone.register(photo)
        # as if it had been captured four hours ago: how old it is stands in clear in the store, and is bound to it
        phone.tamper("""async ({ask, transact}) => transact(['records'], 'readwrite', async (records) => {
            const [row] = await ask(records.getAll());
            await ask(records.put({...row, at: row.at - (4 * 60 + 20) * 60_000}));
        })""")
        phone.offline(False)
        phone.begin()
        phone.fill(seal="33333333")
        expect(phone.page.locator("[data-draft-status]")).to_contain_text("Draft kept")
        phone.page.goto("/")
        header = phone.page.locator("header.top").bounding_box()
        assert header
        assert (header["y"], header["height"]) == (0, 56)
        expect(phone.page.locator("[data-waiting] a")).to_contain_text("Not sent yet: 1, the oldest for 4 h 2")
        held = phone.page.get_by_role("region", name="You hold")
        expect(held).to_contain_text(number)
        finish = phone.page.get_by_role("region", name="Finish before the end of the shift")
        expect(finish).to_contain_text(f"Seizure {made.seizure.number}")
        expect(finish).to_contain_text("things to do")
        expect(finish).to_contain_text("Drafts on this phone: 1")
        begin = phone.page.locator("main").get_by_role("link", name="New seizure").bounding_box()
        assert begin
        assert begin["height"] >= 64
        assert begin["y"] + begin["height"] <= 839
        assert axe(phone.page) == []
        phone.page.locator("[data-theme-toggle]").click()  # night, one tap
        expect(phone.page.locator("html")).to_have_attribute("data-theme", "dark")
        if LOOK:
            phone.page.screenshot(path=f"{LOOK}/shift-night.png")
        phone.page.reload()
        expect(phone.page.locator("html")).to_have_attribute("data-theme", "dark")
        assert axe(phone.page) == []
        phone.page.set_viewport_size({"width": 320, "height": 640})
        assert overflow(phone.page) <= 0
        phone.context.unroute("**/api/v1/seizures")

    await with_phone(server, visit)


async def test_the_first_screen_of_a_registration_holds_what_a_registration_needs(
    server: str, world: World, photo: Path
) -> None:
    """Measured with the strip that counts what waits, without it, and after two photographs, in both languages."""
    seen: dict[str, Any] = {}

    def measure(phone: Handset, name: str) -> None:
        bar = phone.page.locator(".bar").bounding_box()
        assert bar
        for what in (".cam", "#exhibits-0-category", "#exhibits-0-seal", "[data-scan]", "#exhibits-0-quantity"):
            box = phone.page.locator(what).first.bounding_box()
            assert box, what
            seen[f"{name} {what}"] = bar["y"] - box["y"] - box["height"]
        if LOOK:
            phone.page.screenshot(path=f"{LOOK}/first-{name}.png")

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.sign_out()
        phone.begin()
        expect(phone.page.locator("[data-place-status]")).not_to_be_empty()
        measure(phone, "empty")
        phone.fill()
        phone.save()
        phone.begin()
        expect(phone.page.locator("[data-waiting] a")).to_contain_text("Not sent yet")
        measure(phone, "under-the-strip")

    await with_phone(server, visit)
    assert {name: room for name, room in seen.items() if room < 0} == {}
