"""What a photograph is said to show: bound to its registration, and said again by later events."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql_file("0013_photo_points.sql")
