"""Recomputes the whole ledger from the bytes of its entries and says where it differs from what is stored.

Nothing stored is believed but the entries' bytes and the log's public key: a superuser who rewrites an entry changes
its hash with it, and only the tree above it, the signed checkpoints and the next event of the stream still know better.
Memory does not grow with the ledger: one batch of entries, the growing edge of the tree and some tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import HASH_SIZE, leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import FULL_WIDTH, Tile, TileFrontier, TileId

BATCH = 2_000
MOST_FAULTS = 50

_ENTRIES = """
select l.leaf_index, e.id, e.stream, e.stream_seq, e.type, e.body
  from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"""
_ENTRY = """
select e.id, e.stream, e.stream_seq from ledger.leaf l join ledger.entry e on e.id = l.entry_id
 where l.leaf_index = $1"""
_STREAMS = "select id, stream, stream_seq, body from ledger.entry order by stream, stream_seq"
_SKIPPED = """
select e.id, e.stream, e.stream_seq from ledger.entry e
 where not exists (select from ledger.leaf l where l.entry_id = e.id)
   and not exists (select from ledger.waiting w where w.entry_id = e.id)
 order by e.id limit $1"""
_CHECKPOINTS = "select size, root, note from ledger.checkpoint order by size"


@dataclass
class Findings:
    """What was read, and every fault, at most MOST_FAULTS of a kind."""

    entries: int = 0
    checkpoints: int = 0
    streams: int = 0
    waiting: int = 0
    root: bytes = b""
    _rewritten: list[str] = field(default_factory=list)
    _others: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Entries that are not what was sequenced come first, in their order; then what follows from it."""
        return self._rewritten + self._others

    def add(self, fault: str, *, rewritten: bool = False) -> None:
        faults = self._rewritten if rewritten else self._others
        if len(faults) < MOST_FAULTS:
            faults.append(fault)


async def recompute(connection: asyncpg.Connection, published: VerifierKey | None = None) -> Findings:
    """Read everything in one snapshot, as role verifier. ``published``: the key to trust instead of the stored one."""
    found = Findings()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        key = await _key(connection, published, found)
        await _Tree(connection, key, found).check()
        await _check_streams(connection, found)
        for row in await connection.fetch(_SKIPPED, MOST_FAULTS):
            found.add(f"{_name(row)} was passed over: it has no place in the tree and waits for none")
        found.waiting = await connection.fetchval("select count(*) from ledger.entry") - found.entries
    return found


async def _key(connection: asyncpg.Connection, published: VerifierKey | None, found: Findings) -> VerifierKey | None:
    stored = await connection.fetchval("select vkey from ledger.log")
    if published is not None and stored is not None and str(published) != stored:
        found.add(f"the database names the log key {stored}, not the published one")
    if published is not None or stored is None:
        return published
    return VerifierKey.parse(stored)


class _Tree:
    """One pass over the leaves: bytes against rows, tiles as they fill, roots as checkpoints are reached."""

    def __init__(self, connection: asyncpg.Connection, key: VerifierKey | None, found: Findings) -> None:
        self._db = connection
        self._key = key
        self._found = found
        self._tree = TileFrontier()
        self._full: list[Tile] = []
        self._edge: dict[int, Tile] = {}  # the tile that is not full, by level
        self._expected_tiles = 0

    async def check(self) -> None:
        checkpoints = self._db.cursor(_CHECKPOINTS, prefetch=200).__aiter__()
        upcoming = await anext(checkpoints, None)
        batch: list[bytes] = []
        first = 0  # leaves since the last checkpoint that held begin here
        while upcoming is not None and upcoming["size"] == 0:
            self._check_checkpoint(upcoming, first)
            upcoming = await anext(checkpoints, None)
        async for row in self._db.cursor(_ENTRIES, prefetch=BATCH):
            if row["leaf_index"] != self._found.entries:
                self._found.add(f"leaf {self._found.entries} is missing: {_name(row)} is leaf {row['leaf_index']}")
                return
            self._check_row(row)
            batch.append(leaf_hash(row["body"]))
            self._found.entries += 1
            at_checkpoint = upcoming is not None and upcoming["size"] == self._found.entries
            if at_checkpoint or len(batch) == BATCH:
                await self._extend(batch)
                batch = []
            if at_checkpoint:
                if self._check_checkpoint(upcoming, first):
                    first = self._found.entries
                upcoming = await anext(checkpoints, None)
        if batch:
            await self._extend(batch)
            self._found.add(f"the last {self._found.entries - first} leaves are under no checkpoint")
        if upcoming is not None:
            self._found.add(f"a checkpoint of {upcoming['size']} entries, but only {self._found.entries} are there")
        self._found.root = self._tree.root()
        await self._check_edge()

    def _check_row(self, row: asyncpg.Record) -> None:
        try:
            event = Event.parse(row["body"])
        except EventError as error:
            self._found.add(f"{_name(row)} is no event: {error}")
            return
        if (event.stream, event.seq, event.type) != (row["stream"], row["stream_seq"], row["type"]):
            self._found.add(f"{_name(row)} says something else in its row than in its bytes")

    async def _extend(self, leaves: Sequence[bytes]) -> None:
        self._tree, changed = self._tree.extended(leaves)
        for tile in changed:  # of one level: the full ones first, then the rest
            if tile.width == FULL_WIDTH:
                self._full.append(tile)
                self._edge.pop(tile.level, None)
            else:
                self._edge[tile.level] = tile
        if len(self._full) >= 64:
            await self._compare(self._full)
            self._full = []

    async def _check_edge(self) -> None:
        """The tiles that are not full at the end, and that there are no others."""
        await self._compare([*self._full, *self._edge.values()])
        stored = await self._db.fetchval("select count(*) from ledger.tile")
        if stored != self._expected_tiles:
            self._found.add(f"{stored} tiles are stored, {self._expected_tiles} belong to the tree")

    async def _compare(self, tiles: Sequence[Tile]) -> None:
        self._expected_tiles += len(tiles)
        stored = await fetch_tiles(self._db, [TileId(*tile[:3]) for tile in tiles])
        for tile in tiles:
            kept = stored.get(TileId(*tile[:3]))
            if kept != tile.data:
                await self._blame(tile, kept)

    async def _blame(self, tile: Tile, kept: bytes | None) -> None:
        if kept is None:
            self._found.add(f"tile {tile.number} of level {tile.level} is missing")
            return
        place = next(
            (
                i
                for i in range(tile.width)
                if kept[i * HASH_SIZE : (i + 1) * HASH_SIZE] != tile.data[i * HASH_SIZE : (i + 1) * HASH_SIZE]
            ),
            tile.width,
        )
        index = tile.number * FULL_WIDTH + place
        if tile.level:
            self._found.add(f"tile {tile.number} of level {tile.level} has another hash at {place}")
        elif place == tile.width:
            self._found.add(f"tile {tile.number} of level 0 holds more than its leaves")
        else:
            name = await self._name_of(index)
            self._found.add(f"{name} is not what was sequenced: its hash in the tree is another one", rewritten=True)

    async def _name_of(self, index: int) -> str:
        row = await self._db.fetchrow(_ENTRY, index)
        return f"leaf {index}" if row is None else f"leaf {index}, {_name(row)},"

    def _check_checkpoint(self, row: asyncpg.Record, first: int) -> bool:
        self._found.checkpoints += 1
        try:
            note = Note.parse(row["note"])
            signed = Checkpoint.parse(note.text)
            if self._key is not None:
                note.require(self._key)
        except TrustError as error:
            self._found.add(f"the checkpoint of {row['size']} entries is not one the log signed: {error}")
            return False
        if (signed.size, signed.root) != (row["size"], row["root"]):
            self._found.add(f"the checkpoint of {row['size']} entries says something else in its row than in its note")
        if signed.root != self._tree.root():
            self._found.add(
                f"the signed root of {row['size']} entries is another one: "
                f"leaves {first} to {row['size'] - 1} differ from what was signed"
            )
            return False
        return True


async def _check_streams(connection: asyncpg.Connection, found: Findings) -> None:
    """Every stream, also what is not sequenced yet: numbered from 1 without gap, each event naming the one before."""
    stream, seq, last = "", 0, b""
    async for row in connection.cursor(_STREAMS, prefetch=BATCH):
        if row["stream"] != stream:
            stream, seq, last = row["stream"], 0, b""
            found.streams += 1
        seq += 1
        hash_ = leaf_hash(row["body"])
        try:
            prev = Event.parse(row["body"]).prev
        except EventError:
            prev = "?"  # reported by the pass over the tree
        if row["stream_seq"] != seq:
            found.add(f"{_name(row)} should be number {seq} of its stream")
            seq = row["stream_seq"]
        elif prev != "?" and prev != (last.hex() or None):
            found.add(f"{_name(row)} does not name the event before it: one of the two was changed")
        last = hash_


def _name(row: asyncpg.Record) -> str:
    return f"entry {row['id']} (event {row['stream_seq']} of {row['stream']})"
