"""What each database role can and cannot do, tried on the migrated schema: the walls behind the application's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from casemgmt.core.db import Database
from casemgmt.core.web.signin import token_hash
from tests import casework
from tests.cast import World, make_world
from tests.db import Dsn
from tests.records import Registered

Refused = asyncpg.InsufficientPrivilegeError


@dataclass(frozen=True, slots=True)
class Scene:
    """A post with its seizure, and another post's seizure that nobody else may see."""

    world: World
    own: Registered
    hidden: Registered

    def fill(self, sql: str) -> str:
        own, hidden = self.own.exhibits[0], self.hidden.exhibits[0]
        return sql.format(
            own=own.id, own_seizure=own.seizure_id, own_number=own.number, hidden=hidden.id,
            hidden_seizure=hidden.seizure_id, hidden_number=hidden.number, me=self.world.aida.id,
            unit=self.world.units["post"], other_unit=self.world.units["other_post"],
            agency=self.world.agencies["customs"],
        )  # fmt: skip


@pytest.fixture(scope="module")
async def scene(dsn: Dsn, database: Database) -> Scene:
    dba = await asyncpg.connect(dsn.dba)
    world = await make_world(dba, database)
    await dba.close()
    own, hidden = await casework.seize(database, world.aida), await casework.seize(database, world.timur)
    await casework.grant(database, world.saule, own.seizure, world.units["crime_unit"])
    return Scene(world, own, hidden)


async def connect(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.fixture
async def as_aida(dsn: Dsn, scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """The application's role in a transaction of Aida's session; nothing is kept."""
    async for connection in connect(dsn.app):
        await connection.fetchval("select access.enter($1)", token_hash(scene.world.aida.token))
        yield connection


@pytest.fixture
async def owner(dsn: Dsn) -> AsyncIterator[asyncpg.Connection]:
    async for connection in connect(dsn.owner_login):
        await connection.execute("set role owner")
        yield connection


@pytest.fixture
async def sequencer(dsn: Dsn) -> AsyncIterator[asyncpg.Connection]:
    async for connection in connect(dsn.sequencer):
        yield connection


@pytest.fixture
async def verifier(dsn: Dsn) -> AsyncIterator[asyncpg.Connection]:
    async for connection in connect(dsn.verifier):
        yield connection


@pytest.fixture
async def gate(dsn: Dsn) -> AsyncIterator[asyncpg.Connection]:
    async for connection in connect(dsn.gate):
        yield connection


# ---- app: the role every request runs as

_EVENT = (
    "insert into custody.event(exhibit_id, seq, seizure_id, kind, hash)"
    " values ({id}, 99, {seizure}, 'offered', '\\x00')"
)
_ENTRY = (
    "insert into ledger.entry(event_id, stream, stream_seq, type, body{column})"
    " values (gen_random_uuid(), 'x', 1, 'a:b:c', 'x'{value})"
)

APP_IS_REFUSED = {
    "changing a custody event": "update custody.event set kind = 'offered'",
    "removing custody events": "delete from custody.event",
    "emptying custody": "truncate custody.event cascade",
    "changing a ledger entry": "update ledger.entry set body = 'x'",
    "removing ledger entries": "delete from ledger.entry",
    "emptying the ledger": "truncate ledger.entry",
    "removing exhibits": "delete from exhibits.exhibit",
    "removing seizures": "delete from seizures.seizure",
    "removing files": "delete from evidence.file",
    "changing a file's hash": "update evidence.file set sha256 = 'x'",
    "changing what was seized": "update exhibits.exhibit set quantity = 1",
    "moving an exhibit to its own unit": "update exhibits.exhibit set unit_id = {unit}",
    "changing a seizure's place": "update seizures.seizure set place = 'x'",
    "changing a grant": "update sharing.grant set until = 'infinity'",
    "taking back the end of a grant": "delete from sharing.grant_end",
    "changing a sealed package": "update packages.package set tagmanifest_sha256 = 'x'",
    "choosing an entry's transaction": _ENTRY.format(column=", xid", value=", '1'"),
    "hiding an entry": _ENTRY.format(column=", detached", value=", true"),
    "choosing an entry's time": _ENTRY.format(column=", at", value=", now()"),
    "choosing an entry's author": _ENTRY.format(column=", actor_id", value=", {me}"),
    "choosing an id": "insert into custody.handover(id, client_id, number, to_id, purpose) overriding system value"
    " values (1, gen_random_uuid(), 'x', {me}, 'storage')",
    "dating a custody event": "insert into custody.event(exhibit_id, seq, seizure_id, kind, hash, at)"
    " values ({own}, 2, {own_seizure}, 'offered', 'x', '2001-01-01')",
    "sequencing entries": "insert into ledger.leaf values (0, 1)",
    "signing a checkpoint": "insert into ledger.checkpoint(size, root, note) values (1, 'x', 'x')",
    "an event for a hidden exhibit": _EVENT.format(id="{hidden}", seizure="{hidden_seizure}"),
    "an entry about a hidden seizure": _ENTRY.format(column=", seizure_id", value=", {hidden_seizure}"),
    "a seizure in another unit": "insert into seizures.seizure(client_id, number, agency_id, unit_id, seized_at)"
    " values (gen_random_uuid(), 'x', {agency}, {other_unit}, now())",
    "a grant without being a supervisor": "insert into sharing.grant(seizure_id, to_id, purpose)"
    " values ({own_seizure}, {other_unit}, 'investigation')",
    "reading all reach": "select * from access.reach",
    "reading all reach of cases": "select * from access.case_reach",
    "giving itself reach": "insert into access.reach values ({me}, {hidden_seizure})",
    "recomputing reach": "select access.refresh('{{}}', '{{}}')",
    "reading who needs to know": "select person_id from access.named where false and person_id / 0 > 0",
    "reading the actor's key": "select * from access.secret",
    "proving an actor of its choice": "select access.proof('1')",
    "acting as an actor of its choice": "select access.act_as(1)",
    "entering as somebody": "select access.enter_as(1)",
    "reading password hashes": "select * from accounts.credential",
    "reading sessions": "select * from accounts.session",
    "opening a session": "select accounts.open_session(1, 'x', 'x', 'x', interval '1 day')",
    "setting a password": "select accounts.set_password(1, 'x')",
    "appointing": "insert into accounts.appointment(person_id, kind, unit_id) values ({me}, 'supervisor', {unit})",
    "the drift check": "select * from access.drift(0, 10)",
    "disabling triggers": "alter table custody.event disable trigger all",
    "dropping a trigger": "drop trigger no_change on ledger.entry",
    "disabling row-level security": "alter table exhibits.exhibit disable row level security",
    "a policy of its own": "create policy p on exhibits.exhibit using (true)",
    "becoming owner": "set role owner",
    "becoming the function role": "set role access_fn",
    "another session user": "set session authorization owner",
    "replica mode": "set session_replication_role = replica",
    "making a table": "create table exhibits.x(a int)",
    "making a temporary table": "create temporary table x(a int)",
    "making a schema": "create schema x",
    "making a function": "create function pg_temp.f() returns int language sql as 'select 1'",
    "copying to a file": "copy exhibits.exhibit to '/tmp/x'",
    "copying to a program": "copy exhibits.exhibit to program 'id'",
    "reading the server's files": "select pg_read_file('postgresql.conf')",
    "making a large object": "select lo_create(0)",
    "reading a large object": "select lo_get(1)",
    "row security off, then reading": "set local row_security = off; select * from exhibits.exhibit",
}


@pytest.mark.parametrize("sql", APP_IS_REFUSED.values(), ids=APP_IS_REFUSED.keys())
async def test_the_application_is_refused(as_aida: asyncpg.Connection, scene: Scene, sql: str) -> None:
    with pytest.raises(Refused):
        await as_aida.execute(scene.fill(sql))


COUNTS_FOR_AIDA = {
    "her own exhibit": ("select 1 from exhibits.exhibit where id = {own}", 1),
    "a hidden exhibit": ("select 1 from exhibits.exhibit where id = {hidden}", 0),
    "a hidden seizure": ("select 1 from seizures.seizure where id = {hidden_seizure}", 0),
    "a hidden seizure by its number": ("select 1 from exhibits.exhibit where number = '{hidden_number}'", 0),
    "the custody of a hidden exhibit": ("select 1 from custody.event where exhibit_id = {hidden}", 0),
    "the entries of a hidden seizure": ("select 1 from ledger.entry where seizure_id = {hidden_seizure}", 0),
    "the search keys of a hidden seizure": ("select 1 from access.search_key where seizure_id = {hidden_seizure}", 0),
    "the words of a hidden exhibit": ("select 1 from access.exhibit_text where exhibit_id = {hidden}", 0),
    "a division by zero that would tell": (
        "select 1 from exhibits.exhibit where id = {hidden} or 1 / (id - {hidden}) > 0 and false",
        0,
    ),
    "her change of a hidden exhibit": (
        "update exhibits.exhibit set ntk = ntk, holder_id = {me} where id = {hidden} returning id",
        0,
    ),
}


@pytest.mark.parametrize(("sql", "count"), COUNTS_FOR_AIDA.values(), ids=COUNTS_FOR_AIDA.keys())
async def test_a_person_finds(as_aida: asyncpg.Connection, scene: Scene, sql: str, count: int) -> None:
    sql = scene.fill(sql.replace("ntk = ntk, ", ""))
    assert len(await as_aida.fetch(sql)) == count


async def test_without_an_actor_there_is_nothing(dsn: Dsn, scene: Scene) -> None:
    async for connection in connect(dsn.app):
        for table in ("seizures.seizure", "exhibits.exhibit", "cases.case_file", "ledger.entry", "accounts.person"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0  # noqa: S608


async def test_an_update_without_where_changes_no_row_that_is_hidden(as_aida, scene, db_dba) -> None:
    seen = await as_aida.fetchval("select count(*) from exhibits.exhibit")
    try:
        changed = await as_aida.execute("update exhibits.exhibit set status = status")
    except asyncpg.PostgresError as refused:  # exhibits move with their events only
        assert refused.sqlstate in {"42501", "CM002"}
    else:
        assert changed == f"UPDATE {seen}"
    assert await db_dba.fetchval("select count(*) from exhibits.exhibit") > seen


# ---- gate: sign-in and nothing else

GATE_IS_REFUSED = {
    "seizures": "select * from seizures.seizure",
    "exhibits": "select * from exhibits.exhibit",
    "the ledger": "select * from ledger.entry",
    "password hashes by the table": "select * from accounts.credential",
    "sessions by the table": "select * from accounts.session",
    "entering a transaction": "select access.enter('x')",
    "entering as somebody": "select access.enter_as(1)",
    "a new password": "select accounts.set_password(1, 'x')",
    "resetting a password": "select accounts.reset_password(1, 'x')",
    "a serial number": "select accounts.next_serial(1, 'seizure', 2026)",
    "large objects": "select lo_create(0)",
    "tables of its own": "create temporary table x(a int)",
}


@pytest.mark.parametrize("sql", GATE_IS_REFUSED.values(), ids=GATE_IS_REFUSED.keys())
async def test_the_gate_is_refused(gate: asyncpg.Connection, sql: str) -> None:
    with pytest.raises(Refused):
        await gate.execute(sql)


# ---- sequencer: reads bytes, numbers and signs them

SEQUENCER_IS_REFUSED = {
    "changing an entry": "update ledger.entry set body = 'x'",
    "removing an entry": "delete from ledger.entry",
    "adding an entry": _ENTRY.format(column="", value=""),
    "renumbering a leaf": "update ledger.leaf set leaf_index = 1",
    "removing a checkpoint": "delete from ledger.checkpoint",
    "reading exhibits": "select * from exhibits.exhibit",
    "changing custody": "update custody.event set to_id = 1",
    "moving an exhibit": "update exhibits.exhibit set holder_id = 1",
    "what an offer is decided on": "select custody.offer_facts('x', gen_random_uuid(), 1, '{}', '{}', null, 2026)",
    "what an answer is decided on": "select custody.answer_facts('x', 1)",
    "reading people present": "select * from seizures.participant",
    "a file's original name": "select original_name from evidence.file",
    "removing a file": "delete from evidence.file",
    "grants": 'select * from sharing."grant"',
    "password hashes": "select * from accounts.credential",
    "writing reach": "insert into access.reach values (1, 1)",
    "large objects": "select lo_create(0)",
    "becoming owner": "set role owner",
}


@pytest.mark.parametrize("sql", SEQUENCER_IS_REFUSED.values(), ids=SEQUENCER_IS_REFUSED.keys())
async def test_the_sequencer_is_refused(sequencer: asyncpg.Connection, sql: str) -> None:
    with pytest.raises(Refused):
        await sequencer.execute(sql)


async def test_the_sequencer_reads_every_entry_and_the_check_of_reach(sequencer, scene, db_dba) -> None:
    there = await db_dba.fetchval("select count(*) from ledger.entry")
    assert await sequencer.fetchval("select count(*) from ledger.entry") == there > 0
    assert await sequencer.fetchrow("select * from access.drift(0, 1)") is not None


# ---- verifier: reads the ledger, and the rows of custody that are a copy of it

VERIFIER_IS_REFUSED = {
    "adding a leaf": "insert into ledger.leaf values (0, 1)",
    "adding a checkpoint": "insert into ledger.checkpoint(size, root, note) values (1, 'x', 'x')",
    "changing an entry": "update ledger.entry set body = 'x'",
    "changing custody": "update custody.event set to_id = 1",
    "changing an exhibit": "update exhibits.exhibit set holder_id = 1",
    "seizures": "select * from seizures.seizure",
    "an exhibit's description": "select description from exhibits.exhibit",
    "a hand-over's note": "select note from custody.handover",
    "files": "select * from evidence.file",
    "people": "select * from accounts.person",
    "large objects": "select lo_create(0)",
}


@pytest.mark.parametrize("sql", VERIFIER_IS_REFUSED.values(), ids=VERIFIER_IS_REFUSED.keys())
async def test_the_verifier_is_refused(verifier: asyncpg.Connection, sql: str) -> None:
    with pytest.raises(Refused):
        await verifier.execute(sql)


@pytest.mark.parametrize("table", ["ledger.entry", "custody.event", "custody.handover", "exhibits.exhibit"])
async def test_the_verifier_and_the_worker_read_every_row_they_compare(
    table: str, verifier, sequencer, scene, db_dba
) -> None:
    there = await db_dba.fetchval(f"select count(*) from {table}")  # noqa: S608
    assert await verifier.fetchval(f"select count(*) from {table}") == there  # noqa: S608
    assert await sequencer.fetchval(f"select count(*) from {table}") == there  # noqa: S608


# ---- owner: owns the tables and runs migrations

OWNER_IS_REFUSED = {
    "emptying custody": "truncate custody.event cascade",
    "a superuser": "create role evil superuser",
    "letting the application bypass": "alter role app bypassrls",
    "bypassing itself": "alter role owner bypassrls",
    "becoming superuser": "set role dba",
    "replica mode": "set session_replication_role = replica",
    "calling a function it made but no longer owns": "select access.enter_as(1)",
}


@pytest.mark.parametrize("sql", OWNER_IS_REFUSED.values(), ids=OWNER_IS_REFUSED.keys())
async def test_the_owner_is_refused(owner: asyncpg.Connection, sql: str) -> None:
    with pytest.raises(Refused):
        await owner.execute(sql)


@pytest.mark.parametrize("table", ["seizures.seizure", "exhibits.exhibit", "evidence.file", "cases.case_file",
                                   "ledger.entry", "custody.event", "sharing.grant", "packages.package"])  # fmt: skip
async def test_the_owner_of_the_tables_sees_no_row_of_them(owner, scene, table) -> None:
    assert await owner.fetchval(f"select count(*) from {table}") == 0  # noqa: S608


async def test_removing_every_entry_as_owner_removes_none(owner, scene, db_dba) -> None:
    before = await db_dba.fetchval("select count(*) from ledger.entry")
    assert await owner.execute("delete from ledger.entry") == "DELETE 0"
    assert await db_dba.fetchval("select count(*) from ledger.entry") == before


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("ledger.entry", "update ledger.entry set body = 'x'"),
        ("ledger.entry", "delete from ledger.entry"),
        ("custody.event", "update custody.event set kind = 'offered'"),
        ("custody.event", "delete from custody.event"),
        ("sharing.grant", "update sharing.grant set until = 'infinity'"),
        ("sharing.grant", "delete from sharing.grant"),
        ("seizures.seizure", "update seizures.seizure set place = 'x'"),
        ("seizures.seizure", "delete from seizures.seizure"),
    ],
)
async def test_triggers_stop_the_owner_even_when_it_no_longer_forces_the_policies_on_itself(
    owner, scene, table, change
) -> None:
    await owner.execute(f"alter table {table} no force row level security")
    with pytest.raises(Refused, match="append-only"):
        await owner.execute(change)


async def test_triggers_stop_the_superuser_in_replica_mode(scene, dsn) -> None:
    async for connection in connect(dsn.dba):
        await connection.execute("set local session_replication_role = replica")
        with pytest.raises(Refused, match="append-only"):
            await connection.execute("update ledger.entry set body = 'x'")


OWNER_CAN = {
    "switch its own trigger off": "alter table ledger.entry disable trigger no_change",
    "drop a policy": "drop policy visible on exhibits.exhibit",
    "make a table": "create table exhibits.new_table(a int)",
    "let a migration see the rows it changes": "create policy migration on exhibits.exhibit to owner using (true)",
}


@pytest.mark.parametrize("sql", OWNER_CAN.values(), ids=OWNER_CAN.keys())
async def test_what_the_owner_can_do_is_known(owner: asyncpg.Connection, sql: str) -> None:
    """Whoever may migrate may tear the walls down: against that stand checkpoints kept elsewhere, not these roles."""
    await owner.execute(sql)


async def test_a_migration_sees_rows_through_a_policy_of_its_own_and_only_then(owner, scene) -> None:
    await owner.execute("create policy migration on exhibits.exhibit to owner using (true)")
    assert await owner.fetchval("select count(*) from exhibits.exhibit") > 0
    await owner.execute("drop policy migration on exhibits.exhibit")
    assert await owner.fetchval("select count(*) from exhibits.exhibit") == 0
