"""Signatures, keys and agreements are kept beside their entries in the write-once store, and come back from there."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_sql_file("0014_10_beside_the_entries.sql")
    run_sql_file("0014_20_agreements_come_back.sql")
