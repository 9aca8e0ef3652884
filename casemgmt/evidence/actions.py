"""Receiving a file, and recording who read one. The only code that writes evidence."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import msgspec
import structlog
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core import events, sniff
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, NotFound
from casemgmt.core.formstream import BadForm
from casemgmt.core.i18n import N_
from casemgmt.core.ingest import HEAD, Declared, Digest, Ingested, Refused, store_file
from casemgmt.evidence import queries, rules
from casemgmt.evidence.keeping import keep
from casemgmt.evidence.models import File, Reading, Refusal
from casemgmt.evidence.places import Place, ask, ask_again
from casemgmt.evidence.refusals import BY_REASON, FileRefused, NoRoom, NotAPicture, StoreFailed
from casemgmt.evidence.schemas import NewFile
from casemgmt.seizures.queries import seizure as load_seizure
from casemgmt.storage.contract import NoSpace, Store, StoreError

log = structlog.get_logger()


async def receive(
    database: Database,
    store: Store,
    actor: Actor,
    data: NewFile,
    chunks: AsyncIterator[bytes],
    *,
    limit: int,
    retention: timedelta,
) -> File:
    """Take in one file: bytes to the store first, then one transaction with its row and its event.

    The same ``client_id`` again answers with the row of the first time, and reads the bytes only where nothing else
    tells whether they are the same. ``limit`` is in bytes;
    ``retention`` is how long a store that has locks keeps the file from deletion. No transaction is open while bytes
    stream, and a crash between store and row leaves an object without a row, which ``fixity.sweep`` reports, never a
    row without bytes.

    Raises NotFound, Forbidden or Invalid before any byte is read; FileRefused, on record, for what the sender did;
    StoreFailed or NoRoom for what the store did; Conflict for a ``client_id`` that was used for another file.
    ``chunks`` may be left unread.
    """
    rules.check_claims(data)
    place, earlier = await ask(database, actor, data)
    if earlier is not None:
        if data.declared_sha256 is None and data.size is None:
            # a form without scripts says nothing of its files beforehand: look, or another photograph of the same
            # name would be taken for the first one and be lost without a word
            data = msgspec.structs.replace(data, declared_sha256=await _hash(chunks, limit))
        async with database.begin(actor) as db:
            return require_same(await queries.file(db, earlier), data, place)
    digest = Digest()
    declared = Declared(size=data.size, sha256=data.declared_sha256, limit=limit)
    try:
        ingested = await store_file(of_kind(chunks, data.kind), store, str(uuid.uuid4()), declared, digest=digest)
    except (Refused, BadForm, NotAPicture) as error:
        raise await refuse(database, actor, data, error, digest) from error
    except StoreError as error:
        raise store_failed(store, error) from error
    return await accept(database, store, actor, data, ingested, retention)


async def accept(
    database: Database, store: Store, actor: Actor, data: NewFile, ingested: Ingested, retention: timedelta
) -> File:
    """Make a published object evidence: its lock, its row and its event. Everything that was declared of it holds.

    Raises as ``receive`` does; then the object stays without a row.
    """
    try:
        until = await _protect(store, ingested, retention)
    except StoreError as error:
        raise store_failed(store, error) from error
    return await keep(database, actor, data, ingested, until) or await _winner(database, actor, data)


async def refuse(
    database: Database, actor: Actor, data: NewFile, error: Refused | BadForm | NotAPicture, digest: Digest
) -> FileRefused:
    """Record that a file was not taken, and return what to raise. ``digest`` is of the bytes that were looked at."""
    refusal = _refusal(error)
    await _record_refusal(database, actor, data, refusal, digest)
    return refusal


def store_failed(store: Store, error: StoreError) -> StoreFailed | NoRoom:
    """What to raise when the store did not do its part."""
    log.error("evidence.store_failed", store=store.address, exc_info=error)
    return NoRoom() if isinstance(error, NoSpace) else StoreFailed()


async def record_reading(
    db: AsyncSession, actor: Actor, file: File, how: Literal["view", "download"], reason: str = ""
) -> None:
    """Say who is about to see (``view``) or take (``download``) the bytes. A download is in the ledger as well."""
    await db.execute(insert(Reading).values(file_id=file.id, how=how, reason=reason))
    if how == "download":
        seizure = await load_seizure(db, file.seizure_id)
        data = {"file": file.object_key, "sha256": file.sha256.hex(), "reason": reason}
        await events.record(
            db, actor, "evidence:file:downloaded", f"seizure:{seizure.number}", data, seizure_id=seizure.id
        )


def require_same(earlier: File, data: NewFile, place: Place) -> File:
    """The file that was kept under this ``client_id``. Raises Conflict when ``data`` is about another one."""
    sha256, size = earlier.sha256.hex(), earlier.size
    if (
        (earlier.seizure_id, earlier.exhibit_id) != (place.seizure_id, data.exhibit_id)
        or (data.declared_sha256 or sha256).lower() != sha256
        or (size if data.size is None else data.size) != size
    ):
        raise Conflict(N_("Another file was sent under this identifier. Nothing was stored."))
    return earlier


async def _hash(chunks: AsyncIterator[bytes], limit: int) -> str:
    digest = Digest()
    async for chunk in chunks:
        digest.update([chunk])
        if digest.size > limit:
            break  # longer than anything that was kept, so not the same
    return digest.sha256


async def of_kind(
    chunks: AsyncIterator[bytes], kind: str, head: bytes = b"", *, whole: bool = True
) -> AsyncGenerator[bytes, None]:
    """The chunks, stopped before anything is published when the file is not what it must be. ``head``: its first bytes
    from before, up to HEAD; not ``whole``: the end of the chunks is not the file's. Raises NotAPicture."""
    told = kind != "photo" or len(head) >= HEAD
    async for chunk in chunks:
        if not told:
            head += chunk[: HEAD - len(head)]
            if told := len(head) >= HEAD:
                require_picture(head)
        yield chunk
    if whole and head and not told:
        require_picture(head)


def require_picture(head: bytes) -> None:
    """Raises NotAPicture unless a file that begins so is a picture or a film."""
    if not rules.is_picture(sniff.sniff(head).name):
        raise NotAPicture


def _refusal(error: Refused | BadForm | NotAPicture) -> FileRefused:
    if isinstance(error, NotAPicture):
        return error
    reason = error.fault if isinstance(error, BadForm) else error.reason
    return BY_REASON.get(reason, BY_REASON["cut"])()


async def _record_refusal(
    database: Database, actor: Actor, data: NewFile, refusal: FileRefused, digest: Digest
) -> None:
    declared = bytes.fromhex(data.declared_sha256) if data.declared_sha256 else None
    actual = bytes.fromhex(digest.sha256) if digest.size else None
    name = rules.display_name(data.name)
    async with database.begin(actor) as db:
        place = await ask_again(db, actor, data)
        row = insert(Refusal).values(
            seizure_id=place.seizure_id, exhibit_id=data.exhibit_id, original_name=name, reason=refusal.reason,
            size=digest.size, declared_sha256=declared, actual_sha256=actual,
        )  # fmt: skip
        await db.execute(row)
        await events.record(
            db, actor, "evidence:file:refused", f"seizure:{place.seizure}",
            {
                "seizure": place.seizure, "exhibit": place.exhibit, "name": name, "reason": refusal.reason,
                "size": digest.size, "declared_sha256": declared.hex() if declared else None,
                "actual_sha256": actual.hex() if actual else None,
            },
            seizure_id=place.seizure_id,
        )  # fmt: skip


async def _protect(store: Store, ingested: Ingested, retention: timedelta) -> datetime | None:
    """Ask for the lock before anything is acknowledged. None where the store has none."""
    loop = asyncio.get_running_loop()
    if not (await loop.run_in_executor(store.readers, lambda: store.capabilities)).retention:
        return None
    until = utcnow().replace(microsecond=0) + retention
    stored = ingested.stored
    await loop.run_in_executor(store.readers, partial(store.protect, stored.key, stored.version, until))
    return until


async def _winner(database: Database, actor: Actor, data: NewFile) -> File:
    """The same file arrived twice at once and the other was first. Our object has no row: the sweeper reports it."""
    async with database.begin(actor) as db:
        place = await ask_again(db, actor, data)
        winner = await queries.file_sent_as(db, actor.id, data.client_id)
    if winner is None:
        raise NotFound
    return require_same(winner, data, place)
