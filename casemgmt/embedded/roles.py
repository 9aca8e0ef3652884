"""The database roles and what each may do, as SQL; the same for an embedded and for a configured server.

``owner`` owns every table and never signs in; ``owner_login`` may become it, for migrations only.
``access_fn`` owns the functions that look past row-level security. It is granted to ``owner`` without
inheritance, because a policy for ``access_fn`` would otherwise also open every row to ``owner``.
``app``, ``gate``, ``sequencer`` and ``verifier`` are what the running processes sign in as; ``gate`` checks
passwords and opens sessions and can do nothing else, so that a statement slipped into ``app`` opens none.
"""

from collections.abc import Callable

DATABASE = "casemgmt"
SUPERUSER = "dba"
LOGIN_ROLES = ("owner_login", "app", "gate", "sequencer", "verifier")


def create_roles(password: Callable[[str], str]) -> str:
    """SQL making every role on a server that has none of them. ``password(role)`` is SQL, quotes included."""
    powerless = "login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
    return f"""
create role owner nologin nosuperuser nobypassrls;
create role access_fn nologin nosuperuser nobypassrls;
create role owner_login {powerless} password {password("owner_login")};
create role app {powerless} password {password("app")};
create role gate {powerless} password {password("gate")};
create role sequencer {powerless} password {password("sequencer")};
create role verifier {powerless} password {password("verifier")};

grant owner to owner_login with inherit false, set true;
grant access_fn to owner with inherit false, set true;

-- A forgotten transaction holds locks and old row versions; no request of ours takes this long.
alter role app set statement_timeout = '30s';
alter role app set idle_in_transaction_session_timeout = '60s';
alter role gate set statement_timeout = '10s';
alter role gate set idle_in_transaction_session_timeout = '10s';
alter role sequencer set statement_timeout = '60s';
alter role sequencer set idle_in_transaction_session_timeout = '60s';
-- The verifier reads the whole log: minutes are normal, hours are not.
alter role verifier set statement_timeout = '15min';
alter role verifier set idle_in_transaction_session_timeout = '60s';
"""


def create_database(name: str = DATABASE) -> str:
    """SQL of one statement, which PostgreSQL wants outside a transaction."""
    return (
        f"create database {name} owner owner encoding 'UTF8' template template0"
        " locale_provider builtin builtin_locale 'C.UTF-8' locale 'C.UTF-8'"
    )


def admit_to_database(name: str = DATABASE) -> str:
    """SQL deciding who may connect. Not copied by ``create database … template``, so also run on every clone."""
    return f"""
revoke all on database {name} from public;
grant connect on database {name} to {", ".join(LOGIN_ROLES)};
grant create, temporary on database {name} to owner;
"""


def harden_database() -> str:
    """SQL for inside the database, as superuser: what every user may do by default and no user of ours needs."""
    return """
revoke all on schema public from public;
-- Large objects lie outside row-level security and outside every table privilege.
revoke execute on function
  lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea), lo_open(oid, integer), lo_put(oid, bigint, bytea),
  lo_get(oid), lo_get(oid, bigint, integer), lo_unlink(oid), lo_truncate(integer, integer), lowrite(integer, bytea)
  from public;
"""


def script_for_dba() -> str:
    """The same as one ``psql`` script for a server we do not run; passwords are psql variables."""
    variables = " ".join(f"-v {role}_password=…" for role in LOGIN_ROLES)
    return f"""\
-- Run once as superuser, on PostgreSQL 17 or later:  psql {variables} -f roles.sql postgres
-- Then set CASEMGMT_OWNER_URL, …_APP_URL, …_GATE_URL and …_SEQUENCER_URL to sign in with these passwords.
\\set ON_ERROR_STOP on
{create_roles(lambda role: f":'{role}_password'")}
{create_database()};
{admit_to_database()}
\\connect {DATABASE}
{harden_database()}"""
