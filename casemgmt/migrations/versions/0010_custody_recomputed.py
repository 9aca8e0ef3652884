"""What the recomputation of the ledger holds against the entries: custody as pages read it."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql_file("0010_custody_recomputed.sql")
