"""Reading stored files again, and looking for what is in the store without a row."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import asyncpg
from sqlalchemy import insert

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.reading import read_object
from casemgmt.evidence.models import File, Fixity
from casemgmt.storage.contract import NotStored, ObjectInfo, Store, StoreError, StoreUnavailable

Outcome = Literal["unchanged", "changed", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class Check:
    """What re-reading one file found. ``found`` is the SHA-256 of the bytes read, None when not all could be."""

    file_id: int
    outcome: Outcome
    found: bytes | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """``discarded``: staged uploads given up. ``orphans``: published objects that no row names; they stay."""

    discarded: int
    objects: int
    orphans: Sequence[ObjectInfo]


# One look at the newest check per file: a few seconds at a million files, so for a background task, not for a page.
_OLDEST_CHECKED = """
    select f.id, f.object_key, f.store_version, f.sha256 from evidence.file f
      left join lateral (select c.at from evidence.fixity c where c.file_id = f.id order by c.id desc limit 1) l on true
     order by l.at nulls first, f.id limit $1
"""
_ADD = "insert into evidence.fixity(file_id, outcome, found_sha256) values ($1, $2, $3)"
# Leftovers that an upload in pieces still counts on stay, however long ago their last byte came.
_UNDER_WAY = "select object_key from evidence.upload where state = 'receiving' and object_key = any ($1)"
_UNKNOWN = """
    select k from unnest($1::text[]) k
     where not exists (select from evidence.file f where f.object_key = k)
       and not exists (select from ledger.archived a where a.object_key = k)
"""


async def recheck(store: Store, connection: asyncpg.Connection[Any], limit: int) -> list[Check]:
    """Read again the ``limit`` files whose last check is the oldest, and record what was found.

    ``connection`` is the sequencer role's. When the store does not answer, the file at hand is recorded as unreadable
    and the run ends: the others would say the same.
    """
    done: list[Check] = []
    for row in await connection.fetch(_OLDEST_CHECKED, limit):
        check, down = await _read(store, row["id"], row["object_key"], row["store_version"], row["sha256"])
        await connection.execute(_ADD, check.file_id, check.outcome, check.found)
        done.append(check)
        if down:
            break
    return done


async def check_now(
    database: Database, store: Store, actor: Actor, files: Sequence[File], *, limit: int
) -> list[Check]:
    """Read these files again for a person who asked, at most ``limit`` bytes together, and record what was found.

    Files beyond the limit are left out. No transaction is open while they are read.
    """
    done: list[Check] = []
    for file in files:
        limit -= file.size
        if limit < 0:
            break
        check, down = await _read(store, file.id, file.object_key, file.store_version, file.sha256)
        done.append(check)
        if down:
            break
    if done:
        rows = [{"file_id": c.file_id, "outcome": c.outcome, "found_sha256": c.found} for c in done]
        async with database.begin(actor) as db:
            await db.execute(insert(Fixity), rows)
    return done


async def sweep(store: Store, connection: asyncpg.Connection[Any], *, older_than: timedelta, page: int = 1000) -> Swept:
    """Free what uploads left behind that ended without an answer, and list objects that no row names.

    Both only when ``older_than``: younger ones may be on their way to their row. Objects are never removed here; a
    crash between store and row explains one, and so might a row that was made away with.
    """
    before = utcnow() - older_than
    threads = asyncio.get_running_loop().run_in_executor
    leftovers = await threads(store.readers, lambda: list(store.leftovers(before)))
    under_way = {row[0] for row in await connection.fetch(_UNDER_WAY, [leftover.key for leftover in leftovers])}
    leftovers = [leftover for leftover in leftovers if leftover.key not in under_way]
    for leftover in leftovers:
        await threads(store.readers, store.discard, leftover)
    orphans: list[ObjectInfo] = []
    count, after = 0, ""
    while found := await threads(store.readers, store.objects, after, page):
        after, count = found[-1].key, count + len(found)
        old = {o.key: o for o in found if o.modified < before}
        unknown = await connection.fetch(_UNKNOWN, list(old))
        orphans += [old[row["k"]] for row in unknown]
    return Swept(len(leftovers), count, orphans)


async def _read(store: Store, file_id: int, key: str, version: str | None, expected: bytes) -> tuple[Check, bool]:
    """The check, and whether the store itself is down."""
    digest = hashlib.sha256()
    try:
        async for _ in read_object(store, key, version=version, hasher=digest):
            pass
    except NotStored:
        return Check(file_id, "missing"), False
    except StoreError as error:
        return Check(file_id, "unreadable"), isinstance(error, StoreUnavailable)
    found = digest.digest()
    return Check(file_id, "unchanged" if found == expected else "changed", found), False
