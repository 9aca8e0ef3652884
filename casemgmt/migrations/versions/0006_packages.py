"""Packages: numbers drawn beforehand, what stands for a package, and what is withheld from one."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run_sql_file("0006_packages.sql")
