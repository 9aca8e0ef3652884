"""One writer for an upload, in this process and across all processes and machines of the installation.

The lock is an advisory lock of PostgreSQL on one connection that this process keeps for all its uploads: when the
process dies, the server lets go at once. It saves work and gives clear answers; that no acknowledged byte depends on it
is the doing of ``queries.keep``, which moves an offset only from where it was.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from casemgmt.core.ending import to_its_end
from casemgmt.core.errors import Unavailable
from casemgmt.uploads.refusals import BeingWritten

UPLOADS = 0x747573  # "tus": the first half of every upload's advisory lock
PATIENCE = 3.0  # seconds a question waits for a writer in another process

_TRY = "select pg_try_advisory_lock($1, $2)"
_LEAVE = "select pg_advisory_unlock($1, $2)"


T = TypeVar("T")


def key_of(person_id: int, client_id: UUID) -> int:
    """The second half of an upload's lock. Two uploads that share one by chance wait for one another, no more."""
    return int.from_bytes(hashlib.sha256(f"{person_id}/{client_id}".encode()).digest()[:4], "big") >> 1


class Locks:
    """Of one process. ``close`` at its end."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[Any] | None = None
        self._talking = asyncio.Lock()
        self._writers: dict[int, asyncio.Task[Any] | None] = {}

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close(timeout=5)

    @asynccontextmanager
    async def hold(self, key: int, *, patience: float = 0.0) -> AsyncIterator[None]:
        """Raises BeingWritten when somebody else has it for longer than ``patience`` seconds."""
        deadline = asyncio.get_running_loop().time() + patience
        while key in self._writers or not await self._taken(key):
            if asyncio.get_running_loop().time() >= deadline:
                raise BeingWritten
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            await to_its_end(self._left(key))

    async def run(self, key: int, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do ``work`` while holding the lock, in a task that ``supersede`` can end. Raises what it raised."""
        task = self._writers[key] = asyncio.create_task(work())
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        finally:
            if key in self._writers:
                self._writers[key] = None
        if task.cancelled():
            raise BeingWritten  # by whoever asked for it to end
        result: T = task.result()
        return result

    async def supersede(self, key: int) -> None:
        """End a request of this process that is still receiving: a phone that changed its network asks anew while its
        old connection hangs. What arrived by it is kept before this returns."""
        task = self._writers.get(key)
        if task is not None:
            if not task.cancelling():
                task.cancel()
            await asyncio.wait([task], timeout=5)

    async def _taken(self, key: int) -> bool:
        self._writers[key] = None  # so that nobody of this process asks in between: the lock is the connection's
        try:
            taken = bool(await self._say(_TRY, key))
        except BaseException:
            del self._writers[key]
            raise
        if not taken:
            del self._writers[key]
        return taken

    async def _left(self, key: int) -> None:
        try:
            await self._say(_LEAVE, key)
        except Unavailable:
            pass  # the lock went with the connection
        finally:
            self._writers.pop(key, None)

    async def _say(self, sql: str, key: int) -> Any:
        async with self._talking:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._dsn)
                return await self._connection.fetchval(sql, UPLOADS, key)
            except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
                raise Unavailable from error
