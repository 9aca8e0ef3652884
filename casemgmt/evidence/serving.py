"""Handing out the bytes of a file: never as something a browser would run, never changed without a word."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog
from litestar import Response
from litestar.response import Stream
from sqlalchemy import insert

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.reading import read_object
from casemgmt.core.web.ranges import NotSatisfiable, Span, requested_span
from casemgmt.evidence import rules
from casemgmt.evidence.models import File, Fixity
from casemgmt.evidence.refusals import BytesChanged, BytesGone, StoreFailed
from casemgmt.storage.contract import NotStored, Store, StoreError

log = structlog.get_logger()

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


class Changed(Exception):
    """The stored bytes are not those that were received: an answer under way is cut off before its last block."""


def etag(file: File) -> str:
    """A strong tag that is also the file's SHA-256."""
    return f'"{file.sha256.hex()}"'


def answer_headers(file: File) -> dict[str, str]:
    name = rules.download_name(file.original_name, file.media_type)
    return {
        "Content-Disposition": rules.content_disposition(name),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": etag(file),
    }


async def send(
    database: Database, store: Store, actor: Actor, file: File, *, range_: str | None, if_range: str | None
) -> Response[None] | Stream:
    """The file, or the asked part of it, as an answer.

    A whole file is hashed while it goes out and its last block is kept back until the hash holds; if it does not, the
    connection is cut short and a failed check is recorded. A part cannot be checked so: the regular re-reading covers
    it. Raises BytesGone or BytesChanged (both on record) or StoreFailed before the first byte.
    """
    headers = answer_headers(file)
    try:
        span, partial = requested_span(file.size, etag(file), range_, if_range)
    except NotSatisfiable:
        return Response(None, status_code=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    if partial:
        headers["Content-Range"] = span.content_range
    blocks = _verified(database, store, actor, file) if span.is_whole else _part(store, file, span)
    try:
        first = await anext(blocks)
    except (NotStored, StopAsyncIteration) as error:
        await record_check(database, actor, file.id, "missing", None)
        raise BytesGone from error
    except Changed as error:
        raise BytesChanged from error
    except StoreError as error:
        log.exception("evidence.store_failed", store=store.address)
        raise StoreFailed from error
    headers["Content-Length"] = str(span.length)
    return Stream(
        _after(first, blocks), status_code=206 if partial else 200, media_type=file.media_type, headers=headers
    )


async def record_check(database: Database, actor: Actor, file_id: int, outcome: str, found: bytes | None) -> None:
    """One more row of fixity, in its own transaction."""
    async with database.begin(actor) as db:
        await db.execute(insert(Fixity).values(file_id=file_id, outcome=outcome, found_sha256=found))


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in rest:
        yield block


async def _part(store: Store, file: File, span: Span) -> AsyncIterator[bytes]:
    async with aclosing(
        read_object(store, file.object_key, span.start, span.end, version=file.store_version)
    ) as blocks:
        async for block in blocks:
            yield block


async def _verified(database: Database, store: Store, actor: Actor, file: File) -> AsyncIterator[bytes]:
    digest, held = hashlib.sha256(), b""
    async with aclosing(read_object(store, file.object_key, version=file.store_version, hasher=digest)) as blocks:
        async for block in blocks:
            if held:
                yield held
            held = block
    if digest.digest() != file.sha256:
        await record_check(database, actor, file.id, "changed", digest.digest())
        raise Changed(file.object_key)
    if held:
        yield held
