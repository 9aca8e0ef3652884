"""Signatures, keys and agreements that belong to entries, as the database has them: for the object, and to compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg

from casemgmt.trust.beside import Beside

_BESIDE = "select entries, line::text as line from ledger.beside($1, $2)"
# in canonical JSON these bytes are there when an event says so, and may be there when it does not
_SIGNS = (b'"means":"passkey"', b'"means":"pin"')
_ENROLS = (b'"type":"accounts:passkey:enrolled"', b'"type":"accounts:pinkey:enrolled"')
_BRINGS = (b'"type":"custody:agreement:brought"',)


def may_have(bodies: Sequence[bytes]) -> bool:
    """Whether anything can belong to these entries: most batches have nothing, and need not ask."""
    return any(hint in body for body in bodies for hint in (*_SIGNS, *_ENROLS, *_BRINGS))


async def of_entries(connection: asyncpg.Connection[Any], first: int, size: int) -> list[Beside]:
    """What belongs to the entries at the places ``first`` to ``size`` (exclusive), by their first place."""
    rows = await connection.fetch(_BESIDE, first, size)
    return [Beside(tuple(row["entries"]), json.loads(row["line"])) for row in rows]
