"""One phone for two people, with a network; photographs that an answer names; and what a script adds to the page."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from pathlib import Path

import asyncpg
import pytest
import segno
from litestar import Litestar
from playwright.sync_api import expect

from casemgmt.accounts.signin import hash_password
from casemgmt.core.web.signin import COOKIE
from tests.cast import Member, World
from tests.custody.conftest import Desk
from tests.custody.test_pages import hidden
from tests.frontend.looking import axe, overflow, small_targets
from tests.intake.pictures import picture
from tests.phone.pair import Phone, screen, with_pair
from tests.records import Registered

PASSWORD = "correct horse battery"


async def let_in(dba: asyncpg.Connection, member: Member) -> None:
    await dba.execute(
        "insert into accounts.credential(person_id, password_hash) values ($1, $2)",
        member.id, await hash_password(PASSWORD),
    )  # fmt: skip


async def offer(app: Litestar, desk: Desk, world: World, made: Registered) -> str:
    handover = await desk.offer(world.aida, world.nurlan, list(made.exhibits[:2]))
    return f"/hand-overs/{app.state.codes.encode('handover', handover)}"


def accepting(html: str, login: str, password: str = PASSWORD) -> dict[str, str]:
    fields = hidden(html) | {"login": login, "password": password}
    for number, seal in enumerate(("B-1001", "B-1002")):
        item = f"items-{number}"
        fields |= {f"{item}-decision": "accepted", f"{item}-seal": seal, f"{item}-seal_state": "intact"}
    return fields


async def sessions(dba: asyncpg.Connection, member: Member) -> int:
    return int(await dba.fetchval("select count(*) from accounts.session where person_id = $1", member.id))


async def test_the_receiver_answers_on_the_givers_phone_and_leaves_no_session(app, desk, world, made, browser, db_dba):
    await let_in(db_dba, world.nurlan)
    address = await offer(app, desk, world, made)
    before = await sessions(db_dba, world.nurlan)
    async with browser(world.aida) as aida:
        form = await aida.get(f"{address}/here")
        answer = await aida.submit(f"{address}/here", accepting(form.text, world.nurlan.login))
        assert answer.status_code == 303, answer.text
        receipt = await aida.get(answer.headers["location"])
        assert "Answered on" in receipt.text
        assert (await aida.get("/hand-overs")).status_code == 200  # still the giver's own session
    assert await sessions(db_dba, world.nurlan) == before
    body = json.loads(
        await db_dba.fetchval(
            "select body from ledger.entry where exhibit_id = $1 and type = 'custody:handover:accepted'",
            made.exhibits[0].id,
        )
    )
    assert (body["actor"]["id"], body["data"]["one_phone"]) == (world.nurlan.id, True)
    assert body["data"]["signature"] == {"means": "session"}


async def test_nobody_but_the_receiver_answers_there(app, desk, world, made, browser, db_dba):
    await let_in(db_dba, world.nurlan)
    await let_in(db_dba, world.saule)
    address = await offer(app, desk, world, made)
    async with browser(world.aida) as aida:
        form = (await aida.get(f"{address}/here")).text
        for login, password, words in (
            (world.saule.login, PASSWORD, "offered to another person"),
            (world.nurlan.login, "wrong password!", "name or the password is wrong"),
        ):
            answer = await aida.submit(f"{address}/here", accepting(form, login, password))
            assert answer.status_code == 422
            assert words in answer.text
            assert password not in answer.text
    async with browser(world.nurlan) as nurlan:
        assert (await nurlan.get(f"{address}/here")).status_code == 403
    assert {e.holder_id for e in await desk.exhibits(world.aida, list(made.exhibits))} == {world.aida.id}


async def test_a_photograph_that_is_no_file_of_the_exhibit_is_refused(app, desk, world, made, browser):
    address = await offer(app, desk, world, made)
    async with browser(world.nurlan) as nurlan:
        fields = accepting((await nurlan.get(address)).text, "") | {"items-0-photos": "ab" * 32}
        answer = await nurlan.submit(f"{address}/answer", fields)
    assert answer.status_code == 422
    assert "not among the files of this exhibit" in answer.text


@pytest.mark.browser
async def test_all_intact_in_one_press_and_the_giver_sees_it_by_itself(server, app, desk, world, made):
    address = await offer(app, desk, world, made)

    def visit(giver: Phone, receiver: Phone) -> None:
        giver.sign_in(world.aida)
        receiver.sign_in(world.nurlan)
        giver.page.goto(address)
        expect(giver.page.locator("img.qr")).to_be_visible()
        screen(giver.page, "handing-over/online-giver")
        receiver.page.goto("/")
        receiver.page.get_by_role("button", name="Receive").click()
        window = receiver.page.locator("dialog.scan")
        expect(window).to_be_visible()
        code = io.BytesIO()  # as on the giver's screen, but with the address of this test's server
        segno.make_qr(f"{server}{address}", error="q").save(code, kind="png", scale=8, border=4)
        receiver.see(code.getvalue())
        receiver.page.wait_for_url(f"**{address}", timeout=30_000)
        page = receiver.page
        expect(page.locator("main form input:checked")).to_have_count(0)
        page.get_by_role("button", name="All intact").click()
        expect(page.locator("[data-all-status]")).to_contain_text("Accepted with seals intact: 2")
        expect(page.locator("#items-0-seal")).to_have_value("B-1001")
        assert axe(page) == []
        assert small_targets(page, 48) == []
        screen(page, "handing-over/online-receiver")
        page.get_by_role("button", name="Confirm").click()
        expect(page.locator("[data-live]")).to_have_text("Accepted")
        expect(giver.page.locator("[data-live]")).to_have_text("Accepted", timeout=30_000)

    await with_pair(server, visit)
    assert {e.holder_id for e in await desk.exhibits(world.nurlan, list(made.exhibits[:2]))} == {world.nurlan.id}


@pytest.mark.browser
async def test_damage_is_photographed_and_the_answer_names_the_photograph(
    server, app, desk, world, made, db_dba, tmp_path: Path
):
    address = await offer(app, desk, world, made)
    damage = tmp_path / "damage.jpg"
    damage.write_bytes(picture(210))
    sha256 = hashlib.sha256(damage.read_bytes()).hexdigest()

    def visit(receiver: Phone) -> None:
        receiver.page.set_viewport_size({"width": 320, "height": 640})
        receiver.sign_in(world.nurlan)
        page = receiver.page
        page.goto(address)
        page.get_by_role("button", name="All intact").click()
        expect(page.locator("#items-0-photo")).to_be_hidden()
        page.locator("#items-0-seal_state").get_by_label("Damaged").check()
        page.locator("#items-0-photo").set_input_files(damage)
        expect(page.locator("[data-damage-status]").first).to_contain_text("Photographs kept with the exhibit: 1")
        page.locator("#items-0-discrepancy").fill("Torn")
        assert overflow(page) == 0
        assert axe(page) == []
        screen(page, "handing-over/online-damaged")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Photographs named by the answer")).to_be_visible()

    await with_pair(server, visit, phones=1)
    body = json.loads(
        await db_dba.fetchval(
            "select body from ledger.entry where exhibit_id = $1 and type = 'custody:handover:accepted'",
            made.exhibits[0].id,
        )
    )
    assert body["data"]["photos"] == [sha256]
    assert await db_dba.fetchval("select count(*) from evidence.file where sha256 = $1", bytes.fromhex(sha256)) >= 1


@pytest.mark.browser
async def test_a_signature_is_drawn_for_the_paper_only(server, app, desk, world, made):
    address = await offer(app, desk, world, made)
    sent: list[str] = []

    def visit(giver: Phone) -> None:
        giver.sign_in(world.aida)
        page = giver.page
        page.goto(f"{address}/receipt")
        page.on("request", lambda request: sent.append(request.method))
        page.get_by_role("button", name="Draw with a finger").first.click()
        pad = page.locator("dialog canvas")
        box = pad.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 20, box["y"] + 60)
        page.mouse.down()
        for step in range(1, 8):
            page.mouse.move(box["x"] + 20 + step * 30, box["y"] + 60 + (step % 2) * 30)
        page.mouse.up()
        expect(page.locator("dialog")).to_contain_text("no signature of the record")
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_role("img", name="Drawn signature")).to_be_visible()
        assert axe(page) == []
        screen(page, "handing-over/receipt-drawn")
        page.get_by_role("link", name="Hand-over", exact=True).last.focus()
        assert giver.context.cookies()[0]["name"] == COOKIE

    await with_pair(server, visit, phones=1)
    await asyncio.sleep(0)
    assert not [method for method in sent if method != "GET"]
