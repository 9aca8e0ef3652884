"""Two telephones without a network hand over, and the server says later what became of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from playwright.sync_api import expect

from tests.cast import World
from tests.frontend.looking import axe, cut_texts, overflow, small_targets
from tests.intake.pictures import picture
from tests.phone.handset import PIN
from tests.phone.pair import Phone, screen, wait_until, with_pair

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

AGREED = "Agreed on phones, not yet checked by server"
CHECKED = "Checked by server"


def ready(world: World, *phones: tuple[Phone, str]) -> None:
    """Each phone made ready with a network, and then without one."""
    for phone, login in phones:
        phone.set_up(world.people[login])
        phone.ready_for_offline()
        phone.offline()


def state(phone: Phone, words: str) -> None:
    expect(phone.page.locator("[data-receipt-state]")).to_have_text(words, timeout=60_000)


def back_online(phone: Phone, words: str) -> None:
    phone.offline(False)
    phone.page.evaluate("dispatchEvent(new Event('online'))")
    state(phone, words)


def decide(phone: Phone, number: int, choice: str) -> None:
    phone.page.locator(f"#items-{number}").get_by_label(choice, exact=True).check()


async def test_a_damaged_seal_is_photographed_and_a_refused_exhibit_stays(
    server: str, world: World, photo: Path, db_dba: Dba, tmp_path: Path
) -> None:
    damage = tmp_path / "damage.jpg"
    damage.write_bytes(picture(200))

    def visit(giver: Phone, receiver: Phone) -> None:
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        for seal in ("A-1", "A-2"):
            giver.register(photo, seal=seal)
        giver.offer(2)
        receiver.receive(giver)
        page = receiver.page
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("[data-phone-errors] li")).to_have_count(2)
        decide(receiver, 0, "Accept, seal damaged")
        decide(receiver, 1, "Refuse")
        page.locator("#items-0-seal").fill("A-1")
        page.locator("#items-0-discrepancy").fill("Torn at one side")
        page.locator("#items-0-photo").set_input_files(damage)
        expect(page.locator("#items-0 [data-photo-status]")).to_have_text("Photographs kept: 1")
        page.locator("#items-1-reason").select_option("other")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("[data-phone-errors]")).to_contain_text("this reason needs a sentence")
        before = receiver.rows()[-1]["rev"]
        page.locator("#items-1-note").fill("Not on my list")
        wait_until(lambda: receiver.rows()[-1]["rev"] > before, "what was decided is kept")
        page.reload()  # as when the camera ended the page
        expect(page.locator("#items-1-note")).to_have_value("Not on my list")
        screen(receiver.page, "handing-over/damaged")
        page.get_by_role("button", name="Continue").click()
        screen(receiver.page, "handing-over/sign")
        receiver.sign()
        giver.scan("Scan the answer", receiver)
        back_online(giver, CHECKED)
        back_online(receiver, CHECKED)
        assert receiver.chunks() == 0

    await with_pair(server, visit)
    rows = await db_dba.fetch(
        "select x.*, i.state from exhibits.exhibit x join custody.handover_item i on i.exhibit_id = x.id"
        " where i.from_id = $1 order by x.id", world.aida.id,
    )  # fmt: skip
    assert [(row["state"], row["holder_id"]) for row in rows] == [
        ("accepted", world.nurlan.id),
        ("refused", world.aida.id),
    ]
    files = await db_dba.fetch("select sha256 from evidence.file where received_by = $1", world.nurlan.id)
    assert [f["sha256"].hex() for f in files] == [hashlib.sha256(damage.read_bytes()).hexdigest()]
    body = await db_dba.fetchval(
        "select body from ledger.entry where exhibit_id = $1 and type = 'custody:handover:accepted'", rows[0]["id"]
    )
    assert json.loads(body)["data"]["agreed"]["photos"] == [files[0]["sha256"].hex()]


async def test_one_exhibit_handed_to_two_people_ends_in_a_dispute_that_each_phone_shows(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    asked: list[str] = []

    def visit(giver: Phone, first: Phone, second: Phone) -> None:
        ready(world, (giver, "aida"), (first, "nurlan"), (second, "saule"))
        giver.register(photo, seal="A-1")
        giver.offer(1)
        first.receive(giver)
        first.accept_all()
        giver.scan("Scan the answer", first)
        giver.page.goto("/phone/hand-over")
        expect(giver.page.locator("[data-holding] input")).to_have_count(0)
        giver.page.locator("[data-busy-box] summary").click()
        expect(giver.page.locator("[data-busy]")).to_contain_text("handed over on this phone")
        giver.page.on("dialog", lambda dialog: asked.append(dialog.message))
        giver.page.locator("[data-busy] input").check()
        giver.page.get_by_label("Court", exact=True).check()
        giver.page.get_by_role("button", name="Continue").click()
        giver.sign()
        second.receive(giver)
        second.accept_all()
        giver.scan("Scan the answer", second)
        giver.offline(False)
        first.offline(False)
        giver.page.evaluate("dispatchEvent(new Event('online'))")
        expect(giver.page.locator("[data-receipt-state]")).to_contain_text("Disputed", timeout=60_000)
        screen(giver.page, "handing-over/disputed")
        giver.page.goto("/phone")
        giver.expect_state("Disputed", CHECKED, "Verified by server")
        back_online(first, CHECKED)
        second.offline(False)
        second.page.evaluate("dispatchEvent(new Event('online'))")
        expect(second.page.locator("[data-receipt-state]")).to_contain_text("Disputed", timeout=60_000)
        screen(second.page, "handing-over/disputed-receiver")
        second.page.get_by_role("link", name="Open on the server").click()
        second.page.wait_for_url("**/agreements/*")
        screen(second.page, "handing-over/disputed-on-server")

    await with_pair(server, visit, phones=3)
    assert "2026" in asked[0] and "disputed" in asked[0]
    holder = await db_dba.fetchval("select holder_id from exhibits.exhibit where created_by = $1", world.aida.id)
    assert holder == world.nurlan.id


async def test_an_offer_nobody_answered_binds_nobody_and_can_be_put_aside(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(giver: Phone, receiver: Phone) -> None:
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        giver.register(photo, seal="A-1")
        giver.offer(1)
        receiver.receive(giver)  # looks at it, and goes away
        address = giver.page.url
        giver.page.goto("/phone")
        giver.expect_state("Not answered", "Saved on phone")
        receiver.page.goto("/phone")
        receiver.expect_state("Not answered by you yet")
        giver.page.goto("/phone/hand-over")
        expect(giver.page.locator("[data-holding] input")).to_have_count(0)
        giver.page.goto(address)
        expect(giver.page.locator("[data-code-picture] svg")).to_be_visible()
        giver.page.get_by_text("Nobody answers").click()
        giver.page.get_by_role("button", name="Put this offer aside").click()
        expect(giver.page.locator("[data-dropped]")).to_be_visible()
        giver.page.goto("/phone/hand-over")
        expect(giver.page.locator("[data-holding] input")).to_have_count(1)
        giver.page.goto("/phone")
        giver.offline(False)
        giver.page.get_by_role("button", name="Send now").click()
        giver.expect_state("Not answered, put aside", "Verified by server")

    await with_pair(server, visit)
    assert await db_dba.fetchval("select count(*) from custody.agreement where from_id = $1", world.aida.id) == 0


async def test_an_answer_the_giver_never_read_reaches_them_through_the_server(
    server: str, world: World, photo: Path
) -> None:
    def visit(giver: Phone, receiver: Phone) -> None:
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        giver.register(photo, seal="A-1")
        giver.offer(1)
        receiver.receive(giver)
        receiver.accept_all()
        giver.page.goto("/phone")
        giver.offline(False)
        giver.page.get_by_role("button", name="Send now").click()
        giver.expect_state("Not answered", "Verified by server")
        back_online(receiver, CHECKED)
        number = receiver.page.locator("[data-receipt-number]").inner_text()
        giver.page.get_by_role("button", name="Send now").click()
        giver.expect_state(CHECKED, "Verified by server")
        expect(giver.page.locator(".record").first).to_contain_text(number)

    await with_pair(server, visit)


async def test_where_no_camera_works_the_codes_go_over_as_text_and_a_changed_one_is_refused(
    server: str, world: World, photo: Path
) -> None:
    def text(phone: Phone) -> str:
        with phone.page.expect_download() as download:
            phone.page.get_by_text("The other phone's camera does not work").click()
            phone.page.get_by_role("button", name="Share as a file").click()
        return Path(download.value.path()).read_text(encoding="utf-8")

    def paste(phone: Phone, words: str) -> None:
        phone.page.get_by_label("Paste the text of the code").fill(words)
        phone.page.get_by_role("button", name="Take it in").click()

    def visit(giver: Phone, receiver: Phone) -> None:
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        giver.register(photo, seal="A-1")
        giver.offer(1)
        offer = text(giver)
        receiver.page.goto("/phone/receive")
        receiver.page.get_by_text("No camera", exact=True).click()
        said = receiver.page.locator("[data-take-status]")
        paste(receiver, "KG-BAG-0098712")
        expect(said).to_contain_text("no code of a hand-over")
        paste(receiver, offer.splitlines()[0])
        expect(said).to_contain_text("1 of")
        at = offer.rindex(":") + 40
        paste(receiver, offer[:at] + ("A" if offer[at] != "A" else "B") + offer[at + 1 :])
        expect(said).to_contain_text("Nothing was taken from it")
        paste(receiver, offer.lower())
        expect(receiver.page.locator("[data-decide]")).to_be_visible()
        receiver.accept_all()
        answer = text(receiver)
        giver.page.get_by_text("No camera", exact=True).click()
        paste(giver, offer)
        expect(giver.page.locator("[data-take-status]")).to_contain_text("other half of a hand-over")
        paste(giver, answer)
        state(giver, AGREED)

    await with_pair(server, visit, accept_downloads=True)


async def test_two_officers_with_a_pin_on_one_phone_hand_over_on_it(server: str, world: World, photo: Path) -> None:
    def visit(phone: Phone) -> None:
        phone.set_up(world.nurlan, "731508")
        phone.ready_for_offline()  # their key is known to the server
        phone.page.get_by_role("button", name="Lock this phone").click()
        phone.set_up(world.aida)
        phone.ready_for_offline()
        phone.offline()
        phone.register(photo, seal="A-1")
        phone.offer(1)
        phone.page.get_by_role("button", name="The receiver answers on this phone").click()
        phone.page.wait_for_url("**/phone/receive")
        phone.page.get_by_label("Officer").select_option(label=world.nurlan.name)
        phone.unlock("731508")
        expect(phone.page.locator("[data-decide]")).to_be_visible()
        phone.page.get_by_role("button", name="All intact").click()
        phone.page.get_by_role("button", name="Continue").click()
        phone.sign("731508")
        phone.page.get_by_role("button", name="Give the phone back").click()
        phone.page.wait_for_url("**/phone/hand-over?record=*")
        phone.page.get_by_label("Officer").select_option(label=world.aida.name)
        phone.unlock(PIN)
        state(phone, AGREED)
        back_online(phone, CHECKED)

    await with_pair(server, visit, phones=1)


async def test_a_signed_pair_is_carried_to_another_phone_in_the_sealed_file(
    server: str, world: World, photo: Path, tmp_path: Path
) -> None:
    carried = tmp_path / "phone.sealed"

    def visit(giver: Phone, receiver: Phone, spare: Phone) -> None:
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        giver.register(photo, seal="A-1")
        giver.offer(1)
        receiver.receive(giver)
        receiver.accept_all()
        giver.scan("Scan the answer", receiver)
        page = receiver.page
        page.goto("/phone")
        page.get_by_text("When this phone cannot connect").click()
        page.get_by_role("button", name="Export to a file").click()
        expect(page.locator("[data-exported] [data-code]")).not_to_be_empty(timeout=30_000)
        code = page.locator("[data-exported] [data-code]").inner_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="Keep the file").click()
        download.value.save_as(carried)
        assert b"A-1" not in carried.read_bytes()
        back_online(giver, CHECKED)
        spare.set_up(world.nurlan, "731508")
        spare.page.get_by_text("When this phone cannot connect").click()
        spare.page.set_input_files("#import-file", str(carried))
        spare.page.fill("#import-code", code)
        spare.page.get_by_role("button", name="Take it in").click()
        spare.expect_state(CHECKED)

    await with_pair(server, visit, phones=3, accept_downloads=True)


async def test_what_was_received_without_a_network_is_handed_on_without_one(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(first: Phone, second: Phone, third: Phone) -> None:
        ready(world, (first, "aida"), (second, "nurlan"), (third, "saule"))
        first.register(photo, seal="A-1")
        first.offer(1)
        second.receive(first)
        second.accept_all()
        first.scan("Scan the answer", second)
        second.offer(1)
        third.receive(second)
        third.accept_all()
        second.scan("Scan the answer", third)
        third.offline(False)
        third.page.evaluate("dispatchEvent(new Event('online'))")
        expect(third.page.locator("[data-receipt-state]")).to_contain_text("waits", timeout=60_000)
        back_online(first, CHECKED)
        back_online(second, CHECKED)
        third.page.evaluate("dispatchEvent(new Event('online'))")
        state(third, CHECKED)

    await with_pair(server, visit, phones=3)
    holder = await db_dba.fetchval("select holder_id from exhibits.exhibit where created_by = $1", world.aida.id)
    assert holder == world.saule.id


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_pages_can_be_used_by_everybody_on_a_small_screen(
    server: str, world: World, photo: Path, theme: str
) -> None:
    def look(phone: Phone, name: str) -> None:
        screen(phone.page, f"handing-over/320-{theme}-{name}")
        assert axe(phone.page) == []
        assert overflow(phone.page) == 0
        assert cut_texts(phone.page) == []
        assert small_targets(phone.page, 48) == []

    def visit(giver: Phone, receiver: Phone) -> None:
        for phone in (giver, receiver):
            phone.page.set_viewport_size({"width": 320, "height": 640})
            phone.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        ready(world, (giver, "aida"), (receiver, "nurlan"))
        giver.register(photo, seal="A-100200")
        giver.page.goto("/phone/hand-over")
        expect(giver.page.locator("[data-holding] input")).to_have_count(1)
        look(giver, "choose")
        giver.page.get_by_role("button", name="Continue").click()
        expect(giver.page.locator("[data-phone-errors]")).to_be_focused()
        look(giver, "errors")
        giver.offer(1)
        look(giver, "offer")
        receiver.page.goto("/phone/receive")
        look(receiver, "scan")
        receiver.receive(giver)
        look(receiver, "decide")
        decide(receiver, 0, "Accept, seal damaged")
        look(receiver, "damaged")
        receiver.page.get_by_role("button", name="All intact").click()
        receiver.page.get_by_role("button", name="Continue").click()
        look(receiver, "sign")
        receiver.sign()
        look(receiver, "answer")

    await with_pair(server, visit)


async def test_a_hand_over_is_made_with_the_keyboard_alone(server: str, world: World, photo: Path) -> None:
    def visit(giver: Phone) -> None:
        ready(world, (giver, "aida"))
        giver.register(photo, seal="A-1")
        giver.page.goto("/phone/hand-over")
        box = giver.page.locator("[data-holding] input")
        box.focus()
        giver.page.keyboard.press("Space")
        expect(box).to_be_checked()
        giver.page.keyboard.press("Tab")
        giver.page.keyboard.press("Space")  # the first purpose
        giver.page.get_by_role("button", name="Continue").focus()
        giver.page.keyboard.press("Enter")
        expect(giver.page.locator("[data-sign] h2")).to_be_focused()
        giver.page.keyboard.press("Tab")
        giver.page.keyboard.type(PIN)
        giver.page.keyboard.press("Enter")
        expect(giver.page.locator("[data-code-box] h2")).to_be_focused(timeout=30_000)

    await with_pair(server, visit, phones=1)
