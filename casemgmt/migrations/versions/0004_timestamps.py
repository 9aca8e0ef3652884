"""Timestamps of others over published checkpoints."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_sql_file("0004_timestamps.sql")
