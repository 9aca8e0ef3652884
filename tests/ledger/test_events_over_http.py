from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from litestar import Litestar

from casemgmt.core import events
from casemgmt.core.db import Database
from casemgmt.ledger.queries import entry_id_of
from casemgmt.settings import Settings
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof
from tests.cast import Api, Browser, Member, World
from tests.ledger.running import sequenced, sequencing

__all__ = ["sequenced"]

Clients = Callable[[Member | None], Api]
Browsers = Callable[[Member | None], Browser]


async def record(database: Database, app: Litestar, member: Member) -> str:
    """An event about the person alone, which only they and administrators see; its code."""
    async with database.begin(member.actor) as db:
        body = await events.record(db, member.actor, "accounts:test:made", f"person:{member.login}", {"note": "Ж"})
        event = Event.parse(body)
        id_ = await entry_id_of(db, event.stream, event.seq)
    return str(app.state.codes.encode("event", id_))


async def proof_when_ready(client: httpx.AsyncClient, code: str) -> httpx.Response:
    async with asyncio.timeout(20):
        while (answer := await client.get(f"/api/v1/events/{code}/proof")).status_code == 409:
            await asyncio.sleep(0.05)
    return answer


async def test_the_proof_of_an_event_verifies_with_the_published_key(
    app: Litestar, database: Database, world: World, api: Clients, sequenced: None
) -> None:
    codes = [await record(database, app, world.aida) for _ in range(5)]
    client = api(world.aida)
    policy = Policy((VerifierKey.parse((await api(None).get("/ledger/key")).text.strip()),))
    for code in codes:
        answer = await proof_when_ready(client, code)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].endswith('.tlog-proof"')
        body = await client.get(f"/api/v1/events/{code}/body")
        Proof.parse(answer.text).verify(leaf_hash(body.content), policy)
        assert Event.parse(body.content).data == {"note": "Ж"}


async def test_before_it_is_sequenced_an_event_is_shown_as_waiting(
    app: Litestar, database: Database, world: World, api: Clients, browser: Browsers, settings: Settings
) -> None:
    code = await record(database, app, world.aida)
    answer = await api(world.aida).get(f"/api/v1/events/{code}/proof")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:casemgmt:problem:not-sequenced-yet"
    page = await browser(world.aida).get(f"/events/{code}")
    assert page.status_code == 200
    assert "Waiting for its place" in page.text
    async with sequencing(settings):
        await proof_when_ready(api(world.aida), code)
    page = await browser(world.aida).get(f"/events/{code}")
    assert "Waiting for its place" not in page.text
    assert "Download the proof" in page.text


async def test_an_event_of_somebody_else_is_not_found(
    app: Litestar, database: Database, world: World, api: Clients, browser: Browsers
) -> None:
    code = await record(database, app, world.aida)
    for path in (f"/api/v1/events/{code}/proof", f"/api/v1/events/{code}/body"):
        assert (await api(world.oleg).get(path)).status_code == 404
        assert (await api(None).get(path)).status_code == 401
    assert (await browser(world.oleg).get(f"/events/{code}")).status_code == 404
    assert (await browser(world.aida).get("/events/nonsense")).status_code == 404


async def test_the_checkpoint_is_open_to_everybody_and_is_not_cached(api: Clients, sequenced: None) -> None:
    key = await api(None).get("/ledger/key")
    answer = await api(None).get("/ledger/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    Note.parse(answer.text).require(VerifierKey.parse(key.text.strip()))
