"""Sending the archive: its exact length is known, any range of it can be asked for, and every file is hashed again.

Nothing is assembled beforehand. What is not evidence lies ready in the rows; evidence is read from the store while it
is sent, and the last block of each file is kept back until its SHA-256 holds. A part of a file cannot be checked so:
for a resumed download the recipient's own check of the whole archive is what counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

import structlog
from litestar import Response
from litestar.response import Stream
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.reading import read_object
from casemgmt.core.web.ranges import NotSatisfiable, Span, requested_span
from casemgmt.evidence.models import File
from casemgmt.evidence.serving import Changed, record_check
from casemgmt.packages import queries
from casemgmt.packages.errors import NotComplete
from casemgmt.packages.models import Package, Part
from casemgmt.storage.contract import NotStored, Store
from casemgmt.trust.zip import Entry, Extent, Layout

SMALL = 64 << 10
"""Bytes of the largest document that is read with the list of parts; larger ones are read while they are sent."""

BLOCK = 256 << 10

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Archive:
    """Where everything lies in a package's archive. ``files`` maps storage keys to file id and stored version;
    ``documents`` are larger documents of the package by name, to be read in pieces."""

    package_id: int
    number: str
    layout: Layout
    files: Mapping[str, tuple[int, str | None]]
    documents: Mapping[str, int]

    @property
    def name(self) -> str:
        return f"{self.number}.zip"


async def archive(db: AsyncSession, package: Package) -> Archive:
    """Raises NotComplete while the seal's own proof is missing."""
    if not await queries.is_complete(db, package):
        raise NotComplete
    small = case((Part.size <= SMALL, Part.data))
    query = (
        select(Part.ord, Part.path, Part.size, Part.crc32, Part.sha256, small.label("data"), File.object_key, File.id,
               File.store_version)
        .outerjoin(File, File.id == Part.file_id)
        .where(Part.package_id == package.id)
        .order_by(Part.ord)
    )  # fmt: skip
    entries: list[Entry] = []
    files: dict[str, tuple[int, str | None]] = {}
    documents: dict[str, int] = {}
    for row in await db.execute(query):
        source: bytes | str
        if row.object_key is not None:
            source = str(row.object_key)
            files[source] = row.id, row.store_version
        elif row.data is None:
            source = f"document {row.ord}"
            documents[source] = row.ord
        else:
            source = row.data
        entries.append(Entry(row.path, row.size, row.crc32, row.sha256.hex(), source))
    return Archive(package.id, package.number, Layout(entries), files, documents)


async def archive_size(db: AsyncSession, package: Package) -> int:
    """Length of the archive in bytes, from the list of its files alone."""
    query = (
        select(Part.path, Part.size, Part.crc32, Part.sha256).where(Part.package_id == package.id).order_by(Part.ord)
    )
    rows = await db.execute(query)
    return Layout(Entry(path, size, crc32, sha256.hex(), path) for path, size, crc32, sha256 in rows).size


def send(
    database: Database,
    store: Store,
    actor: Actor,
    found: Archive,
    range_: str | None,
    if_range: str | None,
    *,
    head: bool,
) -> Response[bytes] | Stream:
    """The archive, or the asked part of it; only the headers for ``head``."""
    layout = found.layout
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Accept-Ranges": "bytes",
        "ETag": layout.etag,
    }
    try:
        span, partial = requested_span(layout.size, layout.etag, range_, if_range)
    except NotSatisfiable:
        return Response(b"", status_code=416, headers={**headers, "Content-Range": f"bytes */{layout.size}"})
    headers["Content-Length"] = str(span.length)
    if partial:
        headers["Content-Range"] = span.content_range
    status = 206 if partial else 200
    if head:
        return Response(b"", status_code=status, media_type="application/zip", headers=headers)
    blocks = _blocks(database, store, actor, found, span)
    return Stream(blocks, status_code=status, media_type="application/zip", headers=headers)


async def _blocks(database: Database, store: Store, actor: Actor, found: Archive, span: Span) -> AsyncIterator[bytes]:
    for piece in found.layout.pieces(span.start, span.end):
        if isinstance(piece, bytes):
            yield piece
            continue
        read = _document if piece.entry.source in found.documents else _file
        async with aclosing(read(database, store, actor, found, piece)) as blocks:
            async for block in blocks:
                yield block


async def _document(
    database: Database, store: Store, actor: Actor, found: Archive, piece: Extent
) -> AsyncGenerator[bytes, None]:
    """A large document's bytes from its row, a block at a time; nothing of it is kept in memory for the others."""
    place = found.documents[str(piece.entry.source)]
    for start in range(piece.start, piece.stop, BLOCK):
        length = min(BLOCK, piece.stop - start)
        query = select(func.substring(Part.data, start + 1, length)).where(
            Part.package_id == found.package_id, Part.ord == place
        )
        async with database.begin(actor) as db:
            block = bytes((await db.execute(query)).scalar_one())
        yield block


async def _file(
    database: Database, store: Store, actor: Actor, found: Archive, piece: Extent
) -> AsyncGenerator[bytes, None]:
    """A file's bytes. Raises, and so cuts the connection short, when they are not those that were sealed."""
    entry, key = piece.entry, str(piece.entry.source)
    file_id, version = found.files[key]
    whole = (piece.start, piece.stop) == (0, entry.size)
    digest, held = hashlib.sha256(), b""
    try:
        reading = read_object(store, key, piece.start, piece.stop, version=version, hasher=digest)
        async with aclosing(reading) as blocks:
            async for block in blocks:
                if held:
                    yield held
                held = block
    except NotStored:
        await record_check(database, actor, file_id, "missing", None)
        log.exception("packages.file_missing", package=found.number, file=file_id)
        raise
    if whole and digest.hexdigest() != entry.sha256:
        await record_check(database, actor, file_id, "changed", digest.digest())
        log.error("packages.file_changed", package=found.number, file=file_id)
        raise Changed(key)
    if held:
        yield held
