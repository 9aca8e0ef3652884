"""What goes wrong at a border post, fault by fault: nothing is lost, nothing is sent twice, and it is said."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import psutil
import pytest
from playwright.sync_api import expect, sync_playwright

from casemgmt.core.clock import utcnow
from casemgmt.core.i18n import translations
from casemgmt.core.web.signin import token_hash
from tests.cast import World
from tests.chromium import program
from tests.phone.handset import Handset, with_phone
from tests.phone.test_queue import FILES, REGISTER, hashes, registered

pytestmark = pytest.mark.browser
Dba: TypeAlias = "asyncpg.Connection[Any]"  # its class takes no parameter while running


@pytest.mark.parametrize("where", [REGISTER, FILES], ids=["registration", "photograph"])
async def test_a_session_that_ends_in_the_middle_of_sending_deletes_nothing(
    server: str, world: World, photo: Path, db_dba: Dba, where: str
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.answer(where, 401)
        phone.register(photo)
        expect(phone.page.locator("[data-outcome]")).to_contain_text("sign in again")
        phone.expect_chunks(2)
        assert [row["state"] for row in phone.rows()] == ["sending"]
        phone.context.unroute(where)
        phone.page.get_by_role("button", name="Send now").click()
        phone.expect_state("Verified by server")
        phone.expect_chunks(0)

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 1
    assert len(await hashes(db_dba, world.aida)) == 1


async def test_it_is_sent_with_the_token_of_the_session_of_that_moment(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    later, tokens = secrets.token_urlsafe(16), []
    await db_dba.execute(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at)"
        " values ($1, $2, 'another-token', now() + $3)",
        token_hash(later), world.aida.id, timedelta(hours=1),
    )  # fmt: skip

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        phone.sign_out()
        phone.context.add_cookies([{"name": "casemgmt_session", "value": later, "url": server}])
        phone.context.on(
            "request", lambda r: tokens.append(r.headers["x-csrf-token"]) if "x-csrf-token" in r.headers else None
        )
        phone.offline(False)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert tokens
    assert not any(token == world.aida.actor.csrf for token in tokens)


async def test_a_record_that_breaks_the_program_does_not_keep_the_next_from_being_sent(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo, seal="11111111")
        # sealed rightly, and makes no sense: as a version of ours with a fault might have left it
        phone.page.evaluate("""async () => {
            const base = document.querySelector('script[type=module]').src.replace(/app\\.js$/, 'phone/');
            const [{ opened }, { all, keep, load }] = await Promise.all(
                ['opened.js', 'records.js'].map((name) => import(base + name)));
            const open = await opened();
            const record = await load(open, (await all())[0].id);
            delete record.body.registration;
            await keep(open, record);
        }""")
        phone.register(photo, seal="22222222")
        phone.offline(False)
        expect(phone.page.locator("[data-state]").first).to_have_text("Verified by server")
        phone.expect_chunks(2)
        assert phone.errors  # it is not silent either
        phone.errors.clear()
        phone.page.goto("about:blank")  # nothing more is tried while the browser closes
        phone.errors.clear()

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 1


@pytest.mark.parametrize("days", [1, -1], ids=["ahead", "behind"])
async def test_a_clock_wrong_by_a_day_is_said_and_both_times_are_kept(
    server: str, world: World, photo: Path, db_dba: Dba, days: int
) -> None:
    wrong = utcnow() + timedelta(days=days)

    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.clock.set_fixed_time(wrong)
        phone.page.goto("/phone")
        phone.unlock()  # opened before the clock jumped: locked since
        phone.register(photo)
        phone.expect_state("Verified by server")
        phone.begin()
        expect(phone.page.locator("[data-clock-wrong]")).to_contain_text("Both times are kept")

    await with_phone(server, visit)
    (row,) = await registered(db_dba, world.aida)
    assert abs(row["device_at"] - wrong) < timedelta(minutes=1)
    # the server's time is the one that counts, for a time nobody typed
    assert abs(row["seized_at"] - row["created_at"]) < timedelta(minutes=10)


@pytest.mark.parametrize("answer", ["Promise.resolve(false)", "Promise.reject(new TypeError('no'))"])
async def test_a_browser_that_does_not_promise_to_keep_it_is_told_of(
    server: str, world: World, photo: Path, answer: str
) -> None:
    def visit(phone: Handset) -> None:
        phone.context.add_init_script(f"""
            navigator.storage.persist = () => {answer};
            navigator.storage.persisted = () => Promise.resolve(false);
        """)
        phone.set_up(world.aida)
        phone.offline()
        phone.register(photo)
        expect(phone.page.locator("[data-not-promised]")).to_be_visible()
        phone.offline(False)
        phone.expect_state("Verified by server")
        expect(phone.page.locator("[data-not-promised]")).to_be_hidden()

    await with_phone(server, visit)


async def test_a_browser_without_places_and_background_sync_registers_all_the_same(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.context.add_init_script("""
            Object.defineProperty(navigator, 'geolocation', {value: undefined});
            delete window.SyncManager;
            delete ServiceWorkerRegistration.prototype.sync;
        """)
        phone.set_up(world.aida)
        assert phone.page.evaluate("[typeof SyncManager, typeof navigator.geolocation]") == ["undefined"] * 2
        phone.offline()
        phone.register(photo)
        phone.expect_state("Saved on phone")
        phone.offline(False)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    (row,) = await registered(db_dba, world.aida)
    assert (row["latitude"], row["accuracy_m"]) == (None, None)


_NO_TIMER = """
    window.asked = [];
    SyncManager.prototype.register = (tag) => { window.asked.push(tag); return Promise.resolve(); };
    const later = setTimeout;
    window.setTimeout = (work, ms, ...more) => (work?.name === 'keepDraining' ? 0 : later(work, ms, ...more));
"""


async def test_background_sync_wakes_a_page_whose_own_clock_sleeps(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.context.add_init_script(_NO_TIMER)
        phone.page.reload()
        phone.context.route(REGISTER, lambda route: route.abort("connectionreset"))
        phone.register(photo)
        expect(phone.page.locator("[data-outcome]")).to_contain_text("does not answer")
        phone.page.wait_for_function("window.asked.includes('drain')")
        phone.context.unroute(REGISTER)
        line = phone.context.new_cdp_session(phone.page)
        versions: list[Any] = []
        line.on("ServiceWorker.workerRegistrationUpdated", lambda event: versions.extend(event["registrations"]))
        line.send("ServiceWorker.enable")
        phone.until(lambda: bool(versions), "the worker is told of")
        sync = {"origin": server, "registrationId": versions[-1]["registrationId"], "tag": "drain", "lastChance": False}
        line.send("ServiceWorker.dispatchSyncEvent", sync)
        phone.expect_state("Verified by server")

    await with_phone(server, visit)
    assert len(await registered(db_dba, world.aida)) == 1


async def test_a_phone_in_kyrgyz_registers_without_a_network_in_kyrgyz(
    server: str, world: World, photo: Path, db_dba: Dba
) -> None:
    kyrgyz = translations("ky").gettext
    assert kyrgyz("Take photo") != "Take photo"

    def visit(phone: Handset) -> None:
        phone.page.goto(f"{server}/help")
        # a draft language is offered, and chosen by the person: what the phone speaks alone leads to Russian
        assert phone.page.get_attribute("html", "lang") == "ru"
        phone.page.locator("details.menu summary").click()
        phone.page.locator("button[lang=ky]").click()
        expect(phone.page.locator("html")).to_have_attribute("lang", "ky")
        kept: list[str] = []
        for _ in range(400):  # the pages the phone keeps follow by themselves
            kept = phone.page.evaluate("caches.keys()")
            if len(kept) == 1 and kept[0].endswith("-ky"):
                break
            phone.page.wait_for_timeout(100)
        assert kept[0].endswith("-ky")
        phone.sign_in(world.aida)
        phone.page.goto("/phone")
        phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        phone.page.fill("#new-pin", "402917")
        phone.page.fill("#new-pin-again", "402917")
        phone.page.locator("[data-setup] button").click()
        expect(phone.page.locator("[data-unlocked]")).to_be_visible()
        phone.offline()
        phone.begin()
        assert phone.page.get_attribute("html", "lang") == "ky"  # from the phone's own shell
        expect(phone.page.locator(".cam label")).to_have_text(kyrgyz("Take photo"))
        phone.photograph(photo)
        phone.fill()
        phone.page.locator(".bar button").click()
        phone.page.wait_for_url("**/phone?saved=*")
        expect(phone.page.locator("[data-state]")).to_have_text(kyrgyz("Saved on phone"))
        phone.offline(False)
        expect(phone.page.locator("[data-state]")).to_have_text(kyrgyz("Verified by server"))

    await with_phone(server, visit, locale="ky-KG")
    assert await hashes(db_dba, world.aida) == [hashlib.sha256(photo.read_bytes()).hexdigest()]


def kill_browser(folder: Path) -> None:
    """Every process of the browser with this profile, at once: the battery is out."""
    mine = [p for p in psutil.Process().children(recursive=True) if str(folder) in " ".join(p.cmdline() or [])]
    assert mine
    for process in mine:
        os.kill(process.pid, signal.SIGKILL)


async def test_a_dead_battery_loses_neither_a_saved_record_nor_a_draft(
    server: str, world: World, photo: Path, tmp_path: Path, db_dba: Dba
) -> None:
    folder = tmp_path / "profile"

    def opened(playwright: Any) -> Any:
        return playwright.chromium.launch_persistent_context(
            str(folder), executable_path=program(), args=["--disable-gpu", "--no-first-run"],
            base_url=server, locale="en-GB",
        )  # fmt: skip

    def run() -> None:
        with sync_playwright() as playwright:
            phone = Handset.of(opened(playwright), server)
            phone.set_up(world.aida)
            phone.offline()
            phone.register(photo, seal="11111111")
            phone.begin()
            phone.fill(seal="22222222")
            phone.photograph(photo)
            phone.page.wait_for_url("**/phone/new?draft=*")
            expect(phone.page.locator("[data-draft-status]")).to_contain_text("Draft kept")
            kill_browser(folder)
        with sync_playwright() as playwright:
            phone = Handset.of(opened(playwright), server)
            phone.sign_in(world.aida)
            phone.page.goto("/phone")
            if phone.page.locator("[data-unlock]").is_visible():
                phone.unlock()
            phone.expect_state("Draft", "Verified by server")
            phone.page.get_by_role("link", name="Continue").click()
            expect(phone.page.locator("[data-shots-list] img")).to_have_count(1)
            assert phone.page.input_value("#exhibits-0-seal") == "22222222"
            phone.save()
            phone.expect_state("Verified by server", "Verified by server")
            phone.context.close()

    await asyncio.to_thread(run)
    assert len(await registered(db_dba, world.aida)) == 2
    assert len(await hashes(db_dba, world.aida)) == 2
