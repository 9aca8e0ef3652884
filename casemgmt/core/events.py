"""Events: the exact bytes of what happened, written in the transaction of the change they record.

A body is RFC 8785 JSON; the same bytes are the ledger's leaf, the package's ``.event`` file and what
a person signs. Format: docs/spec/event.md.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import recorded

VERSION = 1


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream of events stands: the last number and the hash of the last body. (0, None) = no event yet."""

    seq: int
    hash: bytes | None


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 leaf hash of an event body: what ``prev`` of the next event holds."""
    return hashlib.sha256(b"\x00" + body).digest()


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, the only form of time in a body."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def build(type_: str, stream: str, head: Head, actor: Actor, data: Mapping[str, Any]) -> bytes:
    """The body of the event that follows ``head`` in ``stream``.

    ``type_`` reads object:subject:action. ``data`` must be JSON with strings for decimals (RFC 8785
    forbids numbers beyond 2^53 and floats are not evidence). The nonce keeps leaf hashes, which other
    agencies see, from being guessed.
    """
    return rfc8785.dumps(
        {
            "v": VERSION,
            "type": type_,
            "stream": stream,
            "seq": head.seq + 1,
            "prev": head.hash.hex() if head.hash else None,
            "at": timestamp(utcnow()),
            "actor": {"id": actor.id, "name": actor.name, "badge": actor.badge},
            "nonce": secrets.token_hex(16),
            "data": dict(data),
        }
    )


def commitment(salt: bytes, value: Mapping[str, Any]) -> str:
    """Hex SHA-256 of salt and canonical value: stands in an event for personal data kept elsewhere."""
    return hashlib.sha256(salt + rfc8785.dumps(dict(value))).hexdigest()


_HEAD = text("select seq, hash from ledger.head(:stream)")
_APPEND = text(
    "insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, exhibit_id, case_id, body)"
    " values (:event_id, :stream, :seq, :type, :seizure_id, :exhibit_id, :case_id, :body)"
)
_FOLLOW = (
    "insert into ledger.entry(event_id, stream, stream_seq, type, seizure_id, body) values ($1, $2, $3, $4, $5, $6)"
)


async def record(
    db: AsyncSession,
    actor: Actor,
    type_: str,
    stream: str,
    data: Mapping[str, Any],
    *,
    seizure_id: int | None = None,
    case_id: int | None = None,
) -> bytes:
    """Append one event to ``stream`` in the running transaction and return its body.

    Locks the stream until the transaction ends, so its numbers have no gap. Exhibit streams are not
    written here but by the custody functions.
    """
    row = (await db.execute(_HEAD, {"stream": stream})).one()
    head = Head(row.seq, row.hash)
    body = build(type_, stream, head, actor, data)
    await append(db, type_, stream, head.seq + 1, body, seizure_id=seizure_id, case_id=case_id)
    return body


async def append(
    db: AsyncSession,
    type_: str,
    stream: str,
    seq: int,
    body: bytes,
    *,
    seizure_id: int | None = None,
    exhibit_id: int | None = None,
    case_id: int | None = None,
) -> None:
    """Write a body that was built already. The database refuses a number that does not follow."""
    recorded(db)
    await db.execute(
        _APPEND,
        {
            "event_id": uuid.uuid4(),
            "stream": stream,
            "seq": seq,
            "type": type_,
            "seizure_id": seizure_id,
            "exhibit_id": exhibit_id,
            "case_id": case_id,
            "body": body,
        },
    )


async def follow(
    connection: Any, actor: Actor, type_: str, stream: str, head: Head, data: Mapping[str, Any], *, seizure_id: int
) -> None:
    """``record`` on the driver's own connection, for a stream whose head the transaction has locked already."""
    body = build(type_, stream, head, actor, data)
    await connection.execute(_FOLLOW, uuid.uuid4(), stream, head.seq + 1, type_, seizure_id, body)
