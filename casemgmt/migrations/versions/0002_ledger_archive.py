"""The write-once archive of the ledger: batches, what waits, what was stored, halts and recoveries."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_file("0002_ledger_archive.sql")
