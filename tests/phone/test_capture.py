"""Capturing on the phone: drafts that survive, cameras that are refused, a phone that is full, PINs and carrying."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import pytest
from litestar import Litestar
from playwright.sync_api import expect

from tests.cast import World
from tests.chromium import profile
from tests.frontend.looking import axe, cut_texts, overflow, small_targets
from tests.intake.pictures import picture
from tests.phone.handset import PIN, Handset, with_phone
from tests.phone.test_queue import hashes, registered

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running


async def test_a_page_that_is_killed_gives_back_its_draft(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.begin()
        phone.fill(seal="55500055")
        phone.photograph(photo)
        expect(phone.page.locator("[data-draft-status]")).to_contain_text("Draft kept")
        phone.kill()
        phone.page.goto("/phone")
        phone.expect_state("Draft")
        phone.page.get_by_role("link", name="Continue").click()
        expect(phone.page.locator("[data-shots-list] img")).to_have_count(1)
        assert phone.page.input_value("#exhibits-0-seal") == "55500055"
        assert phone.page.locator("input[value=DRUG]").is_checked()
        phone.save()
        phone.offline(False)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)


async def test_the_draft_is_in_the_store_before_the_camera_opens(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        with phone.page.expect_file_chooser() as opening:
            phone.page.locator("#photos").click()
        phone.page.wait_for_url("**/phone/new?draft=*")
        assert [row["state"] for row in phone.rows()] == ["draft"]
        assert not opening.value.is_multiple()
        opening.value.set_files(str(photo))
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(1)
        phone.page.reload()  # the address names the draft
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(1)

    await with_phone(server, visit)


async def test_a_new_version_in_the_middle_of_a_draft_loses_nothing(
    app: Litestar, server: str, world: World, photo: Path
) -> None:
    assets = app.state.assets
    before = assets.version

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.fill(seal="66600066")
        phone.photograph(photo)
        assets.version = "0123456789ab"
        phone.page.evaluate("navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => 1)")
        expect(phone.page.locator("[data-new-version]")).to_be_visible()
        phone.page.fill("#exhibits-0-quantity", "77")
        phone.page.evaluate("window.old = true")
        phone.page.get_by_role("button", name="Use the new version").click()
        phone.page.wait_for_function("() => !window.old && document.readyState === 'complete'")
        expect(phone.page.locator("[data-shots-list] img")).to_have_count(1)
        expect(phone.page.locator("#exhibits-0-seal")).to_have_value("66600066")
        expect(phone.page.locator("#exhibits-0-quantity")).to_have_value("77")
        phone.page.wait_for_function("async () => String(await caches.keys()) === 'shell-0123456789ab-en'")
        phone.save()
        phone.expect_state("Verified by server")

    try:
        await with_phone(server, visit)
    finally:
        assets.version = before


def small_disk(phone: Handset, size: int) -> None:
    """As if the browser gave the site no more than this. Before the first page: what is left is asked rarely."""
    session = phone.context.new_cdp_session(phone.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": phone.server, "quotaSize": size})


async def test_a_full_phone_is_said_before_the_photograph_is_taken(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        small_disk(phone, 12_000_000)
        phone.set_up(world.aida)
        phone.begin()
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("no room for another", timeout=30_000)
        choosers: list[object] = []
        phone.page.on("filechooser", lambda opened: choosers.append(opened))  # noqa: PLW0108 (a built-in method cannot be marked)
        phone.page.locator("#photos").click()
        phone.page.wait_for_timeout(500)
        assert choosers == []

    await with_phone(server, visit)


async def test_the_last_photograph_fits_into_the_room_kept_for_it(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(picture(7) + os.urandom(9_000_000))

    def visit(phone: Handset) -> None:
        small_disk(phone, 20_000_000)
        phone.set_up(world.aida)
        phone.begin()
        phone.photograph(large)  # 17 of the 20 MB are kept free for it
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("no room for another", timeout=30_000)
        phone.fill()
        phone.save()
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(large.read_bytes()).hexdigest()]


async def test_a_disk_that_fills_up_in_the_middle_of_a_photograph_leaves_no_half_of_it(
    server: str, world: World, photo: Path
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.photograph(photo)
        phone.page.evaluate("""() => {
            const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (value, key) {
                if (this.name !== "chunks") return put.call(this, value, key);
                throw new DOMException("full", "QuotaExceededError");
            };
        }""")
        phone.page.set_input_files("#photos", str(photo))
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("no room for another", timeout=30_000)
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(1)
        phone.expect_chunks(2)

    await with_phone(server, visit)


async def test_a_camera_in_the_page_takes_photographs_and_its_refusal_leaves_the_other_ways(
    server: str, world: World, photo: Path
) -> None:
    def open_camera(phone: Handset) -> None:
        phone.page.locator(".shots summary").click()
        phone.page.get_by_role("button", name="Camera in this page").click()

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        open_camera(phone)
        expect(phone.page.locator("[data-shots-status]")).to_contain_text("gave no camera")
        phone.photograph(photo)
        phone.context.grant_permissions(["geolocation", "camera"])
        phone.begin()
        open_camera(phone)
        dialog = phone.page.locator("dialog.lens")
        expect(dialog).to_be_visible()
        for taken in (1, 2):
            dialog.get_by_role("button", name="Take photo").click()
            expect(phone.page.locator("[data-shots-list] li")).to_have_count(taken)
        dialog.get_by_role("button", name="Close the camera").click()
        phone.fill()
        phone.save()
        phone.expect_state("Verified by server", "Draft")

    await with_phone(server, visit)


async def test_a_place_refused_and_a_promise_of_storage_that_never_comes_hold_nothing_up(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.context.add_init_script("navigator.storage.persist = () => new Promise(() => { window.asked = true; })")
        phone.set_up(world.aida)
        assert phone.page.evaluate("window.asked") is None
        phone.begin()
        expect(phone.page.locator("[data-place-status]")).to_contain_text("does not say where it is")
        phone.photograph(photo)
        phone.fill()
        phone.save()
        phone.expect_state("Verified by server")

    await with_phone(server, visit, permissions=[])
    (row,) = await registered(db_dba, world.aida)
    assert row["latitude"] is None


async def test_a_wrong_pin_opens_nothing_and_many_have_to_wait(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.page.get_by_role("button", name="Lock this phone").click()
        status = phone.page.locator("[data-unlock-status]")
        for _ in range(6):
            phone.page.get_by_label("PIN of this phone").fill("111222")
            phone.page.get_by_role("button", name="Unlock").click()
            expect(phone.page.get_by_role("button", name="Unlock")).to_be_enabled()
        expect(status).to_contain_text("Wait 1 min")
        phone.page.get_by_label("PIN of this phone").fill(PIN)
        phone.page.get_by_role("button", name="Unlock").click()
        expect(status).to_contain_text("Wait 1 min")
        phone.tamper("""async ({ask, transact}) => transact(['vaults'], 'readwrite', async (vaults) => {
            const [vault] = await ask(vaults.getAll());
            await ask(vaults.put({...vault, notBefore: 0}));
        })""")
        phone.unlock()
        phone.expect_state("Saved on phone")

    await with_phone(server, visit)


async def test_another_pin_opens_what_was_sealed_under_the_old_one(server: str, world: World, photo: Path) -> None:
    def change(phone: Handset, old: str, new: str) -> None:
        phone.page.fill("#old-pin", old)
        phone.page.fill("#other-pin", new)
        phone.page.fill("#other-pin-again", new)
        phone.page.get_by_role("button", name="Change the PIN").click()

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.page.locator("[data-change-pin] summary").click()
        status = phone.page.locator("[data-change-status]")
        change(phone, "999888", "771503")
        expect(status).to_contain_text("not the PIN")
        change(phone, PIN, "123")
        expect(status).to_contain_text("at least 6 digits")
        change(phone, PIN, "771503")
        expect(status).to_contain_text("is changed")
        phone.page.get_by_role("button", name="Lock this phone").click()
        phone.page.get_by_label("PIN of this phone").fill(PIN)
        phone.page.get_by_role("button", name="Unlock").click()
        expect(phone.page.locator("[data-unlock-status]")).to_contain_text("not the PIN")
        phone.unlock("771503")
        phone.expect_state("Saved on phone")
        phone.offline(False)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)


async def test_an_idle_phone_locks_itself_and_keeps_what_was_typed(server: str, world: World, photo: Path) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.fill(seal="88800088")
        phone.photograph(photo)
        phone.tamper("""async ({ask, transact}) => transact(['keys'], 'readwrite', async (keys) => {
            const open = await ask(keys.get('open'));
            await ask(keys.put({...open, until: Date.now() - 1}));
        })""")
        phone.page.evaluate("document.querySelector('form.intake').capture.look()")
        expect(phone.page.locator("form.intake")).to_be_hidden()
        assert not any(row["name"] == "open" for row in phone.rows("keys"))
        phone.unlock()
        expect(phone.page.locator("form.intake")).to_be_visible()
        assert phone.page.input_value("#exhibits-0-seal") == "88800088"
        phone.save()
        phone.expect_state("Verified by server")

    await with_phone(server, visit)


async def test_everything_is_there_after_the_browser_was_closed_and_opened_again(
    server: str, world: World, photo: Path, tmp_path: Path
) -> None:
    def evening(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)

    def morning(phone: Handset) -> None:
        phone.offline()
        phone.page.goto("/")  # answered by the phone itself
        phone.expect_state("Saved on phone")
        phone.sign_in(world.aida)
        phone.offline(False)
        phone.expect_state("Verified by server")

    def run() -> None:
        for visit in (evening, morning):
            with profile(tmp_path / "profile", base_url=server, locale="en-GB") as context:
                visit(Handset.of(context, server))

    await asyncio.to_thread(run)


async def test_an_export_is_carried_to_another_phone_and_registered_once(
    server: str, world: World, photo: Path, tmp_path: Path, db_dba: Dba
) -> None:
    carried = tmp_path / "phone.sealed"

    def take_in(phone: Handset, path: Path, code: str) -> None:
        if not phone.page.locator("#import-file").is_visible():
            phone.page.get_by_text("When this phone cannot connect").click()
        phone.page.set_input_files("#import-file", str(path))
        phone.page.fill("#import-code", code)
        phone.page.get_by_role("button", name="Take it in").click()

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.page.get_by_text("When this phone cannot connect").click()
        phone.page.get_by_role("button", name="Export to a file").click()
        expect(phone.page.locator("[data-code]")).not_to_be_empty()
        code = phone.page.locator("[data-code]").inner_text()
        assert len(code.replace(" ", "")) == 24
        with phone.page.expect_download() as download:
            phone.page.get_by_role("link", name="Keep the file").click()
        download.value.save_as(carried)
        assert b"00451879" not in carried.read_bytes()
        cut = tmp_path / "cut.sealed"
        cut.write_bytes(carried.read_bytes()[:-20])
        second = Handset(phone.context.browser, server)  # type: ignore[arg-type]
        second.set_up(world.aida, "123456")
        status = second.page.locator("[data-import-status]")
        take_in(second, carried, "0000 " * 6)
        expect(status).to_contain_text("does not open this file")
        take_in(second, photo, code)
        expect(status).to_contain_text("not a file exported from a phone")
        take_in(second, cut, code)
        expect(status).to_contain_text("damaged")
        take_in(second, carried, code)
        expect(status).to_contain_text("Here already: 1")
        second.page.get_by_role("button", name="Send now").click()
        second.expect_state("Verified by server")
        third = Handset(phone.context.browser, server)  # type: ignore[arg-type]
        third.set_up(world.timur, "123456")
        take_in(third, carried, code)
        expect(third.page.locator("[data-import-status]")).to_contain_text("Another officer captured")
        phone.offline(False)
        phone.expect_state("Verified by server")
        assert second.errors == third.errors == []

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 1
    assert len(await hashes(db_dba, world.aida)) == 1


async def test_a_film_too_large_for_one_piece_of_memory_is_hashed_in_pieces(
    server: str, world: World, tmp_path: Path, db_dba: Dba
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(range(256)) * (260 * 1024))

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        phone.page.set_input_files("#film", str(film))
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(1, timeout=120_000)
        phone.fill()
        phone.save()
        expect(phone.page.locator("[data-state]")).to_have_text("Verified by server", timeout=120_000)

    await with_phone(server, visit)
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(film.read_bytes()).hexdigest()]


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
async def test_the_phones_pages_are_for_gloves_narrow_screens_and_screen_readers(
    server: str, world: World, photo: Path, locale: str
) -> None:
    faults: list[str] = []

    def look(phone: Handset, name: str) -> None:
        faults.extend(f"{name}: {fault}" for fault in [*axe(phone.page), *small_targets(phone.page, 48)])
        phone.page.set_viewport_size({"width": 320, "height": 640})
        faults.extend(f"{name}: {text} is cut" for text in cut_texts(phone.page))
        if overflow(phone.page) > 0:
            faults.append(f"{name}: wider than 320 px")
        phone.page.set_viewport_size({"width": 412, "height": 839})

    def visit(phone: Handset) -> None:
        phone.sign_in(world.aida)
        phone.page.goto("/phone")
        expect(phone.page.locator("[data-setup]")).to_be_visible()
        look(phone, "set up")
        phone.page.fill("#new-pin", PIN)
        phone.page.fill("#new-pin-again", PIN)
        phone.page.locator("[data-setup] button").click()
        expect(phone.page.locator("[data-unlocked]")).to_be_visible()
        phone.sign_out()
        phone.begin()
        look(phone, "new")
        first_screen(phone)
        phone.page.locator(".bar button").click()
        expect(phone.page.locator("[data-phone-errors]")).to_be_focused()
        look(phone, "refused")
        phone.photograph(photo)
        phone.fill()
        phone.page.locator(".shots summary").click()
        look(phone, "filled")
        phone.page.locator(".bar button").click()
        phone.page.wait_for_url("**/phone?saved=*")
        expect(phone.page.locator("[data-state]")).to_have_count(1)
        for summary in phone.page.locator("details.more-details summary").all():
            summary.click()
        look(phone, "saved")
        phone.begin()
        first_screen(phone)  # also under the strip that counts what waits
        phone.page.goto("/phone")
        phone.page.locator("[data-lock]").click()
        expect(phone.page.locator("[data-unlock]")).to_be_visible()
        look(phone, "locked")

    await with_phone(server, visit, locale=locale)
    assert faults == [], "\n".join(faults)


def first_screen(phone: Handset) -> None:
    """Photograph, kind, bag and quantity stand above the save bar of a screen of 412 x 839."""
    bar = phone.page.locator(".bar").bounding_box()
    assert bar is not None
    for what in (".cam", "#exhibits-0-category", "#exhibits-0-seal", "#exhibits-0-quantity"):
        box = phone.page.locator(what).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= bar["y"], what
