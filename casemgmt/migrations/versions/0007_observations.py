"""What received photographs say of themselves, and the list of those still to be looked into."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_sql_file("0007_observations.sql")
