"""How often a gloved finger has to hit the screen. Digits are not counted. A photograph counts three times: our button,
then shutter and tick of the telephone's own camera. The bag's number is typed here; scanning is one tap, as its field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from playwright.sync_api import Locator, expect

from tests.cast import World
from tests.intake.pictures import picture
from tests.phone.handset import Handset, with_phone
from tests.phone.test_queue import registered

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

FIRST, FURTHER = 8, 7
IN_THE_CAMERA = 2

_COUNT = """addEventListener('pointerdown', (event) => event.isTrusted && window.tapped(), {capture: true})"""


class Finger:
    """Works a phone by touch alone. The pages themselves count, so that nothing is tapped unseen."""

    def __init__(self, phone: Handset) -> None:
        self._phone, self.taps = phone, 0
        phone.context.expose_function("tapped", self._tapped)
        phone.context.add_init_script(_COUNT)

    def _tapped(self) -> None:
        self.taps += 1

    def tap(self, target: Locator) -> None:
        before = self.taps
        target.tap()
        for _ in range(100):  # the count comes over a line of its own
            if self.taps > before:
                return
            self._phone.page.wait_for_timeout(50)
        raise AssertionError(f"{target}: the tap was not seen")

    def type(self, selector: str, digits: str) -> None:
        field = self._phone.page.locator(selector)
        self.tap(field)
        expect(field).to_be_focused()
        self._phone.page.keyboard.type(digits)

    def photograph(self, photo: Path) -> None:
        with self._phone.page.expect_file_chooser() as opening:
            self.tap(self._phone.page.locator("#photos"))
        self.taps += IN_THE_CAMERA
        opening.value.set_files(str(photo))
        expect(self._phone.page.locator("[data-shots-list] li")).to_have_count(1, timeout=60_000)

    def item(self, photo: Path, seal: str, *, category: str | None) -> None:
        """From the open form until it is saved."""
        page = self._phone.page
        page.wait_for_url("**/phone/new*", timeout=30_000)
        expect(page.locator("form.intake")).to_be_visible(timeout=30_000)
        expect(page.locator("[data-officer]")).not_to_be_empty(timeout=30_000)
        self.photograph(photo)
        if category:
            self.tap(page.locator(f"label:has(input[value={category}])"))
        self.type("#exhibits-0-seal", seal)
        self.type("#exhibits-0-quantity", "512")
        self.tap(page.get_by_role("button", name="Save seizure"))
        page.wait_for_url("**/phone?saved=*", timeout=30_000)
        expect(page.locator("[data-another]")).to_be_visible(timeout=30_000)


async def test_a_seizure_takes_eight_taps_and_each_further_one_seven(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    photos = [tmp_path / f"IMG_{shade}.jpg" for shade in range(3)]
    for shade, path in enumerate(photos):
        path.write_bytes(picture(shade))
    counted: list[int] = []

    def visit(phone: Handset) -> None:
        finger = Finger(phone)
        phone.set_up(world.aida)
        phone.page.goto("/")
        finger.taps = 0
        finger.tap(phone.page.get_by_role("link", name="New seizure").first)
        finger.item(photos[0], "00451871", category="DRUG")
        counted.append(finger.taps)
        finger.taps = 0
        finger.tap(phone.page.locator("[data-another]"))
        finger.item(photos[1], "00451872", category=None)
        counted.append(finger.taps)
        # One that keeps nothing of the last: the count sees the tap more.
        phone.begin()
        finger.taps = 1
        finger.item(photos[2], "00451873", category="DRUG")
        counted.append(finger.taps)
        phone.expect_state(*["Verified by server"] * 3)

    await with_phone(server, visit)
    assert counted[0] <= FIRST
    assert counted[1] <= FURTHER
    assert counted[2] > FURTHER
    rows = await registered(db_dba, world.aida)
    kinds = await db_dba.fetch(
        "select category, quantity, unit, seizure_id from exhibits.exhibit where seizure_id = any($1) order by id",
        [row["id"] for row in rows],
    )
    assert [(kind["category"], kind["quantity"]) for kind in kinds] == [("DRUG", 512)] * 3
    assert all(kind["unit"] for kind in kinds)
