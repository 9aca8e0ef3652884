"""The phone's queue: what is saved reaches the server once, in its officer's name; nothing is let go before."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from playwright.sync_api import Request, Route, expect

from tests.cast import Member, World
from tests.intake.pictures import picture
from tests.phone.handset import Handset, with_phone
from tests.uploads.cutting import cutting

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running

REGISTER = "**/api/v1/seizures"
FILES = "**/api/v1/uploads/*"


def is_evidence(request: Request) -> bool:
    """Not the phone's own errands: blocks of numbers, its key."""
    return request.method == "POST" and request.url.endswith(("/api/v1/seizures", "/api/v1/uploads"))


async def registered(dba: Dba, member: Member) -> list[Any]:
    return list(await dba.fetch("select * from seizures.seizure where created_by = $1 order by id", member.id))


async def hashes(dba: Dba, member: Member) -> list[str]:
    rows = await dba.fetch("select sha256 from evidence.file where received_by = $1 order by id", member.id)
    return [row["sha256"].hex() for row in rows]


async def test_a_seizure_saved_without_a_network_is_verified_by_the_server_later(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.expect_state("Saved on phone")
        expect(phone.page.locator("[data-waiting]")).to_contain_text("Not sent yet: 1")
        phone.expect_chunks(2)  # the photograph and its small picture
        phone.offline(False)
        phone.expect_state("Verified by server")
        phone.expect_chunks(0)
        expect(phone.page.locator("[data-waiting]")).to_be_hidden()

    await with_phone(server, visit)
    (row,) = await registered(db_dba, world.aida)
    assert row["device_at"] is not None
    assert (str(row["latitude"]), str(row["accuracy_m"])) == ("42.874600", "12.0")
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(photo.read_bytes()).hexdigest()]


async def test_what_is_stored_is_neither_the_picture_nor_the_words(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo, seal="77777777")
        script = """async ({ask, transact}) => {
            const [records, chunks] = await Promise.all(['records', 'chunks'].map((name) =>
                transact([name], 'readonly', (store) => ask(store.getAll()))));
            const bytes = [...records.map((r) => r.body.sealed), ...chunks.map((c) => c.sealed).filter(Boolean)];
            const texts = bytes.map((b) => new TextDecoder('latin1').decode(b)).join('') + JSON.stringify(records);
            window.leaks = ['JFIF', '77777777', 'DRUG', 'Ak-Tilek'].filter((word) => texts.includes(word));
            const open = await transact(['keys'], 'readonly', (store) => ask(store.get('open')));
            window.exported = await crypto.subtle.exportKey('raw', open.key).then(() => 'yes', (e) => e.name);
        }"""
        phone.tamper(script)
        assert phone.page.evaluate("window.leaks") == []
        assert phone.page.evaluate("window.exported") == "InvalidAccessError"

    await with_phone(server, visit)


async def test_an_answer_that_is_lost_makes_one_record(server: str, world: World, photo: Path, db_dba: Dba) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 2:  # the registration's answer, then the file's
            route.fetch()
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.route(REGISTER, lose, times=1)
        phone.context.route(FILES, lose, times=1)
        phone.register(photo)
        for _ in range(2):
            phone.page.get_by_role("button", name="Send now").click()
            phone.page.wait_for_timeout(700)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert len(lost) == 2
    assert len(await registered(db_dba, world.aida)) == 1
    assert len(await hashes(db_dba, world.aida)) == 1


async def test_two_tabs_send_once(server: str, world: World, photo: Path, db_dba: Dba) -> None:
    sent: list[str] = []

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        other = phone.open()
        other.goto("/phone")
        phone.context.on("request", lambda r: sent.append(r.url) if is_evidence(r) else None)
        phone.offline(False)
        for page in (phone.page, other):
            page.evaluate("dispatchEvent(new Event('online'))")
        phone.expect_state("Verified by server")
        expect(other.locator("[data-state]")).to_have_text(["Verified by server"])

    await with_phone(server, visit)
    assert len(sent) == 2, sent
    assert len(await registered(db_dba, world.aida)) == 1


async def test_without_web_locks_a_lease_in_the_store_keeps_the_second_tab_out(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    sent: list[str] = []

    def visit(phone: Handset) -> None:
        phone.context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        other = phone.open()
        other.goto("/phone")
        phone.context.on("request", lambda r: sent.append(r.url) if is_evidence(r) else None)
        phone.offline(False)
        for page in (phone.page, other):
            page.evaluate("dispatchEvent(new Event('online'))")
        expect(phone.page.locator("[data-state]")).to_have_text("Verified by server", timeout=60_000)

    await with_phone(server, visit)
    assert len(sent) == 2, sent
    assert len(await registered(db_dba, world.aida)) == 1


async def test_another_officers_sign_in_neither_sends_nor_loses_it(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.sign_in(world.timur)
        phone.offline(False)
        phone.page.goto("/")
        phone.until(lambda: not any(row["name"] == "open" for row in phone.rows("keys")), "the phone locks itself")
        assert [row["state"] for row in phone.rows()] == ["saved"]
        expect(phone.page.locator("[data-waiting]")).to_contain_text("Not sent yet: 1")
        # The right PIN opens it for no longer than it takes to see who is signed in, and nothing is sent.
        phone.page.goto("/phone")
        phone.enter_pin()
        expect(phone.page.locator("[data-outcome]")).to_contain_text("Somebody else is signed in")
        expect(phone.page.locator("[data-unlock]")).to_be_visible()
        assert not any(row["name"] == "open" for row in phone.rows("keys"))
        assert [row["state"] for row in phone.rows()] == ["saved"]
        phone.sign_in(world.aida)
        phone.page.goto("/phone")
        phone.unlock()
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert await registered(db_dba, world.timur) == []
    assert len(await registered(db_dba, world.aida)) == 1


async def test_the_server_refuses_a_record_under_another_name(server: str, world: World, photo: Path) -> None:
    """The phone asks who is signed in before it sends; this is the wall behind that question."""

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        mine = {**phone.rows()[0]}
        phone.offline(False)
        phone.sign_in(world.timur)
        answer = phone.context.request.post(
            "/api/v1/seizures",
            headers={"X-CSRF-Token": world.timur.actor.csrf},
            data={
                "client_id": mine["id"], "captured_by": mine["owner"], "seized_at": "2026-11-01T03:12:00+06:00",
                "exhibits": [{"category": "DRUG"}],
            },
        )  # fmt: skip
        assert answer.status == 403
        assert "only they can send it" in answer.json()["title"]

    await with_phone(server, visit)


async def test_a_session_that_ended_keeps_everything_and_says_so(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.sign_out()
        phone.register(photo)
        expect(phone.page.locator("[data-outcome]")).to_contain_text("sign in again")
        phone.expect_state("Saved on phone")
        phone.expect_chunks(2)
        phone.sign_in(world.aida)
        phone.page.get_by_role("button", name="Send now").click()
        phone.expect_state("Verified by server")

    await with_phone(server, visit)


@pytest.mark.parametrize("where", [REGISTER, FILES], ids=["registration", "photograph"])
async def test_a_refusal_deletes_nothing_says_why_and_does_not_stop_the_next_record(
    server: str, world: World, photo: Path, where: str, db_dba: Dba
) -> None:
    refusals = [403, 404, 409, 413, 415, 422]

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        done: list[str] = []
        for status in refusals:
            phone.offline()
            phone.register(photo, seal=f"1-{status}")
            phone.register(photo, seal=f"2-{status}")
            phone.answer(where, status, times=1, title="The server's own words.")
            phone.offline(False)
            phone.expect_state("Verified by server", "Waits for you", *done)
            expect(phone.page.locator("[data-notice]").nth(1)).to_contain_text("The server's own words.")
            phone.expect_chunks(2)
            phone.page.get_by_role("button", name="Try again").click()
            done += ["Verified by server"] * 2
            phone.expect_state(*done)
            phone.expect_chunks(0)

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 2 * len(refusals)


async def test_a_broken_server_is_tried_again_and_nothing_is_lost(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        done: list[str] = []
        for status, where in ((500, REGISTER), (500, FILES), (503, FILES), (429, FILES)):
            phone.answer(where, status, times=1)
            phone.register(photo)
            expect(phone.page.locator("[data-outcome]")).to_contain_text("tried again")
            phone.expect_chunks(2)
            phone.page.get_by_role("button", name="Send now").click()
            done.append("Verified by server")
            phone.expect_state(*done)

    await with_phone(server, visit)


async def test_a_portal_that_answers_for_the_server_is_not_believed(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        portal = "<h1>Pay for Wi-Fi</h1>"
        answer = {"status": 200, "content_type": "text/html", "body": portal}
        phone.context.route("**/api/v1/**", lambda route: route.fulfill(**answer))
        phone.register(photo)
        expect(phone.page.locator("[data-outcome]")).to_contain_text("does not answer")
        phone.expect_state("Saved on phone")
        phone.expect_chunks(2)

    await with_phone(server, visit)


async def test_a_server_that_has_other_bytes_is_not_believed_either(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)

        def lie(route: Route) -> None:
            if route.request.method != "GET":
                return route.continue_()
            answer = route.fetch()
            said = answer.json()
            return route.fulfill(response=answer, json={**said, "file": {**said["file"], "sha256": "0" * 64}})

        phone.context.route(FILES, lie)
        phone.register(photo)
        phone.expect_state("Waits for you")
        phone.expect_chunks(2)

    await with_phone(server, visit)


async def test_a_photograph_changed_in_the_store_is_refused_and_the_next_record_is_sent(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo, seal="11111111")
        phone.tamper("""async ({ask, transact}) => transact(['chunks'], 'readwrite', async (chunks) => {
            for (const key of (await ask(chunks.getAllKeys())).filter(([first]) => first !== 'reserve')) {
                const piece = await ask(chunks.get(key));
                const bytes = new Uint8Array(piece.sealed);
                bytes[0] ^= 1;
                await ask(chunks.put({...piece, sealed: bytes.buffer}, key));
            }
        })""")
        phone.register(photo, seal="22222222")
        phone.offline(False)
        phone.expect_state("Verified by server", "Waits for you")
        expect(phone.page.locator("[data-notice]").last).to_contain_text("not those that were captured")
        phone.expect_chunks(2)

    await with_phone(server, visit)
    assert len(await hashes(db_dba, world.aida)) == 1


async def test_a_record_whose_time_or_phone_was_changed_in_the_store_is_refused(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.register(photo)
        phone.tamper("""async ({ask, transact}) => transact(['records'], 'readwrite', async (records) => {
            const [one, two] = await ask(records.getAll());
            one.at += 60_000;
            two.device = crypto.randomUUID();
            await Promise.all([one, two].map((row) => ask(records.put(row))));
        })""")
        phone.offline(False)
        phone.expect_state(*["Changed in the phone's store: refused"] * 2)

    await with_phone(server, visit)
    assert await registered(db_dba, world.aida) == []


async def test_a_record_given_another_officer_in_the_store_is_refused(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.timur, "771502")
        theirs = phone.rows("vaults")[0]["owner"]
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.tamper(f"""async ({{ask, transact}}) => transact(['records'], 'readwrite', async (records) => {{
            const [row] = await ask(records.getAll());
            await ask(records.put({{...row, owner: '{theirs}'}}));
        }})""")
        phone.sign_in(world.timur)
        phone.offline(False)
        phone.page.goto("/phone")
        phone.page.get_by_label("Officer").select_option(theirs)
        phone.unlock("771502")
        phone.expect_state("Changed in the phone's store: refused")

    await with_phone(server, visit)
    assert await registered(db_dba, world.timur) == []


async def test_a_wrong_clock_keeps_both_times(server: str, world: World, photo: Path, db_dba: Dba) -> None:
    ahead = "2027-03-01T03:12:00+06:00"

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.clock.set_fixed_time(ahead)
        phone.page.goto("/phone")
        phone.unlock()  # opened before the clock jumped: locked since
        phone.register(photo)
        phone.expect_state("Verified by server")
        phone.begin()
        expect(phone.page.locator("[data-clock-wrong]")).to_contain_text("clock is wrong")

    await with_phone(server, visit)
    (row,) = await registered(db_dba, world.aida)
    assert row["device_at"].isoformat().startswith("2027-02-28T21:12")
    assert abs((row["seized_at"] - row["created_at"]).total_seconds()) < 120


async def test_what_was_refused_is_corrected_under_the_same_identifier(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.photograph(photo)
        phone.fill(quantity="12,5", category="CURR")  # banknotes are counted in whole numbers
        phone.page.select_option("#exhibits-0-basis", "counted")
        phone.save()
        phone.expect_state("Waits for you")
        phone.page.get_by_role("button", name="Correct it").click()
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(1)
        phone.page.fill("#exhibits-0-quantity", "12")
        phone.save()
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 1
    assert len(await hashes(db_dba, world.aida)) == 1


async def test_forty_photographs_arrive_each_as_it_was(server: str, world: World, tmp_path: Path, db_dba: Dba) -> None:
    photos = []
    for shade in range(40):
        path = tmp_path / f"IMG_{shade:04}.jpg"
        path.write_bytes(picture(shade))
        photos.append(path)
    more = tmp_path / "one too many.jpg"
    more.write_bytes(picture(200))

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.page.set_input_files("#photos-gallery", [str(path) for path in photos])
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(40, timeout=60_000)
        phone.page.set_input_files("#photos-gallery", str(more))
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("No more than 40")
        phone.fill()
        phone.save()
        expect(phone.page.locator("[data-state]")).to_have_text("Verified by server", timeout=60_000)

    await with_phone(server, visit)
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]


async def test_a_number_given_without_a_network_is_final_and_no_other_phone_gives_it(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    said: list[str] = []

    def visit(phone: Handset) -> None:
        second = Handset(phone.context.browser, server)  # type: ignore[arg-type]
        for one in (phone, second):
            one.set_up(world.aida)
            expect(one.page.locator("[data-empty]")).to_be_visible()
            wait_for_numbers(one)
            one.offline()
            for _ in range(2):
                one.register(photo)
                said.append(one.page.locator("[data-number]").inner_text())
        for one in (phone, second):
            one.offline(False)
            one.expect_state("Verified by server", "Verified by server")
        assert second.errors == []

    await with_phone(server, visit)
    assert len(set(said)) == 4, said
    assert {row["number"] for row in await registered(db_dba, world.aida)} == set(said)


def wait_for_numbers(phone: Handset) -> None:
    def came() -> bool:
        return any(fact["name"].startswith("numbers:") and fact["numbers"] for fact in phone.rows("facts"))

    phone.until(came, "numbers")


async def test_a_cut_costs_only_what_was_on_its_way_also_when_the_page_was_killed(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    photo = tmp_path / "large.jpg"
    photo.write_bytes(picture(9) + os.urandom(3_000_000))
    offsets: list[int] = []

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.on(
            "request",
            lambda r: offsets.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None,
        )
        phone.offline()
        phone.register(photo)
        line = phone.context.new_cdp_session(phone.page)
        slow = {"offline": False, "latency": 20, "downloadThroughput": 400_000, "uploadThroughput": 400_000}
        phone.offline(False)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", slow)
        expect(phone.page.locator("[data-state]")).to_have_text(re.compile(r"Sending [2-8]\d %"), timeout=30_000)
        phone.kill()  # in the middle of a piece
        phone.page.goto("/phone")
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert offsets[0] == 0
    assert 400_000 < offsets[-1] < photo.stat().st_size
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(photo.read_bytes()).hexdigest()]


async def test_a_photograph_whose_first_piece_is_cut_goes_on_at_that_byte_and_is_the_same(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    photo = tmp_path / "large.jpg"
    photo.write_bytes(picture(10) + os.urandom(3_000_000))
    offsets: list[int] = []

    loop = asyncio.get_running_loop()

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.on(
            "request",
            lambda r: offsets.append(int(r.headers["upload-offset"])) if r.method == "PATCH" else None,
        )
        phone.offline()
        phone.register(photo)
        line = phone.context.new_cdp_session(phone.page)
        slow = {"offline": False, "latency": 20, "downloadThroughput": 300_000, "uploadThroughput": 300_000}
        phone.offline(False)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", slow)
        expect(phone.page.locator("[data-state]")).to_have_text(re.compile(r"Sending [1-8]\d %"), timeout=60_000)
        loop.call_soon_threadsafe(proxy.cut_all)  # the browser may send the request again by itself, or tell the page
        line.send("Network.emulateNetworkConditions", {**slow, "downloadThroughput": -1, "uploadThroughput": -1})
        expect(phone.page.locator("[data-state]")).to_have_text("Verified by server", timeout=60_000)
        phone.expect_chunks(0)

    async with cutting(server) as (address, proxy):
        await with_phone(address, visit)
    assert offsets[0] == 0
    assert 0 < offsets[-1] < photo.stat().st_size, offsets
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(photo.read_bytes()).hexdigest()]
    (row,) = await db_dba.fetch(
        "select kind, media_type, size, hash_declared from evidence.file where received_by = $1", world.aida.id
    )
    assert tuple(row) == ("photo", "image/jpeg", photo.stat().st_size, True)
