"""Entries written behind the policies: the sequencer sees them as it sees everybody's."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import asyncpg

from casemgmt.core.events import leaf_hash
from casemgmt.trust.canonical import canonical_json

TYPE = "custody:exhibit:registered"


def event_body(stream: str, seq: int, prev: bytes | None) -> bytes:
    return canonical_json(
        {
            "v": 1, "type": TYPE, "stream": stream, "seq": seq, "prev": prev.hex() if prev else None,
            "at": "2026-11-22T01:00:00.000Z", "actor": {"id": 1}, "nonce": secrets.token_hex(16), "data": {},
        }
    )  # fmt: skip


class Writer:
    """Writes well-formed events; streams begin with ``exhibit:``, whose head the database does not keep."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self.connection = connection
        self._heads: dict[str, tuple[int, bytes]] = {}

    async def follow(self, stream: str) -> None:
        """Go on where the database has this stream, as another process would."""
        row = await self.connection.fetchrow(
            "select stream_seq, leaf_hash from ledger.entry where stream = $1 order by stream_seq desc limit 1", stream
        )
        if row is not None:
            self._heads[stream] = row["stream_seq"], row["leaf_hash"]

    async def write(self, stream: str = "exhibit:one", count: int = 1) -> None:
        seq, prev = self._heads.get(stream, (0, None))
        rows = []
        for _ in range(count):
            seq, body = seq + 1, event_body(stream, seq + 1, prev)
            rows.append((uuid.uuid4(), stream, seq, TYPE, 1, body))
            prev = leaf_hash(body)
        assert prev is not None
        self._heads[stream] = seq, prev
        await self.connection.executemany(
            "insert into ledger.entry(event_id, stream, stream_seq, type, actor_id, body)"
            " values ($1, $2, $3, $4, $5, $6)",
            rows,
        )
