"""The photo checklist of an examination on the phone: offered where it fits, one tap for a point, no network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from playwright.sync_api import expect

from tests.cast import World
from tests.frontend.looking import axe, cut_texts, overflow, small_targets
from tests.intake.pictures import picture
from tests.phone.handset import Handset, with_phone

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running
LOOK = os.environ.get("CASEMGMT_SCREENSHOTS")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    made = []
    for shade in (41, 42, 43, 44):
        path = tmp_path / f"IMG_{shade}.jpg"
        path.write_bytes(picture(shade))
        made.append(path)
    return made


def taken(phone: Handset, count: int) -> None:
    expect(phone.page.locator("[data-shots-list] li")).to_have_count(count, timeout=60_000)


def by_truck(phone: Handset) -> None:
    phone.page.locator(".more-details summary", has_text="More details").click()
    if not phone.page.locator("#conveyances-0-kind").is_visible():
        phone.page.locator("details:has(> * #conveyances-0-kind) > summary").last.click()
    phone.page.select_option("#conveyances-0-kind", "truck")


def picture_of(phone: Handset, name: str, file: Path, count: int) -> None:
    """One tap: the button of the point is its camera."""
    with phone.page.expect_file_chooser() as camera:
        phone.page.locator(".points label", has_text=name).click()
    camera.value.set_files(str(file))
    taken(phone, count)


async def test_it_is_offered_only_where_something_speaks_for_an_examination(server: str, world: World) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        listed = phone.page.locator("[data-checklist]")
        expect(listed).to_have_count(1)
        expect(listed).to_be_hidden()
        phone.fill(category="DRUG")
        expect(listed).to_be_hidden()
        phone.page.locator(".more-chips summary", has_text="More").click()
        phone.page.locator("input[value=TIMBER]").check(force=True)
        expect(listed).to_be_visible()
        assert not listed.evaluate("box => box.open")
        expect(listed.locator("summary")).to_contain_text("0 of 4 shown")
        phone.page.locator("input[value=DRUG]").check(force=True)
        expect(listed).to_be_hidden()
        by_truck(phone)
        expect(listed.locator("summary")).to_contain_text("0 of 7 shown")

    await with_phone(server, visit)


async def test_each_point_is_one_tap_without_a_network_and_its_photograph_says_so_on_the_server(
    server: str, world: World, photos: list[Path], db_dba: Dba
) -> None:
    faults: list[str] = []

    def look(phone: Handset) -> None:
        faults.extend([*axe(phone.page), *small_targets(phone.page, 48), *cut_texts(phone.page)])
        if LOOK:
            phone.page.screenshot(path=f"{LOOK}/checklist.png", full_page=True)
        phone.page.set_viewport_size({"width": 320, "height": 640})
        faults.extend(f"{text} is cut at 320 px" for text in cut_texts(phone.page))
        faults.extend(["wider than 320 px"] * (overflow(phone.page) > 0))
        phone.page.set_viewport_size({"width": 412, "height": 839})

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.begin()
        phone.fill()
        by_truck(phone)
        listed = phone.page.locator("[data-checklist]")
        listed.locator("summary").click()
        picture_of(phone, "Unloading", photos[0], 1)
        picture_of(phone, "with the number plate", photos[1], 2)
        phone.photograph(photos[2], photos[3])
        expect(listed.locator("summary")).to_contain_text("2 of 7 shown")
        expect(listed.locator("[data-missing]")).to_contain_text("Missing: Seals before opening; What was unloaded")
        # What an ordinary photograph shows is said with it, and can be said anew before it is saved.
        phone.page.get_by_label("What photograph 3 shows").select_option("goods")
        phone.page.get_by_label("What photograph 2 shows").select_option("opening")
        expect(listed.locator("summary")).to_contain_text("3 of 7 shown")
        phone.page.evaluate("document.querySelector('form.intake').capture.shots.line")  # it is in the store
        phone.page.reload()
        taken(phone, 4)
        listed.locator("summary").click()
        expect(listed.locator("summary")).to_contain_text("3 of 7 shown")
        expect(phone.page.get_by_label("What photograph 3 shows")).to_have_value("goods")
        look(phone)
        phone.save()
        phone.offline(False)
        phone.expect_state("Verified by server")
        phone.page.get_by_role("link", name="Open on the server").click()
        expect(phone.page.get_by_text("3 of 7 shown")).to_be_visible()

    await with_phone(server, visit)
    assert faults == [], "\n".join(faults)
    rows = await db_dba.fetch("select shows from evidence.file where received_by = $1 order by id", world.aida.id)
    assert [row["shows"] for row in rows] == ["unloading", "opening", "goods", None]
    bodies = await db_dba.fetch(
        "select body from ledger.entry where type = 'evidence:file:received' and actor_id = $1 order by id",
        world.aida.id,
    )
    assert [json.loads(row["body"])["data"]["claimed"].get("shows") for row in bodies] == [
        "unloading", "opening", "goods", None,
    ]  # fmt: skip


async def test_a_full_list_of_photographs_is_told_by_the_points_too(
    server: str, world: World, photos: list[Path]
) -> None:
    """The camera of a point is guarded as every other."""

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.page.set_input_files("#photos-gallery", [str(photos[0])] * 40)
        taken(phone, 40)
        by_truck(phone)
        phone.page.locator("[data-checklist] summary").click()
        choosers: list[object] = []
        phone.page.on("filechooser", lambda opened: choosers.append(opened))  # noqa: PLW0108 (a built-in method cannot be marked)
        phone.page.locator(".points label").first.click()
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("No more than 40")
        assert choosers == []

    await with_phone(server, visit)
