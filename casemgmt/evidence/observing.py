"""Looking into received photographs and films, once each, and recording what they say of themselves.

Done after receipt, by the worker: nobody's upload waits for it and no hostile file meets a process that holds
anything. The bytes are read again from the store and must still be the ones that were received.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

import asyncpg
import msgspec
import rfc8785
import structlog

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.events import Head
from casemgmt.evidence.rereading import Changed, reread
from casemgmt.inspection.observation import Claims
from casemgmt.inspection.pool import Inspectors
from casemgmt.storage.contract import NotStored, Store, StoreError, StoreUnavailable

log = structlog.get_logger()

THE_INSTALLATION = Actor(token=b"", id=0, login="", name="casemgmt", badge="", csrf="", appointments=())
"""Nobody's order: docs/spec/event.md. It opens nothing; the database lets it write this one type of event."""

_WAITING = """
    select f.id, f.object_key, f.store_version, f.sha256, f.size, f.media_type
      from evidence.to_observe t join evidence.file f on f.id = t.file_id where t.due <= now() order by t.due limit $1
"""
_BEGIN = "select * from evidence.begin_observation($1)"
_OBSERVE = "select evidence.observe($1, $2, $3, $4, $5)"
# Twice as long each time, a day at most.
_LATER = """
    update evidence.to_observe set tries = tries + 1,
      due = now() + least(interval '1 day', interval '1 minute' * 2 ^ least(tries, 12))
     where file_id = $1
"""
_CHECKED = "insert into evidence.fixity(file_id, outcome, found_sha256) values ($1, $2, $3)"


async def observe_waiting(store: Store, inspectors: Inspectors, connection: asyncpg.Connection[Any], limit: int) -> int:
    """Look into at most ``limit`` files that wait for it, and return how many were recorded.

    ``connection`` is the sequencer role's, outside a transaction. A file whose bytes cannot be had waits for longer,
    and what was found of its bytes is on record; when the store is down, so does the rest of the round. Raises
    NotLooking when no looking process can be started.
    """
    done = 0
    for file in await connection.fetch(_WAITING, limit):
        try:
            done += await observe(store, inspectors, connection, file)
        except (Changed, StoreError) as error:
            await _put_off(connection, file["id"], error)
            if isinstance(error, StoreUnavailable):
                break
    return done


async def observe(
    store: Store, inspectors: Inspectors, connection: asyncpg.Connection[Any], file: Mapping[str, Any]
) -> bool:
    """Look into one file, a row as ``observe_waiting`` reads it, and record it; False when somebody else has.

    Raises Changed, StoreError or NotLooking, and nothing is recorded.
    """
    claims = await inspectors.claims(file["size"], file["media_type"], partial(_bytes, store, file))
    return await _record(connection, file, claims)


async def _put_off(connection: asyncpg.Connection[Any], file_id: int, error: Changed | StoreError) -> None:
    async with connection.transaction():
        await connection.execute(_LATER, file_id)
        if isinstance(error, Changed):
            await connection.execute(_CHECKED, file_id, "changed", error.found)
        elif isinstance(error, NotStored):
            await connection.execute(_CHECKED, file_id, "missing", None)
    log.error("evidence.not_looked_into", file=file_id, error=f"{type(error).__name__}: {error}")


async def _record(connection: asyncpg.Connection[Any], file: Mapping[str, Any], claims: Claims) -> bool:
    """The observation and its event in one transaction. False when another worker was first."""
    async with connection.transaction():
        place = await connection.fetchrow(_BEGIN, file["id"])
        if place is None:
            return False
        observation = document(file, claims)
        stream, head = f"seizure:{place['seizure']}", Head(place["seq"], place["hash"])
        body = events.build(
            "evidence:file:observed", stream, head, THE_INSTALLATION, _observed(place, observation, claims)
        )
        await connection.execute(_OBSERVE, file["id"], observation, uuid.uuid4(), head.seq + 1, body)
    return True


def document(file: Mapping[str, Any], claims: Claims) -> bytes:
    """The observation's exact bytes: RFC 8785 JSON, docs/spec/observation.md."""
    return rfc8785.dumps(
        {
            "v": 1,
            "file": file["object_key"],
            "sha256": file["sha256"].hex(),
            "size": str(file["size"]),
            "media_type": file["media_type"],
            "salt": secrets.token_hex(16),
            **msgspec.to_builtins(claims),
        }
    )


def _observed(place: Mapping[str, Any], observation: bytes, claims: Claims) -> dict[str, Any]:
    return {
        "file": place["object_key"],
        "seizure": place["seizure"],
        "exhibit": place["exhibit"],
        "sha256": place["sha256"].hex(),
        "observation": hashlib.sha256(observation).hexdigest(),
        "exif": claims.exif.trouble or claims.exif.state,
        "c2pa": claims.c2pa.trouble or claims.c2pa.state,
        "programs": claims.programs,
    }


def _bytes(store: Store, file: Mapping[str, Any]) -> AsyncIterator[bytes]:
    return reread(store, file["object_key"], file["store_version"], file["size"], file["sha256"])
