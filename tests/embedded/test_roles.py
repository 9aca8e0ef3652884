"""The walls around the embedded database: who gets in, as whom, and what nobody may do by default."""

from urllib.parse import quote

import asyncpg
import pytest

from casemgmt.embedded import roles
from casemgmt.embedded.cluster import Cluster
from tests.db import TEMPLATE, Dsn


def dsn_with(cluster: Cluster, role: str, password: str, database: str = "postgres") -> str:
    return f"postgresql://{role}:{password}@/{database}?host={quote(str(cluster.socket_directory))}"


@pytest.mark.parametrize("role", [*roles.LOGIN_ROLES, roles.SUPERUSER])
async def test_it_refuses_a_wrong_password(cluster: Cluster, dsn: Dsn, role: str) -> None:
    database = getattr(dsn, role).split("@/")[1].split("?")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn_with(cluster, role, "wrong", database))


async def test_the_password_of_one_role_does_not_open_another(cluster: Cluster, dsn: Dsn) -> None:
    password_of_app = dsn.app.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn_with(cluster, "dba", password_of_app))


@pytest.mark.parametrize("role", ["owner", "access_fn", "postgres", "nobody"])
async def test_a_role_that_never_signs_in_is_rejected_before_any_password(cluster: Cluster, role: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"pg_hba\.conf rejects"):
        await asyncpg.connect(dsn_with(cluster, role, "x"))


async def test_no_line_of_the_servers_rules_trusts_anybody(db_dba: asyncpg.Connection) -> None:
    methods = await db_dba.fetch("select distinct auth_method from pg_hba_file_rules")
    assert {row["auth_method"] for row in methods} == {"scram-sha-256", "reject"}


async def test_every_password_is_stored_for_scram(db_dba: asyncpg.Connection) -> None:
    weak = "select rolname from pg_authid where rolcanlogin and rolpassword not like 'SCRAM-SHA-256$%'"
    assert await db_dba.fetch(weak) == []


async def test_it_listens_on_no_network_address(db_dba: asyncpg.Connection) -> None:
    assert await db_dba.fetchval("show listen_addresses") == ""
    assert await db_dba.fetchval("show unix_socket_permissions") == "0700"


async def test_damaged_pages_are_noticed_and_text_sorts_the_same_everywhere(db_dba: asyncpg.Connection) -> None:
    assert await db_dba.fetchval("show data_checksums") == "on"
    provider, locale = await db_dba.fetchrow(
        "select datlocprovider::text, datlocale from pg_database where datname = current_database()"
    )
    assert (provider, locale) == ("b", "C.UTF-8")


async def test_no_running_process_can_bypass_row_level_security(db_dba: asyncpg.Connection) -> None:
    strong = """select rolname from pg_roles where rolname = any($1)
                and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication or rolinherit)"""
    assert await db_dba.fetch(strong, list(roles.LOGIN_ROLES)) == []


async def test_the_owner_does_not_inherit_the_function_role(db_dba: asyncpg.Connection) -> None:
    grants = await db_dba.fetch(
        """select m.roleid::regrole::text role, m.member::regrole::text member, inherit_option, set_option, admin_option
           from pg_auth_members m where m.roleid::regrole::text in ('owner', 'access_fn')"""
    )
    assert {tuple(row) for row in grants} == {
        ("owner", "owner_login", False, True, False),
        ("access_fn", "owner", False, True, False),
    }


async def test_the_migration_role_has_nothing_before_it_becomes_the_owner(dsn: Dsn) -> None:
    connection = await asyncpg.connect(dsn.owner_login)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("create schema before_set_role")
    await connection.execute("set role owner; create schema after_set_role; drop schema after_set_role")
    await connection.close()


@pytest.mark.parametrize("role", ["app", "gate", "sequencer", "verifier"])
@pytest.mark.parametrize(
    "statement",
    [
        "set role owner",
        "set role access_fn",
        "set session authorization owner",
        "set session_replication_role = replica",
        "create schema mine",
        "create table public.mine(a int)",
        "create temporary table mine(a int)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_read_file('PG_VERSION')",
        "copy (select 1) to program 'true'",
        "copy (select 1) to '/tmp/out-of-the-database'",
        "alter system set fsync = off",
    ],
)
async def test_a_running_process_cannot(dsn: Dsn, role: str, statement: str) -> None:
    connection = await asyncpg.connect(getattr(dsn, role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("database", ["postgres", "template1", TEMPLATE])
async def test_a_running_process_gets_into_no_other_database(cluster: Cluster, dsn: Dsn, database: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        connection = await asyncpg.connect(cluster.dsn("app", database))
        await connection.close()


async def test_a_forgotten_transaction_is_ended(dsn: Dsn) -> None:
    connection = await asyncpg.connect(dsn.app)
    assert await connection.fetchval("show statement_timeout") == "30s"
    assert await connection.fetchval("show idle_in_transaction_session_timeout") == "1min"
    await connection.close()
