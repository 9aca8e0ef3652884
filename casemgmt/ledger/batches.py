"""A batch of entries on its way: out of the waiting line, into the tree's tables, and as the object it is kept in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from casemgmt.ledger import beside
from casemgmt.ledger.archive import Archived
from casemgmt.ledger.errors import DamagedError, LedgerError
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.trust.batch import Row, full_tiles, write_batch
from casemgmt.trust.beside import Beside
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import FULL_WIDTH, Tile

__all__ = ["MOST", "Archived", "Batch", "Entry", "Tile", "full", "keep", "note_archived", "of_tree", "waiting"]

MOST = 20_000
MOST_BYTES = 16 << 20  # of bodies: a batch is in memory as a whole

_COLUMNS = """e.id, e.event_id::text as event_id, e.seizure_id, e.exhibit_id, e.case_id, e.actor_id,
  to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, e.body"""
# An array, and not a join: the planner takes the deleted rows of the waiting line for waiting, and would walk through
# the whole table of entries for a single one.
NEXT = f"""
select * from (
  select {_COLUMNS}, sum(octet_length(e.body)) over (order by e.id) as total
    from ledger.entry e
   where e.id = any (array(select w.entry_id from ledger.waiting w order by w.entry_id limit $1))) x
 where x.total <= $2 or x.total = octet_length(x.body) order by x.id"""  # noqa: S608 - our own columns
_OF_TREE = f"""
select {_COLUMNS} from ledger.leaf l join ledger.entry e on e.id = l.entry_id
 where l.leaf_index >= $1 and l.leaf_index < $2 order by l.leaf_index"""  # noqa: S608
# One statement, and so one transaction in one round trip; it fails as a whole when somebody else took an entry first.
_KEEP = """
with gone as (delete from ledger.waiting where entry_id = any ($4::bigint[]) returning 1),
     leaves as (insert into ledger.leaf(leaf_index, entry_id)
                select $1 + x.no - 1, x.id from unnest($4::bigint[]) with ordinality x(id, no)),
     narrower as (delete from ledger.tile t using unnest($5::int[], $6::bigint[], $7::int[]) x(level, n, width)
                   where t.level = x.level and t.n = x.n and t.width < x.width),
     tiles as (insert into ledger.tile(level, n, width, data)
               select * from unnest($5::int[], $6::bigint[], $7::int[], $8::bytea[])),
     batch as (insert into ledger.batch(first, size, root) values ($1, $2, $3))
select 1 / ((select count(*) from gone) = cardinality($4::bigint[]))::int"""
_ARCHIVED = """
insert into ledger.archived(first, object_key, version, size, sha256, retained_until) values ($1, $2, $3, $4, $5, $6)"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry's exact bytes, with the hash of these bytes, and what else the database keeps of it."""

    body: bytes
    leaf_hash: bytes
    row: Row

    @property
    def id(self) -> int:
        return self.row.id


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries ``first`` to ``size`` (exclusive), and the root of the tree that ends with them. ``tiles``: those it
    completed, concatenated in their order. ``before``: the signed checkpoint it continues."""

    first: int
    size: int
    root: bytes
    before: Note
    entries: Sequence[Entry]
    tiles: bytes
    beside: Sequence[Beside] = ()

    def parts(self, origin: str) -> list[bytes]:
        """The object's bytes."""
        bodies, rows = [entry.body for entry in self.entries], [entry.row for entry in self.entries]
        return write_batch(self.before, origin, self.first, self.root, bodies, rows, self.tiles, self.beside)


async def waiting(connection: asyncpg.Connection[Any]) -> list[Entry]:
    """The next entries without a place, as many as one batch holds, the oldest first."""
    rows = await connection.fetch(NEXT, MOST, MOST_BYTES)
    return await asyncio.to_thread(lambda: [_entry(row) for row in rows])


async def of_tree(connection: asyncpg.Connection[Any], first: int, size: int, root: bytes, before: Note) -> Batch:
    """A batch that has its place already. Raises DamagedError when its leaves or tiles are not all there."""
    entries = [_entry(row) for row in await connection.fetch(_OF_TREE, first, size)]
    wanted = full_tiles(first, size)
    tiles = await fetch_tiles(connection, wanted)
    if len(entries) != size - first or len(tiles) != len(wanted):
        raise DamagedError(f"leaves or tiles of the batch {first} to {size - 1} are missing")
    return Batch(
        first, size, root, before, entries, b"".join(tiles[tile] for tile in wanted),
        await beside_of(connection, first, entries),
    )  # fmt: skip


async def beside_of(connection: asyncpg.Connection[Any], first: int, entries: Sequence[Entry]) -> Sequence[Beside]:
    """Signatures and keys of entries that have their places from ``first`` on."""
    if not beside.may_have([entry.body for entry in entries]):
        return ()
    return await beside.of_entries(connection, first, first + len(entries))


def full(tiles: Sequence[Tile]) -> bytes:
    """What a batch completed, of the tiles that its ``TileFrontier.extended`` answered."""
    return b"".join(tile.data for tile in sorted(tiles) if tile.width == FULL_WIDTH)


async def keep(
    connection: asyncpg.Connection[Any], batch: Batch, entry_ids: Sequence[int], tiles: Sequence[Tile]
) -> None:
    """One transaction: leaves, tiles, the batch, and nobody of them waits any more."""
    levels, numbers = [tile.level for tile in tiles], [tile.number for tile in tiles]
    widths, data = [tile.width for tile in tiles], [tile.data for tile in tiles]
    try:
        await connection.fetchval(_KEEP, batch.first, batch.size, batch.root, entry_ids, levels, numbers, widths, data)
    except asyncpg.DivisionByZeroError as error:
        raise LedgerError("entries that were taken do not wait any more: is a second sequencer at work?") from error


async def note_archived(connection: asyncpg.Connection[Any], batch: Batch, archived: Archived) -> None:
    await connection.execute(
        _ARCHIVED, batch.first, archived.key, archived.version, archived.size, archived.sha256,
        archived.retained_until,
    )  # fmt: skip


def _entry(row: Sequence[Any]) -> Entry:
    body: bytes = row[7]
    return Entry(body, leaf_hash(body), Row(*row[:7]))
