"""Where a process may die at the end of an upload, and what becomes of uploads that nobody goes on with."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from casemgmt import worker
from casemgmt.core.db import Database
from casemgmt.evidence import actions as evidence
from casemgmt.evidence import fixity
from casemgmt.inspection.pool import Inspectors
from casemgmt.uploads import finishing, queries
from casemgmt.uploads.sweeping import sweep_uploads
from tests.cast import World, make_world
from tests.db import Dsn
from tests.evidence.conftest import JPEG, Site, _site, sha256
from tests.records import register_seizure
from tests.uploads.client import Tus
from tests.uploads.conftest import Client

DATA = JPEG + random.Random(5).randbytes(9 << 20)
RECEIVED = "select count(*) from ledger.entry where stream = $1 and type = 'evidence:file:received'"


async def _dies(*_: object, **__: object) -> None:
    raise RuntimeError("the process dies here")


@pytest.mark.parametrize("where", ["published and not yet evidence", "evidence and not yet said to be"])
async def test_whoever_asks_next_finishes_what_a_dead_process_began(
    sites, made, tus: Client, db_dba, monkeypatch, where: str
):
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:1000], 0)
    with monkeypatch.context() as dying:
        if where.startswith("published"):
            dying.setattr(evidence, "accept", _dies)
        else:
            dying.setattr(queries, "end_stored", _dies)
        assert (await up.send(DATA[1000:], 1000)).status_code == 500
    other = tus(at=sites[1], id=up.id)
    assert await other.offset() == len(DATA)
    state = await other.state()
    assert (state["state"], state["file"]["sha256"]) == ("stored", sha256(DATA))
    assert await db_dba.fetchval(RECEIVED, f"seizure:{made.seizure.number}") == 1
    keys = await db_dba.fetch("select object_key from evidence.file where client_id = $1", uuid.UUID(up.id))
    assert [key[0] in {found.key for found in sites[0].store.objects()} for key in keys] == [True]


async def test_all_bytes_and_no_end_is_finished_by_the_next_question(sites, tus: Client, monkeypatch):
    up = tus()
    await up.begin(DATA)
    with monkeypatch.context() as dying:
        dying.setattr(finishing.Finishing, "finish", _dies)
        assert (await up.send(DATA, 0)).status_code == 500
    other = tus(at=sites[1], id=up.id)
    here = await other.offset()
    if here < len(DATA):  # S3: what was never acknowledged went with its process
        assert (await other.send(DATA[here:], here)).status_code == 204
    assert (await other.state())["file"]["sha256"] == sha256(DATA)


async def test_an_offset_moves_only_from_where_it_was(site, tus: Client, world):
    """What holds when the lock does not: two processes that both believe they have it."""
    up = tus()
    await up.begin(DATA)
    await up.send(DATA[:10], 0)
    database: Database = site.app.state.database
    upload = await site.app.state.uploads.state(world.aida.actor, uuid.UUID(up.id))
    await up.send(DATA[10:20], 10)
    async with database.begin_raw(world.aida.actor) as connection:
        stale = await queries.keep(connection, upload, upload.progress, b"", datetime.now(UTC) + timedelta(days=1))
    assert stale is False
    assert await up.offset() == 20


# ---- the sweeper, in a database of its own


@pytest.fixture(scope="module")
async def own_site(fresh_database: Dsn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async for made in _site(fresh_database, tmp_path_factory.mktemp("sweeping"), {}):
        yield made


@pytest.fixture
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
async def own_world(own_site: Site, fresh_database: Dsn) -> World:
    connection = await asyncpg.connect(fresh_database.dba)
    world = await make_world(connection, own_site.app.state.database)
    await connection.close()
    return world


@pytest.fixture
async def own(own_site: Site, own_world: World) -> Tus:
    made = await register_seizure(own_site.app.state.database, own_world.aida, "U-1")
    exhibit = own_site.codes.encode("exhibit", made.exhibits[0].id)
    up = Tus(own_site.address, own_world.aida, exhibit)
    await up.begin(DATA)
    await up.send(DATA[:5000], 0)
    return up


def staged(site: Site) -> list[str]:
    return [found.key for found in site.store.leftovers(datetime.now(UTC) + timedelta(days=1))]


EXPIRE = "update evidence.upload set expires_at = now() - interval '1 s' where client_id = $1"


async def test_an_upload_nobody_goes_on_with_is_given_up_with_words(own_site, own: Tus, dba, sequencer):
    assert await sweep_uploads(own_site.store, sequencer) == 0
    assert len(staged(own_site)) >= 1
    before = set(staged(own_site))
    await dba.execute(EXPIRE, uuid.UUID(own.id))
    assert (await own.ask("HEAD")).status_code == 410, "also before the sweeper came"
    assert (await own.send(b"x", 5000)).status_code == 410
    assert await sweep_uploads(own_site.store, sequencer) == 1
    assert len(before - set(staged(own_site))) == 1
    state = await own.state()
    assert state["state"] == "expired"
    assert "no more bytes for too long" in state["words"]
    again = await own.begin(DATA)
    assert (again.status_code, again.headers["upload-offset"]) == (201, "0")


async def test_every_piece_renews_the_time(own: Tus, dba):
    expires = "select expires_at from evidence.upload where client_id = $1"
    sooner = "update evidence.upload set expires_at = now() + interval '1 h' where client_id = $1"
    await dba.execute(sooner, uuid.UUID(own.id))
    before = await dba.fetchval(expires, uuid.UUID(own.id))
    await own.send(DATA[5000:6000], 5000)
    assert await dba.fetchval(expires, uuid.UUID(own.id)) > before + timedelta(days=6)


async def test_the_sweep_of_the_store_leaves_uploads_under_way_alone(own_site, own: Tus, sequencer, dba):
    key = await dba.fetchval("select object_key from evidence.upload where client_id = $1", uuid.UUID(own.id))
    await fixity.sweep(own_site.store, sequencer, older_than=timedelta(seconds=-60))
    assert key in staged(own_site)
    assert (await own.send(DATA[5000:], 5000)).status_code == 204
    assert (await own.state())["file"]["sha256"] == sha256(DATA)


async def test_what_no_upload_knows_any_more_is_freed(own_site, own: Tus, sequencer, dba):
    key = await dba.fetchval("select object_key from evidence.upload where client_id = $1", uuid.UUID(own.id))
    await dba.execute("update evidence.upload set state = 'removed' where client_id = $1", uuid.UUID(own.id))
    await fixity.sweep(own_site.store, sequencer, older_than=timedelta(seconds=-60))
    assert key not in staged(own_site)


async def test_ends_are_forgotten_after_a_month_and_what_goes_on_is_not(own_site, own: Tus, sequencer, dba):
    await dba.execute(
        "update evidence.upload set state = 'removed', seen_at = now() - interval '31 days' where client_id = $1",
        uuid.UUID(own.id),
    )
    await sweep_uploads(own_site.store, sequencer)
    assert (await own.ask("GET")).status_code == 404


async def test_the_worker_expires_uploads(own_site, own: Tus, dba, fresh_database):
    await dba.execute(EXPIRE, uuid.UUID(own.id))
    pool = Inspectors()
    _, task = worker.looking(own_site.store, pool)
    assert await worker.once(task, fresh_database.sequencer) is True
    await pool.close()
    assert (await own.state())["state"] == "expired"


async def test_the_worker_may_not_touch_what_is_under_way(own: Tus, sequencer):
    assert await sequencer.execute("delete from evidence.upload where client_id = $1", uuid.UUID(own.id)) == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sequencer.execute("update evidence.upload set received = 0")
