"""Passkeys: people's keys, and hand-overs signed with them."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for part in ("10_passkeys", "20_signatures"):
        run_sql_file(f"0005_{part}.sql")
