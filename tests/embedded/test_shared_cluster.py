"""What the other tests stand on: every worker gets a migrated database and the product's own roles."""

import asyncpg
import pytest

from casemgmt import migrations
from tests.db import Dsn


async def test_the_workers_database_is_at_the_newest_migration(dsn: Dsn) -> None:
    assert await migrations.current(dsn.owner_login) == migrations.newest()


@pytest.mark.parametrize("role", ["app", "gate", "sequencer", "verifier", "owner_login", "dba"])
async def test_every_role_signs_in_as_itself(dsn: Dsn, role: str) -> None:
    connection = await asyncpg.connect(getattr(dsn, role))
    assert await connection.fetchval("select current_user") == role
    await connection.close()


async def test_a_modules_own_database_is_not_the_workers(dsn: Dsn, fresh_database: Dsn) -> None:
    names = set()
    for one in (dsn.app, fresh_database.app):
        connection = await asyncpg.connect(one)
        names.add(await connection.fetchval("select current_database()"))
        await connection.close()
    assert len(names) == 2
