"""Run by Alembic for every migration command; the connection comes from ``casemgmt.migrations``, as the owner."""

from alembic import context
from sqlalchemy import Connection, text

from casemgmt.migrations import HISTORY_SCHEMA

# Any number that nothing else in this database locks: lets one process migrate at a time.
_ADVISORY_LOCK = 0x636D6D67


def run(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text(f"create schema if not exists {HISTORY_SCHEMA}"))
    context.configure(connection=connection, version_table_schema=HISTORY_SCHEMA)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is None:
    raise SystemExit("Migrations run with `casemgmt migrate`, which signs in as the right role.")
run(given)
