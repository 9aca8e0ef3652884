"""The doctor finds nothing wrong with a sound installation, and each fault that is made on purpose."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from casemgmt.doctor.examination import examine
from casemgmt.doctor.finding import Outcome
from casemgmt.doctor.records import examine_records
from casemgmt.doctor.walls import APPEND_ONLY, examine_walls
from casemgmt.storage.config import open_store
from tests.cast import settings_for
from tests.db import Dsn


@pytest.fixture
async def owner(fresh_database: Dsn):
    """A superuser's connection whose changes are undone."""
    connection = await asyncpg.connect(fresh_database.dba)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def faults(findings) -> list[str]:
    return [str(finding) async for finding in findings if finding.outcome is Outcome.FAULT]


async def test_a_sound_installation_has_no_fault(fresh_database: Dsn, tmp_path: Path):
    settings = settings_for(fresh_database, tmp_path)
    open_store(settings.store_url).prepare()
    found = [finding async for finding in examine(settings)]
    assert [str(finding) for finding in found if finding.outcome is Outcome.FAULT] == []
    assert any("not locked by the store" in str(finding) for finding in found)


@pytest.mark.parametrize(
    ("harm", "alarm"),
    [
        ("alter table exhibits.exhibit no force row level security", "exhibits.exhibit"),
        ("alter table custody.event disable trigger no_change", "custody.event"),
        ("alter table ledger.entry enable trigger no_truncate", "ledger.entry"),
        ("grant update on custody.event to app", "app may update custody.event"),
        ("grant delete on evidence.file to app", "app may delete evidence.file"),
        ("alter role app bypassrls", "app"),
        ("grant access_fn to owner with inherit true", "owner inherits access_fn"),
    ],
)
async def test_it_names_a_wall_that_was_taken_down(owner: asyncpg.Connection, harm: str, alarm: str):
    assert await faults(examine_walls(owner)) == []
    await owner.execute(harm)
    found = await faults(examine_walls(owner))
    assert len(found) == 1
    assert alarm in found[0]


async def test_it_looks_at_every_table_that_the_migrations_made_append_only(owner: asyncpg.Connection):
    made = await owner.fetch(
        "select c.relnamespace::regnamespace || '.' || c.relname as name"
        " from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgname = 'no_change'"
    )
    assert {row["name"] for row in made} == set(APPEND_ONLY)


async def test_it_sees_reach_that_nobody_gave(owner: asyncpg.Connection):
    assert await faults(examine_records(owner)) == []
    person = await owner.fetchval("insert into accounts.principal(kind) values ('person') returning id")
    agency = await owner.fetchval("insert into accounts.principal(kind) values ('agency') returning id")
    unit = await owner.fetchval("insert into accounts.principal(kind) values ('unit') returning id")
    await owner.execute("insert into accounts.agency(id, code, kind, name) values ($1, 'x', 'customs', 'X')", agency)
    await owner.execute(
        "insert into accounts.unit(id, agency_id, code, name) values ($1, $2, '0001', 'X')", unit, agency
    )
    await owner.execute("insert into accounts.person(id, login, name) values ($1, 'x', 'X')", person)
    seizure = await owner.fetchval(
        "insert into seizures.seizure(client_id, number, agency_id, unit_id, created_by, seized_at)"
        " values (gen_random_uuid(), 'x', $1, $2, $3, now()) returning id",
        agency, unit, person,
    )  # fmt: skip
    await owner.execute("insert into access.reach(principal, seizure_id) values ($1, $2)", person, seizure)
    found = await faults(examine_records(owner))
    assert len(found) == 1
    assert "drifted" in found[0]


async def test_it_says_that_a_key_lies_open(fresh_database: Dsn, tmp_path: Path):
    settings = settings_for(fresh_database, tmp_path)
    open_store(settings.store_url).prepare()
    assert settings.log_key_file is not None
    settings.log_key_file.chmod(0o644)
    assert any("can be read by others" in fault for fault in await faults(examine(settings)))
