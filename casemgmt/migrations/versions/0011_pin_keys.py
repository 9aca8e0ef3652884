"""The key behind an officer's PIN: a signature made by one phone's software, weaker than a passkey and named so."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_sql_file("0011_pin_keys.sql")
