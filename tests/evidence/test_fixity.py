"""Reading everything again, and finding what nobody claims. A database of its own: these look over all worlds."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from casemgmt.core.ingest import store_file
from casemgmt.evidence import fixity
from casemgmt.storage.local import LocalStore
from tests.cast import World, make_world
from tests.db import Dsn
from tests.evidence.conftest import JPEG, Site, _site
from tests.records import Registered, register_seizure


@pytest.fixture(scope="module")
async def own_site(fresh_database: Dsn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async for made in _site(fresh_database, tmp_path_factory.mktemp("fixity"), {}):
        yield made


@pytest.fixture(scope="module")
async def sequencer(fresh_database: Dsn) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.sequencer)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def dba(fresh_database: Dsn) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.dba)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def own_world(own_site: Site, dba: asyncpg.Connection) -> World:
    return await make_world(dba, own_site.app.state.database)


@pytest.fixture(scope="module")
async def own(own_site: Site, own_world: World) -> Registered:
    return await register_seizure(own_site.app.state.database, own_world.aida, "F-1")


def store_of(site: Site) -> LocalStore:
    assert isinstance(site.store, LocalStore)
    return site.store


async def test_the_oldest_checked_are_read_first_and_what_changed_is_told(own_site, own_world, own, sequencer, dba):
    sent = [await own_site.put(own_world.aida, own, JPEG + bytes([n])) for n in range(4)]
    ids = [own_site.codes.decode("file", answer.json()["id"]) for answer in sent]
    keys = [await dba.fetchval("select object_key from evidence.file where id = $1", i) for i in ids]
    store = store_of(own_site)
    changed, gone = store.path(keys[1]), store.path(keys[2])
    changed.chmod(0o600)
    changed.write_bytes(b"something else")
    gone.unlink()
    first = await fixity.recheck(store, sequencer, 3)
    assert [(c.file_id, c.outcome) for c in first] == [(ids[0], "unchanged"), (ids[1], "changed"), (ids[2], "missing")]
    second = await fixity.recheck(store, sequencer, 2)
    assert [c.file_id for c in second] == [ids[3], ids[0]]
    rows = await dba.fetch("select outcome, found_sha256 from evidence.fixity where file_id = $1", ids[1])
    assert rows[0]["found_sha256"] is not None


async def test_a_store_that_is_down_ends_the_run_without_accusing_every_file(own_site, own_world, own, sequencer):
    for n in range(3):
        await own_site.put(own_world.aida, own, JPEG + bytes([100 + n]))

    class Down(LocalStore):
        def open(self, key, start=0, end=None, version=None):
            from casemgmt.storage.contract import StoreUnavailable

            raise StoreUnavailable("no disk")

    down = Down(store_of(own_site).root)
    done = await fixity.recheck(down, sequencer, 100)
    assert [c.outcome for c in done] == ["unreadable"]


async def test_an_object_without_a_row_is_reported_and_stays(own_site, own_world, own, sequencer):
    store = store_of(own_site)
    for n in range(3):
        await own_site.put(own_world.aida, own, JPEG + bytes([n]))

    async def chunks():
        yield b"orphan"

    key = str(uuid.uuid4())
    await store_file(chunks(), store, key)
    young = await fixity.sweep(store, sequencer, older_than=timedelta(hours=6), page=2)
    assert key not in [o.key for o in young.orphans]
    old = time.time() - 7 * 3600
    os.utime(store.path(key), (old, old))
    swept = await fixity.sweep(store, sequencer, older_than=timedelta(hours=6), page=2)
    assert [o.key for o in swept.orphans] == [key]
    assert swept.objects >= 4
    assert store.path(key).exists()


async def test_what_an_upload_left_behind_is_freed_when_it_is_old(own_site, sequencer):
    store = store_of(own_site)
    for age in (0, 7):
        staged = store.staging / f"{uuid.uuid4()}.{age:012x}.part"
        staged.write_bytes(b"half a photograph")
        moment = time.time() - age * 3600
        os.utime(staged, (moment, moment))
    swept = await fixity.sweep(store, sequencer, older_than=timedelta(hours=6))
    assert swept.discarded == 1
    assert len(list(store.staging.iterdir())) == 1


async def test_the_sequencer_writes_checks_and_can_write_nothing_else(own_site, own_world, own, sequencer):
    await own_site.put(own_world.aida, own, JPEG)
    for statement in ("update evidence.fixity set outcome = 'unchanged'", "delete from evidence.fixity"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sequencer.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sequencer.fetch("select original_name from evidence.file")
