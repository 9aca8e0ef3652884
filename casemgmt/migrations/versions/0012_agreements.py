"""Hand-overs agreed between two phones without a network: kept as they were signed, settled, disputed, resolved."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_sql_file("0012_10_agreements.sql")
    run_sql_file("0012_20_settling.sql")
