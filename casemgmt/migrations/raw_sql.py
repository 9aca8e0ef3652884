"""Migrations are plain SQL files: policies, triggers and functions read best as what they are."""

from importlib.resources import files
from typing import Any

from alembic import op


def run_sql_file(name: str) -> None:
    """Run ``sql/<name>`` in the migration's transaction, exactly as written: many statements, no parameters.

    It goes through the driver's simple protocol, past SQLAlchemy, so colons and percent signs mean nothing special.
    """
    sql = files("casemgmt.migrations").joinpath("sql", name).read_text(encoding="utf-8")
    adapted: Any = op.get_bind().connection.dbapi_connection

    async def execute(driver: Any) -> None:
        if not driver.is_in_transaction():
            raise RuntimeError(f"{name} would run outside the migration's transaction")
        await driver.execute(sql)

    adapted.run_async(execute)
