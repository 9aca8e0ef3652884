"""The one screen on a phone, in a real Chromium."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from casemgmt.core.web.signin import COOKIE
from tests.cast import Member, World
from tests.chromium import chromium
from tests.intake.pictures import picture

PHONE = {"width": 412, "height": 839}


async def on_a_phone(address: str, member: Member, visit: Callable[[Page], None]) -> None:
    """Run ``visit`` in a thread of its own: the server lives in this one's event loop."""

    def run() -> None:
        with chromium() as (_, browser):
            context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True, locale="en-GB")  # type: ignore[arg-type]
            context.add_cookies([{"name": COOKIE, "value": member.token, "url": address}])
            visit(context.new_page())

    await asyncio.to_thread(run)


@pytest.mark.browser
async def test_photograph_kind_seal_and_quantity_stand_on_the_first_screen(server: str, world: World) -> None:
    def visit(page: Page) -> None:
        page.goto(f"{server}/seizures/new")
        page.wait_for_load_state("networkidle")
        bar = page.locator(".bar").bounding_box()
        assert bar is not None
        tops = []
        for what in (".cam", "#exhibits-0-category", "#exhibits-0-seal", "#exhibits-0-quantity"):
            box = page.locator(what).bounding_box()
            assert box is not None
            tops.append(box["y"])
            assert box["y"] + box["height"] <= bar["y"], what
        assert tops == sorted(tops)

    await on_a_phone(server, world.aida, visit)


@pytest.mark.browser
async def test_the_kind_brings_its_usual_unit_and_what_a_person_chose_stays(server: str, world: World) -> None:
    def visit(page: Page) -> None:
        page.goto(f"{server}/seizures/new")
        page.wait_for_load_state("networkidle")
        page.locator("input[value=DRUG]").check(force=True)
        page.fill("#exhibits-0-quantity", "512,5")
        assert page.input_value("#exhibits-0-unit") == "g"
        assert page.input_value("#exhibits-0-basis") == "gross"
        page.select_option("#exhibits-0-unit", "kg")
        page.select_option("#exhibits-0-basis", "net")
        page.locator("input[value=TOBA]").check(force=True)
        assert page.input_value("#exhibits-0-unit") == "kg"
        assert page.input_value("#exhibits-0-basis") == "net"
        page.locator("input[value=CURR]").check(force=True)
        page.fill("#exhibits-0-quantity", "")
        assert page.input_value("#exhibits-0-basis") == "net"

    await on_a_phone(server, world.aida, visit)


@pytest.mark.browser
async def test_a_refused_form_keeps_the_photographs_and_then_saves_them(
    server: str, world: World, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture(33))

    def visit(page: Page) -> None:
        page.goto(f"{server}/seizures/new")
        page.wait_for_load_state("networkidle")
        page.set_input_files("#photos", str(photo))
        expect(page.locator("[name=photos_sha256]")).to_have_value(re.compile("[0-9a-f]{64}"))
        page.click(".bar button")
        page.wait_for_selector("[data-error-summary]")
        assert page.locator("[data-photo-list] img").count() == 1
        page.locator("input[value=DRUG]").check(force=True)
        page.click(".bar button")
        page.wait_for_url("**/saved")
        assert page.get_by_text("On server, hash equal").count() == 1

    await on_a_phone(server, world.aida, visit)
