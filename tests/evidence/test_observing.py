"""What received photographs say of themselves, recorded once beside their event. A database of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from casemgmt import worker
from casemgmt.core.shell import LANGUAGE_COOKIE
from casemgmt.evidence.observing import observe_waiting
from casemgmt.evidence.previews import preview
from casemgmt.evidence.queries import file as load_file
from casemgmt.evidence.queries import observation_bodies
from casemgmt.inspection.pool import Inspectors
from casemgmt.trust.events import Event
from tests.cast import Browser, World, make_world
from tests.db import Dsn
from tests.evidence.conftest import Site, _site, sha256
from tests.evidence.test_fixity import store_of
from tests.inspection import photos
from tests.inspection.conftest import EVIL
from tests.records import Registered, register_seizure


@pytest.fixture(scope="module")
async def own_site(fresh_database: Dsn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async for made in _site(fresh_database, tmp_path_factory.mktemp("observing"), {}):
        yield made


@pytest.fixture(scope="module")
async def dba(fresh_database: Dsn) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.dba)
    yield connection
    await connection.close()


@pytest.fixture
async def sequencer(fresh_database: Dsn) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.sequencer)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def own_world(own_site: Site, dba: asyncpg.Connection) -> World:
    return await make_world(dba, own_site.app.state.database)


@pytest.fixture
async def own(own_site: Site, own_world: World) -> Registered:
    return await register_seizure(own_site.app.state.database, own_world.aida, "F-1")


@pytest.fixture
async def inspectors() -> AsyncIterator[Inspectors]:
    made = Inspectors(anchors=photos.signers()[0])
    yield made
    await made.close()


async def send(site: Site, world: World, made: Registered, data: bytes, **headers: str) -> int:
    answer = await site.put(world.aida, made, data, **headers)
    assert answer.status_code == 201, answer.text
    return site.codes.decode("file", answer.json()["id"])


async def seen(dba: asyncpg.Connection, file_id: int) -> list[asyncpg.Record]:
    found: list[asyncpg.Record] = await dba.fetch("select * from evidence.observation where file_id = $1", file_id)
    return found


async def test_a_photograph_is_looked_into_once_and_its_event_names_the_document(
    own_site, own_world, own, inspectors, sequencer, dba
):
    file_id = await send(own_site, own_world, own, photos.signed())
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    (row,) = await seen(dba, file_id)
    document = json.loads(row["body"])
    assert document["sha256"] == sha256(photos.signed())
    assert document["exif"]["taken"] == "2026-11-20T09:15:00"
    assert document["exif"]["fields"]["Image Make"] == "TestPhone"
    assert document["c2pa"]["state"] == "trusted"
    assert "fields" not in row["summary"]
    assert '"model": "X1"' in row["summary"]

    entries = "select body from ledger.entry where stream = $1 order by stream_seq"
    chain = [Event.parse(entry["body"]) for entry in await dba.fetch(entries, f"seizure:{own.seizure.number}")]
    assert [event.type for event in chain][-2:] == ["evidence:file:received", "evidence:file:observed"]
    assert chain[-1].prev == chain[-2].hash.hex()
    assert chain[-1].actor == {"id": 0, "name": "casemgmt", "badge": ""}
    assert chain[-1].data["observation"] == hashlib.sha256(row["body"]).hexdigest()
    assert chain[-1].data["c2pa"] == "trusted"
    assert "TestPhone" not in str(chain[-1].data), "claims may be about people: the event holds only their hash"

    assert await observe_waiting(own_site.store, inspectors, sequencer, 50) == 0
    assert len(await seen(dba, file_id)) == 1


async def test_two_workers_at_once_record_one_observation(
    own_site, own_world, own, inspectors, sequencer, dba, fresh_database
):
    file_id = await send(own_site, own_world, own, photos.camera())
    other = await asyncpg.connect(fresh_database.sequencer)
    done = await asyncio.gather(
        observe_waiting(own_site.store, inspectors, sequencer, 50),
        observe_waiting(own_site.store, inspectors, other, 50),
    )
    await other.close()
    assert sum(done) == 1
    assert len(await seen(dba, file_id)) == 1
    assert await dba.fetchval("select count(*) from evidence.to_observe where file_id = $1", file_id) == 0


async def test_the_same_document_has_another_hash_for_another_file(
    own_site, own_world, own, inspectors, sequencer, dba
):
    ids = [await send(own_site, own_world, own, photos.plain()) for _ in range(2)]
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    salts = {json.loads((await seen(dba, file_id))[0]["body"])["salt"] for file_id in ids}
    assert len(salts) == 2


async def test_documents_are_not_looked_into(own_site, own_world, own, dba):
    file_id = await send(own_site, own_world, own, b"%PDF-1.7 a protocol", Content_Type="application/pdf")
    assert await dba.fetchval("select count(*) from evidence.to_observe where file_id = $1", file_id) == 0


async def test_a_round_takes_no_more_than_it_was_told(own_site, own_world, own, inspectors, sequencer):
    for _ in range(3):
        await send(own_site, own_world, own, photos.plain())
    assert await observe_waiting(own_site.store, inspectors, sequencer, 2) == 2
    assert await observe_waiting(own_site.store, inspectors, sequencer, 2) == 1


async def test_a_hostile_file_is_recorded_as_one(own_site, own_world, own, sequencer, dba):
    file_id = await send(own_site, own_world, own, photos.camera() + b"hostile")
    broken = Inspectors(program=(sys.executable, "-I", str(EVIL), "crash"))
    await observe_waiting(own_site.store, broken, sequencer, 50)
    await broken.close()
    (row,) = await seen(dba, file_id)
    summary = json.loads(row["summary"])
    assert (summary["exif"]["trouble"], summary["c2pa"]["trouble"]) == ("crashed", "crashed")


async def test_other_bytes_are_never_taken_for_the_file(own_site, own_world, own, inspectors, sequencer, dba):
    file_id = await send(own_site, own_world, own, photos.camera())
    key = await dba.fetchval("select object_key from evidence.file where id = $1", file_id)
    path = store_of(own_site).path(key)
    path.chmod(0o600)
    path.write_bytes(photos.signed())
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    assert await seen(dba, file_id) == []
    check = await dba.fetchrow("select * from evidence.fixity where file_id = $1", file_id)
    assert (check["outcome"], check["found_sha256"].hex()) == ("changed", sha256(photos.signed()))
    later = "select tries, due > now() + interval '50 s' as later from evidence.to_observe where file_id = $1"
    assert dict(await dba.fetchrow(later, file_id)) == {"tries": 1, "later": True}
    assert await observe_waiting(own_site.store, inspectors, sequencer, 50) == 0, "it waits"
    async with own_site.app.state.database.begin(own_world.aida.actor) as db:
        row = await load_file(db, file_id)
    assert await preview(inspectors, own_site.store, row) is None


async def test_bytes_that_are_gone_are_recorded_and_the_others_go_on(
    own_site, own_world, own, inspectors, sequencer, dba
):
    gone, there = [await send(own_site, own_world, own, photos.camera()) for _ in range(2)]
    store_of(own_site).path(await dba.fetchval("select object_key from evidence.file where id = $1", gone)).unlink()
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    assert (await seen(dba, gone), len(await seen(dba, there))) == ([], 1)
    assert await dba.fetchval("select outcome from evidence.fixity where file_id = $1", gone) == "missing"


async def test_previews_and_documents_for_a_package(own_site, own_world, own, inspectors, sequencer):
    ids = [await send(own_site, own_world, own, data) for data in (photos.camera(), b"%PDF-1.7 x", photos.plain())]
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    async with own_site.app.state.database.begin(own_world.aida.actor) as db:
        rows = [await load_file(db, file_id) for file_id in ids]
        found = [(file_id, json.loads(body)["sha256"]) async for file_id, body in observation_bodies(db, ids)]
    assert found == [(ids[0], sha256(photos.camera())), (ids[2], sha256(photos.plain()))]
    made = [await preview(inspectors, own_site.store, row) for row in rows]
    assert [picture is not None for picture in made] == [True, False, True]


async def test_the_worker_looks_into_what_arrives(own_site, own_world, own, dba, fresh_database, tmp_path):
    file_id = await send(own_site, own_world, own, photos.camera())
    pool = Inspectors()
    task, _ = worker.looking(own_site.store, pool)
    assert await worker.once(task, fresh_database.sequencer) is True
    await pool.close()
    assert len(await seen(dba, file_id)) == 1


# ---- the database's own guards

OBSERVE = "select evidence.observe($1, $2, $3, $4, $5)"


@pytest.fixture
async def parts(own_site, own_world, own, sequencer, dba) -> AsyncIterator[dict[str, Any]]:
    """A file that waits, in a transaction that has begun its observation; and what would be right to write."""
    file_id = await send(own_site, own_world, own, photos.camera())
    async with sequencer.transaction():
        place = await sequencer.fetchrow("select * from evidence.begin_observation($1)", file_id)
        observation = {"file": place["object_key"], "sha256": place["sha256"].hex(), "exif": {}, "c2pa": {}}
        event = {
            "type": "evidence:file:observed", "stream": f"seizure:{place['seizure']}", "seq": place["seq"] + 1,
            "actor": {"id": 0}, "data": {"file": place["object_key"], "observation": ""},
        }  # fmt: skip
        yield {"file": file_id, "observation": observation, "event": event, "seq": place["seq"] + 1}


async def write(sequencer: asyncpg.Connection, parts: dict[str, Any]) -> None:
    observation = json.dumps(parts["observation"]).encode()
    if parts["event"]["data"].get("observation") == "":
        parts["event"]["data"]["observation"] = hashlib.sha256(observation).hexdigest()
    event = json.dumps(parts["event"]).encode()
    async with sequencer.transaction():
        await sequencer.execute(OBSERVE, parts["file"], observation, uuid.uuid4(), parts["seq"], event)


async def test_the_database_takes_what_is_right(sequencer, parts, dba):
    await write(sequencer, parts)


WRONG = {
    "another type": lambda parts: parts["event"].update(type="evidence:file:received"),
    "another stream": lambda parts: parts["event"].update(stream="seizure:x"),
    "another file": lambda parts: parts["event"]["data"].update(file="x"),
    "another document": lambda parts: parts["event"]["data"].update(observation="0" * 64),
    "a document about another file": lambda parts: parts["observation"].update(file="x"),
    "a document about other bytes": lambda parts: parts["observation"].update(sha256="0" * 64),
    "no document named": lambda parts: parts["event"]["data"].pop("observation"),
    "no file named": lambda parts: parts["event"]["data"].pop("file"),
    "a document about nothing": lambda parts: parts["observation"].pop("file"),
    "somebody's name on it": lambda parts: parts["event"].update(actor={"id": 1}),
    "a number that does not follow": lambda parts: (parts.update(seq=99), parts["event"].update(seq=99)),
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG.keys())
async def test_the_database_refuses(sequencer, parts, spoil):
    spoil(parts)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await write(sequencer, parts)
    assert refused.value.sqlstate in ("CM001", "CM002")


REFUSED = {
    "writing one itself": "insert into evidence.observation(file_id, body, summary) values (1, '{}', '{}')",
    "changing one": "update evidence.observation set summary = '{}'",
    "removing one": "delete from evidence.observation",
    "recording by function": "select evidence.observe(1, '{}', gen_random_uuid(), 1, '{}')",
    "beginning to": "select * from evidence.begin_observation(1)",
    "taking a file off the list": "delete from evidence.to_observe",
    "reading the list": "select * from evidence.to_observe",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
async def test_the_application_may_not_do_it(fresh_database, sql):
    connection = await asyncpg.connect(fresh_database.app)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(sql)
    await connection.close()


async def test_the_worker_writes_no_other_entry(fresh_database):
    connection = await asyncpg.connect(fresh_database.sequencer)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(
            "insert into ledger.entry(event_id, stream, stream_seq, type, body, actor_id)"
            " values (gen_random_uuid(), 'x', 1, 'evidence:file:observed', 'x', 0)"
        )
    await connection.close()


async def test_an_observation_is_seen_by_whoever_sees_its_file(own_site, own_world, own, inspectors, sequencer):
    file_id = await send(own_site, own_world, own, photos.camera())
    await observe_waiting(own_site.store, inspectors, sequencer, 50)
    address = f"/api/v1/files/{own_site.codes.encode('file', file_id)}/observation"
    async with own_site.client(own_world.aida) as client:
        answer = await client.get(address)
        assert answer.headers["etag"] == f'"{sha256(answer.content)}"'
        assert answer.json()["exif"]["model"] == "X1"
        told = (await client.get(address.removesuffix("/observation"))).json()
        assert told["claims_inside"]["exif"]["taken"] == "2026-11-20T09:15:00"
    async with own_site.client(own_world.timur) as client:
        assert (await client.get(address)).status_code == 404


async def test_pages_show_claims_as_claims_and_point_out_differences(own_site, own_world, own, inspectors, sequencer):
    sent = {"X_Captured_At": "2026-11-21T10:00:00+06:00", "X_Captured_Place": "geo:41.430000,75.990000;u=12"}
    await send(own_site, own_world, own, photos.camera(), **sent)
    await send(own_site, own_world, own, photos.signed("trainedAlgorithmicMedia"))
    exhibit = own_site.codes.encode("exhibit", own.exhibits[0].id)
    seizure = own_site.codes.encode("seizure", own.seizure.id)
    async with Browser(own_world.aida) as client:
        client.base_url = own_site.address
        assert "Not looked into" not in (await client.get(f"/exhibits/{exhibit}/files")).text
        await observe_waiting(own_site.store, inspectors, sequencer, 50)
        for page in (f"/exhibits/{exhibit}", f"/exhibits/{exhibit}/files", f"/seizures/{seizure}"):
            text = (await client.get(page)).text
            assert "20.11.2026 09:15:00 (UTC+06:00)" in text
            assert "differ by 25 hours" in text
            assert re.search(r"name places [\d.]+\s+km apart", text)
            assert "a program made it or parts of it (trainedAlgorithmicMedia)" in text
            assert "are claims of whoever made it" in text
            assert "Finding none means nothing" in text
        client.cookies.set(LANGUAGE_COOKIE, "ru")
        assert "Claims inside" not in (await client.get(f"/exhibits/{exhibit}")).text
