"""Recomputes the whole ledger from the bytes of its entries and says where it differs from what is stored.

Nothing stored is believed but the entries' bytes and the log's public key: a superuser who rewrites an entry changes
its hash with it, and only the tree above it, the signed checkpoints, the next event of the stream, the write-once
store and the signer's record still know better. Every fault says which of them does.
Memory does not grow with the ledger: one batch of entries, the growing edge of the tree and some tiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from casemgmt.ledger.findings import (
    BYTES,
    CHAIN,
    CHECKPOINT,
    KEY,
    MOST_FAULTS,
    ROWS,
    SIGNER,
    TREE,
    Findings,
    name,
    name_of,
)
from casemgmt.ledger.recompute_agreements import check_agreements
from casemgmt.ledger.recompute_archive import check_archive, check_published
from casemgmt.ledger.recompute_custody import check_custody
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.storage.contract import Store
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import HASH_SIZE, leaf_hash
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import FULL_WIDTH, Tile, TileFrontier, TileId

BATCH = 2_000

_ENTRIES = """
select l.leaf_index, e.id, e.stream, e.stream_seq, e.type, e.actor_id, e.body
  from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"""
_STREAMS = "select id, stream, stream_seq, body from ledger.entry order by stream, stream_seq"
_SKIPPED = """
select e.id, e.stream, e.stream_seq from ledger.entry e
 where not exists (select from ledger.leaf l where l.entry_id = e.id)
   and not exists (select from ledger.waiting w where w.entry_id = e.id)
 order by e.id limit $1"""
_UNSIGNED = """
select b.first from ledger.batch b
 where b.size = $1 and not exists (select from ledger.archived a where a.first = b.first)"""
_CHECKPOINTS = "select size, root, note from ledger.checkpoint order by size"


async def recompute(
    connection: asyncpg.Connection,
    published: VerifierKey | None = None,
    *,
    store: Store | None = None,
    record: Checkpoint | None = None,
) -> Findings:
    """Read everything in one snapshot, as role verifier.

    ``published``: the key to trust instead of the stored one. ``store``: where the entries are kept as well; without it
    they are not compared. ``record``: what the signer says it signed last.
    """
    found = Findings()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        key = await _key(connection, published, found)
        await _Tree(connection, key, found, record).check()
        await check_published(connection, found)
        await _check_streams(connection, found)
        await check_custody(connection, found)
        await check_agreements(connection, found)
        for row in await connection.fetch(_SKIPPED, MOST_FAULTS):
            found.add(f"{name(row)} was passed over: it has no place in the tree and waits for none", by=ROWS)
        if store is not None and key is not None:
            await check_archive(connection, store, key, found)
        found.waiting = await connection.fetchval("select count(*) from ledger.entry") - found.entries
    return found


async def _key(connection: asyncpg.Connection, published: VerifierKey | None, found: Findings) -> VerifierKey | None:
    stored = await connection.fetchval("select vkey from ledger.log")
    if published is not None and stored is not None and str(published) != stored:
        found.add(f"the database names the log key {stored}, not the published one", by=KEY)
    if published is not None or stored is None:
        return published
    return VerifierKey.parse(stored)


class _Tree:
    """One pass over the leaves: bytes against rows, tiles as they fill, roots as checkpoints are reached."""

    def __init__(
        self, connection: asyncpg.Connection, key: VerifierKey | None, found: Findings, record: Checkpoint | None
    ) -> None:
        self._db = connection
        self._record = record
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
                self._found.add(
                    f"leaf {self._found.entries} is missing: {name(row)} is leaf {row['leaf_index']}", by=ROWS
                )
                return
            self._check_row(row)
            batch.append(leaf_hash(row["body"]))
            self._found.entries += 1
            at_checkpoint = upcoming is not None and upcoming["size"] == self._found.entries
            at_record = self._record is not None and self._record.size == self._found.entries
            if at_checkpoint or at_record or len(batch) == BATCH:
                await self._extend(batch)
                batch = []
            if at_record:
                self._check_record()
            if at_checkpoint:
                if self._check_checkpoint(upcoming, first):
                    first = self._found.entries
                upcoming = await anext(checkpoints, None)
        if batch:
            await self._extend(batch)
            await self._check_unsigned(first)
        if upcoming is not None:
            self._found.add(
                f"a checkpoint of {upcoming['size']} entries was signed, but only {self._found.entries} are there",
                by=CHECKPOINT,
            )
        if self._record is not None and self._record.size > self._found.entries:
            self._found.add(
                f"a tree of {self._record.size} entries was signed last, but only {self._found.entries} are there",
                by=SIGNER,
            )
        self._found.root = self._tree.root()
        await self._check_edge()

    def _check_record(self) -> None:
        if self._record is not None and self._record.root != self._tree.root():
            self._found.add(f"another tree of {self._record.size} entries was signed last", by=SIGNER)

    async def _check_unsigned(self, first: int) -> None:
        """Leaves behind the last checkpoint: those of one batch that is on its way, or a fault."""
        waiting = await self._db.fetchval(_UNSIGNED, self._found.entries)
        if waiting != first:
            self._found.add(f"the last {self._found.entries - first} leaves are under no checkpoint", by=ROWS)

    def _check_row(self, row: asyncpg.Record) -> None:
        try:
            event = Event.parse(row["body"])
        except EventError as error:
            self._found.add(f"{name(row)} is no event: {error}", by=BYTES)
            return
        said = (event.stream, event.seq, event.type, event.actor.get("id"))
        if said != (row["stream"], row["stream_seq"], row["type"], row["actor_id"]):
            self._found.add(f"{name(row)} says something else in its row than in its bytes", by=BYTES)

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
            self._found.add(f"{stored} tiles are stored, {self._expected_tiles} belong to the tree", by=TREE)

    async def _compare(self, tiles: Sequence[Tile]) -> None:
        self._expected_tiles += len(tiles)
        stored = await fetch_tiles(self._db, [TileId(*tile[:3]) for tile in tiles])
        for tile in tiles:
            kept = stored.get(TileId(*tile[:3]))
            if kept != tile.data:
                await self._blame(tile, kept)

    async def _blame(self, tile: Tile, kept: bytes | None) -> None:
        if kept is None:
            self._found.add(f"tile {tile.number} of level {tile.level} is missing", by=TREE)
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
            self._found.add(f"tile {tile.number} of level {tile.level} has another hash at {place}", by=TREE)
        elif place == tile.width:
            self._found.add(f"tile {tile.number} of level 0 holds more than its leaves", by=TREE)
        else:
            where = await name_of(self._db, index)
            self._found.add(
                f"{where} is not what was sequenced: its hash in the tree is another one", by=TREE, rewritten=True
            )

    def _check_checkpoint(self, row: asyncpg.Record, first: int) -> bool:
        self._found.checkpoints += 1
        what = f"the checkpoint of {row['size']} entries"
        try:
            note = Note.parse(row["note"])
            signed = Checkpoint.parse(note.text)
            if self._key is not None:
                note.require(self._key)
        except TrustError as error:
            self._found.add(f"{what} is not one the log signed: {error}", by=CHECKPOINT)
            return False
        if (signed.size, signed.root) != (row["size"], row["root"]):
            self._found.add(
                f"the checkpoint of {row['size']} entries says something else in its row than in its note",
                by=CHECKPOINT,
            )
        if signed.root != self._tree.root():
            self._found.add(
                f"the signed root of {row['size']} entries is another one: "
                f"leaves {first} to {row['size'] - 1} differ from what was signed",
                by=CHECKPOINT,
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
            found.add(f"{name(row)} should be number {seq} of its stream", by=CHAIN)
            seq = row["stream_seq"]
        elif prev != "?" and prev != (last.hex() or None):
            found.add(f"{name(row)} does not name the event before it: one of the two was changed", by=CHAIN)
        last = hash_
