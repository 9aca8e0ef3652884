"""Witnesses: the policy and its versions, cosignatures, what was published, alarms."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_file("0003_witnesses.sql")
