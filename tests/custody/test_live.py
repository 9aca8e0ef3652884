"""The giver's screen follows the receiver's answer by itself, and nothing a reader typed is ever swept away."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from casemgmt.core.db import Database
from casemgmt.core.web.signin import COOKIE
from casemgmt.custody import live
from tests.cast import Member, World
from tests.chromium import chromium
from tests.records import register_seizure


async def offered(api: Any, app: Any, world: World, database: Database) -> tuple[str, dict[str, Any]]:
    """Codes of a hand-over from Aida to Nurlan, and of the answer that accepts it."""
    made = await register_seizure(database, world.aida, "B-3001")
    codes, exhibit = app.state.codes, made.exhibits[0]
    code = codes.encode("exhibit", exhibit.id)
    offer = {
        "client_id": str(uuid.uuid4()), "to": codes.encode("person", world.nurlan.id),
        "purpose": "storage",
        "exhibits": [{"exhibit": code, "seq": 1, "prev": exhibit.last_hash.hex(), "seal": "B-3001"}],
    }  # fmt: skip
    answer = await api(world.aida).post("/api/v1/hand-overs", json=offer)
    assert answer.status_code == 201, answer.text
    accept = {"items": [{"exhibit": code, "decision": "accepted", "seal": "B-3001", "seal_state": "intact"}]}
    return answer.json()["id"], accept


async def versions(client: httpx.AsyncClient, address: str, count: int) -> list[str]:
    found: list[str] = []
    async with client.stream("GET", address) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                found.append(line.removeprefix("data:").strip())
            if len(found) == count:
                break
    return found


async def test_an_answer_is_told_to_whoever_listens(
    server: str, api: Any, app: Any, world: World, database: Database
) -> None:
    handover, accept = await offered(api, app, world, database)
    headers = {"Authorization": f"Bearer {world.aida.token}"}
    async with httpx.AsyncClient(base_url=server, headers=headers, timeout=20) as aida:
        before = (await aida.get(f"/hand-overs/{handover}/state")).json()["version"]
        listening = asyncio.create_task(versions(aida, f"/hand-overs/{handover}/live", 2))
        await asyncio.sleep(0.3)
        answered = await api(world.nurlan).post(f"/api/v1/hand-overs/{handover}/answer", json=accept)
        assert answered.status_code == 200, answered.text
        told = await asyncio.wait_for(listening, 15)
        assert told[0] == before
        assert told[1] == (await aida.get(f"/hand-overs/{handover}/state")).json()["version"] != before


async def test_a_stream_ends_with_the_session(
    server: str, api: Any, app: Any, world: World, database: Database, db_dba: Any
) -> None:
    handover, _ = await offered(api, app, world, database)
    headers = {"Authorization": f"Bearer {world.aida.token}"}
    async with httpx.AsyncClient(base_url=server, headers=headers, timeout=20) as aida:
        listening = asyncio.create_task(versions(aida, f"/hand-overs/{handover}/live", 99))
        await asyncio.sleep(0.3)
        await db_dba.execute("delete from accounts.session where person_id = $1", world.aida.id)
        assert len(await asyncio.wait_for(listening, 15)) == 1
    assert live._open == 0


async def test_who_comes_when_there_is_no_room_is_told_to_ask(
    api: Any, app: Any, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    handover, _ = await offered(api, app, world, database)
    monkeypatch.setattr(live, "_open", live.AT_ONCE)
    answer = await api(world.aida).get(f"/hand-overs/{handover}/live", params={"seconds": 0})
    assert answer.status_code == 503
    assert (await api(world.aida).get(f"/hand-overs/{handover}/state")).status_code == 200


async def with_pages(address: str, visit: Callable[[Browser], None]) -> None:
    def run() -> None:
        with chromium() as (_, browser):
            visit(browser)

    await asyncio.to_thread(run)


def page_of(browser: Browser, address: str, member: Member, *, no_streams: bool = False) -> Page:
    context = browser.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": member.token, "url": address}])
    if no_streams:
        context.add_init_script("delete window.EventSource")
    return context.new_page()


@pytest.mark.browser
@pytest.mark.parametrize("no_streams", [False, True], ids=["listening", "asking"])
async def test_the_givers_page_shows_the_answer_without_being_touched(
    server: str, api: Any, app: Any, world: World, database: Database, no_streams: bool
) -> None:
    handover, _ = await offered(api, app, world, database)

    def visit(browser: Browser) -> None:
        giver = page_of(browser, server, world.aida, no_streams=no_streams)
        giver.goto(f"{server}/hand-overs/{handover}")
        expect(giver.locator("[data-live]")).to_have_text("Waiting for an answer")
        giver.wait_for_load_state("domcontentloaded")
        receiver = page_of(browser, server, world.nurlan)
        receiver.goto(f"{server}/hand-overs/{handover}")
        receiver.get_by_label("Accept", exact=True).check()
        receiver.get_by_label("What number do you read on the seal?").fill("B-3001")
        receiver.get_by_label("Intact").check()
        receiver.get_by_role("button", name="Confirm").click()
        expect(giver.locator("[data-live]")).to_have_text("Accepted", timeout=20000)
        assert giver.get_by_role("button", name="Withdraw").count() == 0

    await with_pages(server, visit)


@pytest.mark.browser
async def test_a_half_filled_answer_is_kept_when_the_giver_withdraws(
    server: str, api: Any, app: Any, world: World, database: Database
) -> None:
    handover, _ = await offered(api, app, world, database)

    def visit(browser: Browser) -> None:
        receiver = page_of(browser, server, world.nurlan)
        receiver.goto(f"{server}/hand-overs/{handover}")
        receiver.get_by_label("What number do you read on the seal?").fill("B-30")
        giver = page_of(browser, server, world.aida)
        giver.on("dialog", lambda dialog: dialog.accept())
        giver.goto(f"{server}/hand-overs/{handover}")
        giver.get_by_role("button", name="Withdraw").click()
        expect(receiver.get_by_text("This changed while you were filling it in").first).to_be_visible(timeout=20000)
        expect(receiver.get_by_label("What number do you read on the seal?")).to_have_value("B-30")

    await with_pages(server, visit)
