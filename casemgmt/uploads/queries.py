"""Reading and keeping how far an upload is. Rows of the actor alone: anybody else's upload is not found."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from casemgmt.storage.contract import Progress
from casemgmt.uploads.schemas import NewUpload, Upload, from_row, staging_of

# Another file under the same identifier, sent by another way, is not the one that was announced.
_UPLOAD = """
    select u.*, f.id as file_id from evidence.upload u
      left join evidence.file f on f.received_by = u.person_id and f.client_id = u.client_id
        and f.seizure_id = u.seizure_id and f.exhibit_id is not distinct from u.exhibit_id
        and f.size = u.size and f.sha256 = coalesce(u.declared_sha256, f.sha256)
     where u.client_id = $1 and u.person_id = access.reader()
"""
_PARTS = "select etag, crc32 from evidence.upload_part where upload_id = $1 order by no"
_BEGIN = """
    insert into evidence.upload(client_id, seizure_id, exhibit_id, kind, name, declared_type, size, declared_sha256,
      device_at, latitude, longitude, accuracy_m, metadata, object_key, expires_at, shows)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
_ANEW = """
    update evidence.upload set object_key = $2, expires_at = $3, metadata = $4, state = 'receiving', reason = null,
      shows = $5, received = 0, head = '', staging = '{}', seen_at = now() where id = $1
"""
_KEEP = """
    update evidence.upload set received = $4, head = $5, staging = $6, expires_at = $7, seen_at = now()
     where id = $1 and object_key = $2 and received = $3 and state = 'receiving' returning id
"""
_END = "update evidence.upload set state = $3, reason = $4, seen_at = now() where id = $1 and object_key = $2"
# That it is stored is told by its file: this may be lost with the server's power.
_STORED = """
    with quick as materialized (select set_config('synchronous_commit', 'off', true)),
    gone as (delete from evidence.upload_part where upload_id = $1)
    update evidence.upload set state = 'stored', seen_at = now() from quick where id = $1 and object_key = $2
"""
_UNDER_WAY = """
    select count(*), coalesce(sum(size), 0)::bigint from evidence.upload
     where person_id = access.reader() and state = 'receiving'
"""


async def find(connection: Any, client_id: UUID) -> Upload | None:
    row = await connection.fetchrow(_UPLOAD, client_id)
    if row is None:
        return None
    parts = await connection.fetch(_PARTS, row["id"])
    return from_row(row, parts)


async def under_way(connection: Any) -> tuple[int, int]:
    """How many uploads of the actor's, and how many bytes they announced together."""
    row = await connection.fetchrow(_UNDER_WAY)
    return row[0], row[1]


async def begin(connection: Any, new: NewUpload, object_key: str, expires_at: datetime) -> None:
    file = new.file
    await connection.execute(
        _BEGIN, file.client_id, file.seizure_id, file.exhibit_id, file.kind, file.name, file.declared_type, file.size,
        bytes.fromhex(file.declared_sha256) if file.declared_sha256 else None, file.device_at, file.latitude,
        file.longitude, file.accuracy_m, new.metadata, object_key, expires_at, file.shows,
    )  # fmt: skip


async def begin_anew(connection: Any, upload: Upload, new: NewUpload, object_key: str, expires_at: datetime) -> None:
    await connection.execute("delete from evidence.upload_part where upload_id = $1", upload.id)
    await connection.execute(_ANEW, upload.id, object_key, expires_at, new.metadata, new.file.shows)


async def keep(connection: Any, upload: Upload, progress: Progress, head: bytes, expires_at: datetime) -> bool:
    """False, and nothing kept, when somebody moved it since ``upload`` was read."""
    kept = await connection.fetchval(
        _KEEP, upload.id, upload.object_key, upload.progress.received, progress.received, head, staging_of(progress),
        expires_at,
    )  # fmt: skip
    if kept is None:
        return False
    same = 0
    for before, now in zip(upload.progress.parts, progress.parts, strict=False):
        if before != now:
            break
        same += 1
    if same < len(upload.progress.parts):
        await connection.execute("delete from evidence.upload_part where upload_id = $1 and no > $2", upload.id, same)
    new = [(upload.id, same + n, part.etag, part.crc32) for n, part in enumerate(progress.parts[same:], 1)]
    if new:
        await connection.executemany("insert into evidence.upload_part values ($1, $2, $3, $4)", new)
    return True


async def end(connection: Any, upload: Upload, state: str, reason: str | None = None) -> None:
    await connection.execute(_END, upload.id, upload.object_key, state, reason)
    await connection.execute("delete from evidence.upload_part where upload_id = $1", upload.id)


async def end_stored(connection: Any, upload: Upload) -> None:
    await connection.execute(_STORED, upload.id, upload.object_key)
