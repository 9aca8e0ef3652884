"""Files on their way in pieces: how far each is, and what the store must be told to go on."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_sql_file("0008_uploads.sql")
