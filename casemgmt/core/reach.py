"""Who may see what, as kept and as defined: the nightly comparison, and what the doctor asks too."""

from __future__ import annotations

from typing import Any

import asyncpg

FUNCTIONS = {"access.drift": "seizures", "access.case_drift": "cases"}
_PAGE = 2000


async def drift(connection: asyncpg.Connection[Any], function: str) -> int:
    """How many rows of reach differ from their definition, looked at in pages. ``function`` is one of FUNCTIONS."""
    if function not in FUNCTIONS:
        raise ValueError(function)
    after, total = 0, 0
    while row := await connection.fetchrow(f"select * from {function}($1, $2)", after, _PAGE):  # noqa: S608
        after, total = row["last_id"], total + row["differences"]
    return total
