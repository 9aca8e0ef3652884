"""A store that has locks: the file is locked before it is acknowledged, and the record says until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from casemgmt.core.clock import utcnow
from tests.cast import World
from tests.db import Dsn
from tests.evidence.conftest import JPEG, Site, _site
from tests.records import register_seizure
from tests.servers import versitygw


@pytest.fixture(scope="module")
async def locking_site(dsn: Dsn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    with versitygw(tmp_path_factory.mktemp("locking")) as server:
        more = {"STORE_URL": f"{server.endpoint.replace('http://', 's3://')}/evidence?tls=0", "RETENTION_DAYS": "400"}
        more |= {"STORE_ACCESS_KEY": server.access, "STORE_SECRET_KEY": server.secret}
        async for made in _site(dsn, tmp_path_factory.mktemp("site"), more):
            yield made


async def test_a_file_is_locked_until_its_retention_ends(locking_site: Site, world: World, db_dba):
    made = await register_seizure(locking_site.app.state.database, world.aida, "L-1")
    answer = await locking_site.put(world.aida, made, JPEG)
    assert answer.status_code == 201, answer.text
    told = datetime.fromisoformat(answer.json()["retained_until"])
    assert timedelta(days=399) < told - utcnow() <= timedelta(days=400)
    row = await db_dba.fetchrow("select * from evidence.file where seizure_id = $1", made.seizure.id)
    assert row["store_version"]
    kept = locking_site.store.stat(row["object_key"], row["store_version"])
    assert kept.retained_until == row["retained_until"] == told


async def test_a_store_without_locks_is_said_to_hold_none(folder_site: Site, world: World, made):
    assert (await folder_site.put(world.aida, made, JPEG)).json()["retained_until"] is None
