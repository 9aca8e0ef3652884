"""One request's bytes on their way into a staged upload, and the state of its hash between requests."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.ending import to_its_end
from casemgmt.core.ingest import HEAD, Digest
from casemgmt.storage.contract import Resumable, Store
from casemgmt.uploads import queries
from casemgmt.uploads.refusals import BeingWritten
from casemgmt.uploads.rules import Checksum
from casemgmt.uploads.schemas import Upload

SAVE_EVERY = 8 << 20

T = TypeVar("T")


@dataclass(slots=True)
class Hashed:
    """The state of an upload's hash and its first bytes; of use only while its size is the staged offset."""

    digest: Digest
    head: bytes


class Unhashed(Digest):
    """Counts bytes whose beginning nobody here has hashed; its sums mean nothing."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def update(self, parts: Sequence[bytes]) -> None:
        self.size += sum(map(len, parts))

    def copy(self) -> Unhashed:
        return Unhashed(self.size)


def rehash(staged: Resumable) -> Hashed | None:
    """From the staged bytes; None where they cannot be read before they are published. Blocks."""
    blocks = staged.reread()
    if blocks is None:
        return None
    digest, head = Digest(), b""
    for block in blocks:
        head += block[: HEAD - len(head)]
        digest.update([block])
    return Hashed(digest, head)


class Piece:
    """A staged upload as the ingest writes to it, with the checksum the client announced of this piece."""

    def __init__(self, staged: Resumable, checksum: Checksum | None) -> None:
        self._staged, self._checksum = staged, checksum
        self._hasher = checksum.hasher() if checksum else None

    def write(self, parts: Sequence[bytes]) -> None:
        if self._hasher is not None:
            for part in parts:
                self._hasher.update(part)
        self._staged.write(parts)

    def holds(self) -> bool:
        """Whether the piece is the announced one."""
        if self._checksum is None or self._hasher is None:
            return True
        return hmac.compare_digest(self._hasher.digest(), self._checksum.value)


class Saving:
    """Keeps in the database how far the staged bytes are, each time from where it was: ``upload`` is as kept last."""

    def __init__(self, database: Database, store: Store, actor: Actor, upload: Upload, life: timedelta) -> None:
        self._database, self._store, self._actor, self._life = database, store, actor, life
        self.upload = upload

    async def save(self, staged: Resumable, head: bytes) -> Upload:
        """Everything staged is durable and acknowledged when this returns. Raises BeingWritten when somebody else moved
        the upload, StoreError, and what the database raises."""
        await in_thread(self._store, staged.save)
        return await self._keep(staged, head)

    async def beside(self, chunks: AsyncIterator[bytes], staged: Resumable) -> AsyncGenerator[bytes, None]:
        """The chunks; and on the way, whenever the store has taken a further part, that it has."""
        kept, since = len(self.upload.progress.parts), 0
        async for chunk in chunks:
            yield chunk
            since += len(chunk)
            if since >= SAVE_EVERY:
                since = 0
                if len(staged.progress.parts) > kept:
                    await self._keep(staged, self.upload.head)
                    kept = len(self.upload.progress.parts)

    async def _keep(self, staged: Resumable, head: bytes) -> Upload:
        progress = staged.progress
        if progress != self.upload.progress:
            expires_at = utcnow() + self._life
            async with self._database.begin_raw(self._actor) as connection:
                if not await queries.keep(connection, self.upload, progress, head[:HEAD], expires_at):
                    raise BeingWritten
            self.upload = replace(self.upload, progress=progress, head=head[:HEAD], expires_at=expires_at)
            await in_thread(self._store, staged.kept)
        return self.upload


async def in_thread(store: Store, work: Callable[..., T], *arguments: object) -> T:
    """On the store's own writing threads; when it is cancelled, however often, only after the thread has stopped."""
    return await to_its_end(asyncio.get_running_loop().run_in_executor(store.writers, lambda: work(*arguments)))


async def opened(store: Store, upload: Upload) -> Resumable:
    """The staged upload, to be closed by the caller. Raises as the store's ``resume``. When it is cancelled while a
    thread opens it, it is closed: left open, it would stay locked for as long as this process lives."""
    made: list[Resumable] = []

    def resume() -> Resumable:
        made.append(store.resume(upload.object_key, upload.size, upload.progress))
        return made[0]

    try:
        return await in_thread(store, resume)
    except asyncio.CancelledError:
        for staged in made:
            await in_thread(store, staged.close)
        raise
