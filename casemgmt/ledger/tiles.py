"""Tiles as they are stored: one row for each, in its widest form, which serves every earlier size as well."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from casemgmt.trust.tiles import TileId

BY_NUMBER = """
select t.level, t.n, t.data from unnest({levels}, {numbers}) x(level, n)
  join ledger.tile t on t.level = x.level and t.n = x.n"""
_BY_NUMBER = BY_NUMBER.format(levels="$1::int[]", numbers="$2::bigint[]")


async def fetch_tiles(connection: asyncpg.Connection, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
    """The wanted tiles in one query; what is not stored is left out."""
    by_number = {(tile.level, tile.number): tile for tile in wanted}
    rows = await connection.fetch(_BY_NUMBER, [level for level, _ in by_number], [n for _, n in by_number])
    return {by_number[row["level"], row["n"]]: row["data"] for row in rows}
