"""Numbers reserved in blocks for devices that work without a network."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_sql_file("0009_number_blocks.sql")
