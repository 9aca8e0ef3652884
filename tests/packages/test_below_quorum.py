"""The application, its worker and three witnesses: two down, work goes on, nothing is sealed, and it resumes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import Litestar

from casemgmt.app import create_app
from casemgmt.core import events
from casemgmt.core.db import Database
from casemgmt.ledger import policy, witnessing
from casemgmt.ledger.proofs import place_of
from casemgmt.ledger.queries import entry_id_of
from casemgmt.ledger.signer import load_log_key
from casemgmt.packages import sealing
from casemgmt.settings import Settings
from casemgmt.trust.events import Event
from casemgmt.trust.keys import VerifierKey
from casemgmt.worker import run_worker
from tests.cast import Api, Browser, World, living, make_world, settings_for
from tests.db import Dsn
from tests.packages.conftest import JPEG, Clients, Scene, reason
from tests.records import register_seizure
from tests.witness.programs import Program, policy_of

# A policy is for good in its database: this module's application has one of its own.


@pytest.fixture
def settings(fresh_database: Dsn, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.getbasetemp() / "below-quorum"
    folder.mkdir(exist_ok=True)
    return settings_for(fresh_database, folder)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    application = create_app(settings)
    application.state.store.prepare()
    async with living(application):
        yield application


@pytest.fixture
def database(app: Litestar) -> Database:
    return cast("Database", app.state.database)


@pytest.fixture
async def world(fresh_database: Dsn, database: Database) -> World:
    connection = await asyncpg.connect(fresh_database.dba)
    try:
        return await make_world(connection, database)
    finally:
        await connection.close()


@pytest.fixture
async def api(app: Litestar) -> AsyncIterator[Clients]:
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
    yield lambda member: Api(member, transport=transport)
    await transport.aclose()


@pytest.fixture
async def witnesses(
    settings: Settings, database: Database, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, Program]]:
    """The worker at work, and two of customs, police, prosecution asked for."""
    monkeypatch.setattr(witnessing, "FIRST_BACKOFF", 0.05)
    monkeypatch.setattr(witnessing, "LAST_BACKOFF", 0.2)
    monkeypatch.setitem(cast("Any", sealing.seal).__kwdefaults__, "patience", 1.5)
    assert settings.log_key_file is not None
    log = load_log_key(settings.log_key_file).verifier
    programs = [Program.make(tmp_path, name, log) for name in ("customs", "police", "prosecution")]
    for program in programs:
        await program.start_here()
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(settings, stop))
    connection = await asyncpg.connect(settings.sequencer_dsn)
    async with asyncio.timeout(30):
        while await connection.fetchval("select vkey from ledger.log") is None:
            await asyncio.sleep(0.05)
    await connection.close()
    async with database.begin(world.admin.actor) as db:
        await policy.change(db, world.admin.actor, policy_of(log, programs), "agreement 12")
    yield {program.name: program for program in programs}
    stop.set()
    await worker
    for program in programs:
        await program.stop_here()


async def test_two_down_work_goes_on_sealing_is_refused_with_the_reason_and_resumes_by_itself(
    scene: Scene, witnesses: dict[str, Program], database: Database, world: World, api: Clients, app: Litestar,
    tmp_path: Path,
) -> None:  # fmt: skip
    client, address = api(world.saule), f"/api/v1/cases/{scene.case_code}/packages"
    for name in ("police", "prosecution"):
        await witnesses[name].stop_here()
    # work goes on
    made = await register_seizure(database, world.aida, "B-3001")
    code = scene.codes.encode("exhibit", made.exhibits[0].id)
    url = f"/api/v1/exhibits/{code}/files/{uuid.uuid4()}"
    headers = {"X-File-Name": "photo.jpg", "Content-Type": "image/jpeg"}
    assert (await api(world.aida).put(url, content=JPEG, headers=headers)).status_code == 201
    # a package is refused, by name and with the reason
    body = {"client_id": str(uuid.uuid4())}
    refused = await client.post(address, json=body, timeout=30)
    assert refused.status_code == 409, refused.text
    assert refused.json()["type"] == "urn:casemgmt:problem:quorum-not-met"
    said = refused.json()["title"]
    assert "2 of customs, police, prosecution" in said
    assert "police since" in said
    assert "prosecution since" in said
    assert "customs since" not in said
    assert (await client.get(f"/api/v1/cases/{scene.case_code}")).json().get("packages", []) == []
    # an event says how far it is
    entry = await _newest_entry(database, world)
    event = scene.codes.encode("event", entry)
    browser = Browser(world.admin, transport=httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False))
    assert "Pending: 1 of 3 witnesses" in (await browser.get(f"/events/{event}")).text
    assert (await browser.get(f"/api/v1/events/{event}/proof")).status_code == 409
    # one comes back: the same request seals, and the reader's own policy accepts the package
    await witnesses["police"].start_here()
    async with asyncio.timeout(30):
        while (answer := await client.post(address, json=body, timeout=30)).status_code == 409:
            await asyncio.sleep(0.1)
    assert answer.status_code == 201, answer.text
    package = answer.json()
    assert package["complete"] is True
    path = tmp_path / "package.zip"
    path.write_bytes((await client.get(await reason(client, package["id"]))).content)
    agreed = tmp_path / "agreed.policy"
    key = (await client.get("/ledger/key")).text.strip()
    agreed.write_text(policy_of(VerifierKey.parse(key), list(witnesses.values())))
    assert _verified(path, agreed).returncode == 0
    agreed.write_text(policy_of(VerifierKey.parse(key), list(witnesses.values()), count=3))
    told = _verified(path, agreed)
    assert told.returncode == 1
    assert "quorum" in told.stdout


async def test_one_down_the_quorum_is_met(
    scene: Scene, witnesses: dict[str, Program], world: World, api: Clients
) -> None:
    await witnesses["customs"].stop_here()
    client = api(world.saule)
    body = {"client_id": str(uuid.uuid4())}
    async with asyncio.timeout(30):
        address = f"/api/v1/cases/{scene.case_code}/packages"
        while (answer := await client.post(address, json=body, timeout=30)).status_code == 409:
            await asyncio.sleep(0.1)
    assert answer.status_code == 201, answer.text
    assert answer.json()["complete"] is True


def _verified(package: Path, agreed: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "casemgmt.trust.verify", str(package), "--policy", str(agreed)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def _newest_entry(database: Database, world: World) -> int:
    """The id of an event the administrator sees that was written while two witnesses were down."""
    admin = world.admin
    async with database.begin(admin.actor) as db:
        body = await events.record(db, admin.actor, "accounts:test:made", f"person:{admin.login}", {"note": "x"})
        event = Event.parse(body)
        entry = await entry_id_of(db, event.stream, event.seq)
    async with asyncio.timeout(20):
        while True:
            async with database.begin(admin.actor) as db:
                place = await place_of(db, entry)
                if place is not None and place.cosigned == 1:
                    return entry
            await asyncio.sleep(0.05)
