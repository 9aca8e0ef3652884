"""The schema's history. Each version runs raw SQL from ``sql/``; the runtime roles exist before the first."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")

HISTORY_SCHEMA = "schema_history"  # of the owner, so that no other role can claim a version


async def upgrade(owner_dsn: str, revision: str = "head") -> None:
    """Bring the database to ``revision`` in one transaction: all of it happens, or nothing.

    ``owner_dsn`` signs in as ``owner_login``. Several processes may call this at once; they take turns.
    """
    await _as_owner(owner_dsn, lambda connection: command.upgrade(_config(connection), revision))


async def current(owner_dsn: str) -> str | None:
    """The revision the database is at; None before the first migration."""
    return await _as_owner(owner_dsn, _current)


def newest() -> str | None:
    """The revision this release wants; None while there is no migration."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def _current(connection: Connection) -> str | None:
    history = MigrationContext.configure(connection, opts={"version_table_schema": HISTORY_SCHEMA})
    return history.get_current_revision()


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


async def _as_owner(owner_dsn: str, work: Callable[[Connection], T]) -> T:
    """Do ``work`` in one transaction as the role that owns the tables."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(owner_dsn)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("set local role owner"))
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
