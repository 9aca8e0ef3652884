"""The end of an upload, good or bad: compare, publish, record; or refuse on record and free what is staged."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import structlog

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, DomainError
from casemgmt.core.ingest import HEAD, Declared, Digest, Ingested, Refused
from casemgmt.core.reading import read_object
from casemgmt.evidence import actions as evidence
from casemgmt.evidence.queries import file_sent_as
from casemgmt.evidence.refusals import NotAPicture
from casemgmt.storage.contract import AlreadyStored, Busy, Resumable, StagingLost, Store, StoreError
from casemgmt.storage.contract import Stored as Published
from casemgmt.uploads import queries
from casemgmt.uploads.refusals import BeingWritten, Lost
from casemgmt.uploads.schemas import State, Upload
from casemgmt.uploads.writing import Hashed, Saving, Unhashed, in_thread, opened, rehash

log = structlog.get_logger()

REMEMBERED = 512  # hash states of uploads under way, kept in this process


class Finishing:
    """Also knows the hash states of this process. Every method is called by whoever holds the upload's lock."""

    def __init__(self, database: Database, store: Store, *, retention: timedelta, life: timedelta) -> None:
        self._database, self._store = database, store
        self._retention, self._life = retention, life
        self._states: OrderedDict[str, Hashed] = OrderedDict()

    async def open(self, actor: Actor, upload: Upload) -> Resumable | None:
        """The staged upload; None when it is published already. Raises BeingWritten, Lost, StoreFailed or NoRoom."""
        try:
            return await opened(self._store, upload)
        except AlreadyStored:
            return None
        except Busy:
            raise BeingWritten from None
        except StoreError as error:
            raise await self.failed(actor, upload, error) from error

    async def hashed(self, upload: Upload, staged: Resumable) -> Hashed:
        """The state of the hash at the staged offset: kept from before, or made again from the staged bytes; or lost,
        where the store gives them only when they are published."""
        known = self._states.pop(upload.object_key, None)
        if known is None or known.digest.size != staged.offset:
            try:
                known = await in_thread(self._store, rehash, staged) or Hashed(Unhashed(staged.offset), upload.head)
            except StoreError as error:
                raise evidence.store_failed(self._store, error) from error
        self._states[upload.object_key] = known
        while len(self._states) > REMEMBERED:
            self._states.popitem(last=False)
        return known

    def forget(self, upload: Upload) -> None:
        self._states.pop(upload.object_key, None)

    async def finish(self, actor: Actor, upload: Upload, staged: Resumable, hashed: Hashed) -> Upload:
        """All bytes are here. Raises FileRefused, on record, for a whole that is not the announced one, and as
        ``receive`` does; what is staged then stays, unless it was refused."""
        digest = hashed.digest
        known = not isinstance(digest, Unhashed)
        if known:
            await self._compare(actor, upload, digest, hashed.head, staged)
        try:
            published = await in_thread(
                self._store, staged.commit, digest.sha256 if known else "", digest.crc32 if known else None, upload.size
            )
        except AlreadyStored:
            return await self.published(actor, upload)
        except StoreError as error:
            if not isinstance(error, StagingLost):
                await self._keep(actor, upload, staged, hashed)
            raise await self.failed(actor, upload, error) from error
        if not known:
            return await self.published(actor, upload, published)
        return await self._accept(actor, upload, Ingested(published, hashed.head))

    async def published(self, actor: Actor, upload: Upload, found: Published | None = None) -> Upload:
        """The object is there and no file names it. Its bytes are read once more: nobody knows their hash for certain.
        Raises as ``finish`` does."""
        threads = asyncio.get_running_loop().run_in_executor
        try:
            version = (
                found.version
                if found is not None
                else (await threads(self._store.readers, self._store.stat, upload.object_key)).version
            )
            digest, head = Digest(), b""
            async with aclosing(read_object(self._store, upload.object_key, version=version)) as blocks:
                async for block in blocks:
                    head += block[: HEAD - len(head)]
                    await threads(self._store.readers, digest.update, [block])
        except StoreError as error:
            raise evidence.store_failed(self._store, error) from error
        await self._compare(actor, upload, digest, head, None)
        stored = Published(upload.object_key, digest.size, digest.sha256, digest.crc32, version)
        return await self._accept(actor, upload, Ingested(stored, head))

    async def failed(self, actor: Actor, upload: Upload, error: StoreError) -> DomainError:
        """What to raise when the store did not do its part. An upload whose bytes it let go of ends here: its client
        would ask for ever for what is nowhere but with the client."""
        if not isinstance(error, StagingLost):
            return evidence.store_failed(self._store, error)
        async with self._database.begin_raw(actor) as connection:
            now = await queries.find(connection, upload.file.client_id)
        if now is None or (now.object_key, now.progress) != (upload.object_key, upload.progress):
            return BeingWritten()  # by somebody who was quicker: what is gone was superseded
        log.error("uploads.lost", upload=upload.id, received=upload.progress.received, error=str(error))
        await self.end(actor, upload, "expired", "lost")
        return Lost()

    async def refused(
        self, actor: Actor, upload: Upload, error: Refused | NotAPicture, digest: Digest, staged: Resumable | None
    ) -> DomainError:
        """Record it, free what is staged, and return what to raise."""
        refusal = await evidence.refuse(self._database, actor, upload.file, error, digest)
        last = upload if staged is None else replace(upload, progress=staged.progress)
        await self.end(actor, last, "refused", refusal.reason)
        return refusal

    async def end(self, actor: Actor, upload: Upload, state: State, reason: str | None = None) -> None:
        """First the row: when this process dies in between, the sweeper finds staged bytes that no upload knows."""
        self.forget(upload)
        async with self._database.begin_raw(actor) as connection:
            await queries.end(connection, upload, state, reason)
        try:
            await in_thread(self._store, self._store.give_up, upload.object_key, upload.progress)
        except StoreError as error:
            log.warning("uploads.not_freed", upload=upload.id, error=str(error))

    async def _compare(
        self, actor: Actor, upload: Upload, digest: Digest, head: bytes, staged: Resumable | None
    ) -> None:
        try:
            Declared(size=upload.size, sha256=upload.file.declared_sha256).refuse_whole(digest)
            if upload.file.kind == "photo":
                evidence.require_picture(head)
        except (Refused, NotAPicture) as error:
            raise await self.refused(actor, upload, error, digest, staged) from error

    async def _accept(self, actor: Actor, upload: Upload, ingested: Ingested) -> Upload:
        self.forget(upload)
        try:
            file = await evidence.accept(self._database, self._store, actor, upload.file, ingested, self._retention)
        except Conflict:
            if await self._is_taken(actor, upload):  # by another file, which came by another way meanwhile; it stands
                await self.end(actor, upload, "refused", "identifier")
            raise
        async with self._database.begin_raw(actor) as connection:
            await queries.end_stored(connection, upload)
        return replace(upload, state="stored", file_id=file.id)

    async def _is_taken(self, actor: Actor, upload: Upload) -> bool:
        async with self._database.begin(actor) as db:
            return await file_sent_as(db, actor.id, upload.file.client_id) is not None

    async def _keep(self, actor: Actor, upload: Upload, staged: Resumable, hashed: Hashed) -> None:
        """The store could not publish: what is here stays, as far as even that can be kept."""
        try:
            await Saving(self._database, self._store, actor, upload, self._life).save(staged, hashed.head)
        except (StoreError, DomainError) as error:
            log.warning("uploads.not_saved", upload=upload.id, error=str(error))
