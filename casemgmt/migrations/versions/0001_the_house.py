"""The house: accounts, access, records, reach, policies, functions."""

from casemgmt.migrations.raw_sql import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    for part in (
        "10_accounts", "20_access", "30_records", "40_reach", "45_authority", "50_policies", "60_functions",
        "65_evidence", "70_ledger_log",
    ):  # fmt: skip
        run_sql_file(f"0001_{part}.sql")
