"""Uploads that nobody goes on with: given up after their time, and forgotten some time after that. The worker's.

An upload is looked at only under its lock: one that a slow phone is still sending is not taken away under its hands,
however long the request takes.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from casemgmt.storage.contract import Part, Progress, Store, StoreError
from casemgmt.uploads.locks import UPLOADS, key_of

log = structlog.get_logger()

AT_ONCE = 200
REMEMBERED = timedelta(days=30)
"""How long an upload that is over answers with its end, rather than with "not found"."""

_EXPIRED = """
    select u.id, u.person_id, u.client_id, u.object_key, u.received, u.staging from evidence.upload u
     where u.state = 'receiving' and u.expires_at <= now() order by u.expires_at limit $1
"""
# Only if it still is: its person may have gone on with it since the row was read.
_EXPIRE = """
    update evidence.upload set state = 'expired', seen_at = now()
     where id = $1 and state = 'receiving' and expires_at <= now() returning id
"""
_PARTS = "select etag, crc32 from evidence.upload_part where upload_id = $1 order by no"
_FORGET = """
    delete from evidence.upload where id in (
      select u.id from evidence.upload u where u.state <> 'receiving' and u.seen_at < now() - $1::interval limit $2)
"""


async def sweep_uploads(store: Store, connection: asyncpg.Connection[Any]) -> int:
    """Give up what has expired, and return how many. ``connection`` is the sequencer role's. What the store does not
    free now, its own sweep finds: no upload under way names it any more."""
    ended = 0
    for row in await connection.fetch(_EXPIRED, AT_ONCE):
        key = key_of(row["person_id"], UUID(str(row["client_id"])))
        if not await connection.fetchval("select pg_try_advisory_lock($1, $2)", UPLOADS, key):
            continue
        try:
            ended += await _expire(store, connection, row)
        finally:
            await connection.execute("select pg_advisory_unlock($1, $2)", UPLOADS, key)
    await connection.execute(_FORGET, REMEMBERED, AT_ONCE)
    return ended


async def _expire(store: Store, connection: asyncpg.Connection[Any], row: asyncpg.Record) -> int:
    parts = [Part(part["etag"], part["crc32"]) for part in await connection.fetch(_PARTS, row["id"])]
    if await connection.fetchval(_EXPIRE, row["id"]) is None:
        return 0
    staging = msgspec.json.decode(row["staging"], type=dict[str, Any])
    progress = Progress(received=row["received"], parts=tuple(parts), **staging)
    try:
        await asyncio.get_running_loop().run_in_executor(store.writers, store.give_up, row["object_key"], progress)
    except StoreError as error:
        log.warning("uploads.not_freed", upload=row["id"], error=str(error))
    await connection.execute("delete from evidence.upload_part where upload_id = $1", row["id"])
    return 1
