"""The database as one signed-in person sees it.

A transaction begins by entering as a session; row-level security decides everything after that.
Two ways in, both through ``Database``: a session for reading and rare writes, and one call of one
SQL function for the custody pipeline (a third of the round trips, see docs/design/access.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import DateTime, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from casemgmt.core.actor import Actor
from casemgmt.core.errors import NotSignedIn, Unavailable, from_postgres


class Base(DeclarativeBase):
    """Tables of all rooms. The schema itself is made by the migrations, not from here."""

    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}  # every moment is stored with its zone


WAITING = "ledger_waiting"  # the channel on which a sequencer hears that entries were committed
NUDGE = 0.1  # seconds between two calls on it: a sequencer that was just called looks by itself

_ENTER = text("select access.enter(:token)")
_RECORDED = "recorded"


class Database:
    """Connections of the application role. ``open`` before use, ``close`` at the end."""

    def __init__(self, dsn: str, gate_dsn: str, *, size: int = 10) -> None:
        self._dsn, self._gate_dsn, self._size = dsn, gate_dsn, size
        self._engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=self._connect, pool_size=size, max_overflow=0, pool_timeout=20
        )
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._gate: asyncpg.Pool[asyncpg.Record] | None = None
        self._nudging: asyncio.Task[None] | None = None
        self._nudged = float("-inf")

    async def _connect(self, *_: object) -> asyncpg.Connection[asyncpg.Record]:
        return await _connected(self._dsn)

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._dsn, connect=_connected, min_size=1, max_size=self._size, reset=_nothing_left
        )
        self._gate = await asyncpg.create_pool(self._gate_dsn, connect=_connected, min_size=1, max_size=2)

    async def close(self) -> None:
        if self._nudging is not None:
            await self._nudging
        for pool in (self._pool, self._gate):
            if pool is not None:
                await pool.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self, actor: Actor) -> AsyncIterator[AsyncSession]:
        """One transaction as ``actor``; committed when the block ends, rolled back when it raises.

        Raises NotSignedIn when the session ended since the request began. Refusals of our own SQL
        functions and policies leave as the domain's errors.
        """
        try:
            async with AsyncSession(self._engine, expire_on_commit=False, autoflush=False) as session, session.begin():
                if await session.scalar(_ENTER, {"token": actor.token}) is None:
                    raise NotSignedIn
                yield session
        except DBAPIError as error:
            raise _translated(error) from error
        if _RECORDED in session.info:
            self.nudge()

    @asynccontextmanager
    async def begin_raw(self, actor: Actor) -> AsyncIterator[Any]:
        """The same transaction on the driver's own connection, for the few paths whose speed is a promise."""
        try:
            async with _opened(self._pool).acquire() as connection, connection.transaction():
                if await connection.fetchval("select access.enter($1)", actor.token) is None:
                    raise NotSignedIn
                yield connection
        except asyncpg.PostgresError as error:
            raise from_postgres(error) or error from error
        self.nudge()

    async def call(self, sql: str, *arguments: Any) -> Any:
        """One statement, and so one transaction, sent in one round trip; returns its single value.

        The statement must enter as a session itself (``custody.offer``, ``custody.answer``,
        ``accounts.whoami`` do).
        """
        try:
            return await _opened(self._pool).fetchval(sql, *arguments)
        except asyncpg.PostgresError as error:
            raise from_postgres(error) or error from error

    async def record(self, sql: str, *arguments: Any) -> Any:
        """``call`` of a statement that writes events."""
        found = await self.call(sql, *arguments)
        self.nudge()
        return found

    def nudge(self) -> None:
        """Tell whoever sequences that entries were committed. Nobody waits for it, and one that is lost delays their
        place by half a second. Committing transactions do not do it themselves: ``notify`` makes them take turns.
        """
        now = asyncio.get_running_loop().time()
        if now - self._nudged >= NUDGE and (self._nudging is None or self._nudging.done()):
            self._nudged = now
            self._nudging = asyncio.create_task(self._nudge())

    async def _nudge(self) -> None:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, Unavailable):
            await _opened(self._pool).execute(f"notify {WAITING}")

    async def gate(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """One statement of the gate role: sign-in and nothing else."""
        try:
            return await _opened(self._gate).fetchrow(sql, *arguments)
        except asyncpg.PostgresError as error:
            raise from_postgres(error) or error from error

    async def alive(self) -> bool:
        return bool(await _opened(self._pool).fetchval("select true"))


async def _connected(*where: Any, **options: Any) -> Any:
    """A connection; Unavailable where the server cannot be reached or takes nobody in."""
    try:
        return await asyncpg.connect(*where, **options)
    except (OSError, TimeoutError) as error:
        raise Unavailable from error
    except asyncpg.PostgresError as error:
        raise from_postgres(error) or error from error


async def _nothing_left(_: object) -> None:
    """In place of the driver's reset between users, which is one more round trip: the actor and every other setting
    of ours end with their transaction, and nothing listens, locks or declares beyond one."""


def recorded(session: AsyncSession) -> None:
    """Note that the transaction of this session writes events."""
    session.info[_RECORDED] = True


def _opened(pool: Any) -> Any:
    if pool is None:
        raise RuntimeError("Database.open was not awaited")
    return pool


def _translated(error: DBAPIError) -> Exception:
    if error.connection_invalidated:
        return Unavailable()  # the server went away under a connection that was kept open
    cause = getattr(error.orig, "__cause__", None)
    if isinstance(cause, asyncpg.PostgresError):
        return from_postgres(cause) or error
    return error
