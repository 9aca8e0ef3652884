"""Beginning, going on with, ending and giving up an upload in pieces. The only code that changes one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.ending import to_its_end
from casemgmt.core.errors import Conflict, NotFound, TooLarge
from casemgmt.core.i18n import N_
from casemgmt.core.ingest import HEAD, Declared, Refused, extend
from casemgmt.evidence import actions as evidence
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence import rules as evidence_rules
from casemgmt.evidence.places import ask
from casemgmt.evidence.refusals import EmptyFile, NotAPicture
from casemgmt.storage.contract import Resumable, Store, StoreError
from casemgmt.uploads import queries, rules
from casemgmt.uploads.finishing import Finishing
from casemgmt.uploads.locks import PATIENCE, Locks, key_of
from casemgmt.uploads.refusals import ChecksumDiffers, Cut, Elsewhere, Lost, Over, Slow, Stored, TooManyUnderWay
from casemgmt.uploads.rules import Checksum
from casemgmt.uploads.schemas import NewUpload, Upload
from casemgmt.uploads.writing import Hashed, Piece, Saving, in_thread

_BEGINNING = 0x747562  # "tub": the first half of the lock under which one person begins one upload at a time


class Uploads:
    """What an instance needs for uploads in pieces. ``limit`` and ``life``: the largest file in bytes, and how long an
    upload is kept that gets no bytes."""

    def __init__(
        self, database: Database, store: Store, locks: Locks, *, limit: int, retention: timedelta, life: timedelta
    ) -> None:
        self.database, self.store, self.locks = database, store, locks
        self.limit, self.life = limit, life
        self._finishing = Finishing(database, store, retention=retention, life=life)

    async def begin(self, actor: Actor, new: NewUpload) -> Upload:
        """The upload, begun now or before. Beginning again is harmless; one that is over begins anew.

        Raises Conflict for an identifier that was used for something else, TooLarge, TooManyUnderWay, EmptyFile, and as
        ``receive`` does for a record the actor does not see or may not add to.
        """
        file, size = new.file, new.file.size or 0
        evidence_rules.check_claims(file)
        place, earlier = await ask(self.database, actor, file)
        if size == 0:
            raise EmptyFile
        if size > self.limit:
            raise TooLarge
        file = msgspec.structs.replace(file, seizure_id=place.seizure_id)
        if earlier is not None:  # also by another way than this
            async with self.database.begin(actor) as db:
                evidence.require_same(await evidence_queries.file(db, earlier), file, place)
        upload = NewUpload(file=file, metadata=new.metadata)
        if await self._begun(actor, upload):
            try:
                return await self.where(actor, file.client_id)
            except Lost:
                await self._begun(actor, upload)
        return await self.state(actor, file.client_id)

    async def _begun(self, actor: Actor, new: NewUpload) -> bool:
        """Whether it goes on, rather than begins."""
        file, expires_at = new.file, utcnow() + self.life
        async with self.database.begin_raw(actor) as connection:
            # Of two equal beginnings at once the second finds the first, and the limits hold. A beginning may be lost
            # with the server's power: its client is told "not found" and begins again.
            await connection.execute(
                "select pg_advisory_xact_lock($1, ($2::bigint % 2147483647)::int),"
                " set_config('synchronous_commit', 'off', true)",
                _BEGINNING, actor.id,
            )  # fmt: skip
            found = await queries.find(connection, file.client_id)
            if found is not None and not _same(found, new):
                raise Conflict(N_("Another file was announced under this identifier. Nothing was changed."))
            if found is not None and _is_living(found):
                return True
            await self._check_room(connection, file.size or 0)
            if found is None:
                await queries.begin(connection, new, str(uuid.uuid4()), expires_at)
            else:
                await queries.begin_anew(connection, found, new, str(uuid.uuid4()), expires_at)
            return False

    async def _check_room(self, connection: Any, size: int) -> None:
        count, announced = await queries.under_way(connection)
        if count >= rules.MOST_UNDER_WAY or announced + size > rules.LARGEST_UNDER_WAY * self.limit:
            raise TooManyUnderWay

    async def state(self, actor: Actor, client_id: UUID) -> Upload:
        """As it was acknowledged last, in whatever state. Raises NotFound."""
        async with self.database.begin_raw(actor) as connection:
            found = await queries.find(connection, client_id)
        if found is None:
            raise NotFound
        return found

    async def where(self, actor: Actor, client_id: UUID) -> Upload:
        """The upload with every byte that is here. A request of this process that still writes it is ended first.

        All bytes are here only of a file that is stored: one whose last process died before that is finished now.
        Raises NotFound, Over, Lost, BeingWritten, and what finishing raises.
        """
        key = key_of(actor.id, client_id)
        await self.locks.supersede(key)
        async with self.locks.hold(key, patience=PATIENCE):
            upload = await self._living(actor, client_id)
            if upload.state == "stored":
                return upload
            staged = await self._finishing.open(actor, upload)
            if staged is None:
                return await self._finishing.published(actor, upload)
            try:
                if staged.offset == upload.size:
                    hashed = await self._finishing.hashed(upload, staged)
                    return await self._finishing.finish(actor, upload, staged, hashed)
                # more may be staged than was acknowledged, by a process that died: now it is
                return await self._saved(actor, self._saving(actor, upload), staged, upload.head)
            finally:
                await in_thread(self.store, staged.close)

    async def append(
        self, actor: Actor, client_id: UUID, claimed: int, announced: int | None, chunks: AsyncIterator[bytes],
        checksum: Checksum | None,
    ) -> Upload:  # fmt: skip
        """Take the bytes that follow ``claimed``; after the last one the file is stored and in the ledger.

        Whatever happens to the connection, every byte that arrived is kept, unless it is a piece with a checksum that
        differs or could not be compared, or one that is too long: then nothing of it is. ``announced``: the piece's
        length, where it was said.

        Raises NotFound, Over, Lost, Elsewhere, BeingWritten, TooLarge, ChecksumDiffers; Cut and Slow for the network;
        FileRefused, on record, for a whole that is not the announced one; and as ``receive`` does for the store.
        """
        key = key_of(actor.id, client_id)
        async with self.locks.hold(key):
            upload = await self._living(actor, client_id)
            if upload.state == "stored":
                return _nothing_more(upload, claimed, announced)
            work = lambda: self._append(actor, upload, claimed, announced or 0, chunks, checksum)  # noqa: E731
            return await self.locks.run(key, work)

    async def give_up(self, actor: Actor, client_id: UUID) -> None:
        """Forget what is here of it. Raises NotFound, Over, Stored, BeingWritten."""
        key = key_of(actor.id, client_id)
        await self.locks.supersede(key)
        async with self.locks.hold(key, patience=PATIENCE):
            upload = await self._living(actor, client_id)
            if upload.state == "stored":
                raise Stored
            await self._finishing.end(actor, upload, "removed")

    # ---- while the lock is held

    async def _living(self, actor: Actor, client_id: UUID) -> Upload:
        upload = await self.state(actor, client_id)
        if not _is_living(upload):
            raise Over
        return upload

    async def _append(
        self, actor: Actor, upload: Upload, claimed: int, announced: int, chunks: AsyncIterator[bytes],
        checksum: Checksum | None,
    ) -> Upload:  # fmt: skip
        staged = await self._finishing.open(actor, upload)
        if staged is None:
            await self._finishing.published(actor, upload)
            raise Elsewhere(upload.size)
        try:
            if staged.offset != claimed:
                raise Elsewhere(staged.offset)
            if claimed + announced > upload.size:
                raise TooLarge
            hashed = await self._finishing.hashed(upload, staged)
            saving = self._saving(actor, upload)
            await self._receive(actor, saving, staged, hashed, chunks, checksum)
            if staged.offset == upload.size:
                return await self._finishing.finish(actor, saving.upload, staged, hashed)
            return await self._saved(actor, saving, staged, hashed.head)
        finally:
            await in_thread(self.store, staged.close)

    async def _receive(
        self, actor: Actor, saving: Saving, staged: Resumable, hashed: Hashed, chunks: AsyncIterator[bytes],
        checksum: Checksum | None,
    ) -> None:  # fmt: skip
        upload, before, head = saving.upload, hashed.digest.copy(), hashed.head
        # first bytes that a process took with it were looked at by that process
        kind = upload.file.kind if len(head) == min(HEAD, staged.offset) else "file"
        flow = evidence.of_kind(chunks, kind, head, whole=False)
        if checksum is None:
            flow = saving.beside(flow, staged)
        piece, declared, first = Piece(staged, checksum), Declared(limit=upload.size), bytearray(head)
        try:
            async with aclosing(flow):
                await extend(flow, piece, self.store.writers, declared, digest=hashed.digest, head=first)
        except NotAPicture as error:
            raise await self._finishing.refused(actor, saving.upload, error, hashed.digest, staged) from error
        except StoreError as error:
            self._finishing.forget(upload)  # what was hashed and what was written may differ by what failed
            raise await self._finishing.failed(actor, saving.upload, error) from error
        except BaseException as error:
            too_long = isinstance(error, Refused) and error.reason == "too-long"
            if too_long or checksum is not None:  # half a piece cannot be compared with what was announced of it
                await to_its_end(self._back(staged, hashed, before, head))
            else:
                hashed.head = bytes(first)  # those of a request that was cut as well
            await to_its_end(self._saved(actor, saving, staged, hashed.head))
            if isinstance(error, Refused):
                raise {"too-long": TooLarge, "slow": Slow}.get(error.reason, Cut)() from error
            raise
        hashed.head = bytes(first)
        if not piece.holds():
            await self._back(staged, hashed, before, head)
            raise ChecksumDiffers

    async def _back(self, staged: Resumable, hashed: Hashed, digest: Any, head: bytes) -> None:
        await in_thread(self.store, staged.rewind)
        hashed.digest, hashed.head = digest, head

    def _saving(self, actor: Actor, upload: Upload) -> Saving:
        return Saving(self.database, self.store, actor, upload, self.life)

    async def _saved(self, actor: Actor, saving: Saving, staged: Resumable, head: bytes) -> Upload:
        try:
            return await saving.save(staged, head)
        except StoreError as error:
            raise await self._finishing.failed(actor, saving.upload, error) from error


def _is_living(upload: Upload) -> bool:
    return upload.state == "stored" or (upload.state == "receiving" and upload.expires_at > utcnow())


def _nothing_more(upload: Upload, claimed: int, announced: int | None) -> Upload:
    """A stored file takes no byte; an empty piece at its end, which clients send after a lost answer, is fine."""
    if claimed != upload.size or announced:
        raise Elsewhere(upload.size)
    return upload


def _same(found: Upload, new: NewUpload) -> bool:
    was, now = found.file, new.file
    return (was.seizure_id, was.exhibit_id, was.size, (was.declared_sha256 or "").lower(), was.kind) == (
        now.seizure_id, now.exhibit_id, now.size, (now.declared_sha256 or "").lower(), now.kind,
    )  # fmt: skip
