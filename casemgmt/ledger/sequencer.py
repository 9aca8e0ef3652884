"""Gives every entry its place in the tree and signs what the tree became.

Business transactions only insert entries; they never wait for each other here. One process, chosen by an advisory
lock, reads the entries of finished transactions in the order (transaction, id) and appends them. An entry is taken only
when no older transaction is still running, so one that commits late is never skipped: it has not been passed yet.
Leaves, tiles and the signed checkpoint are written in one transaction: after a crash at any moment the tree is either
before or after a batch, and the same batch gives the same root again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from casemgmt.core.waiting import stopped_within
from casemgmt.ledger.errors import DamagedError, OtherKeyError
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import Tile, TileFrontier, tiles_for_root

LOCK = 0x6C6F67  # "log"
BATCH = 20_000
QUICKEST, SLOWEST = 0.02, 0.5  # seconds between two looks at an idle ledger
LAG_LOOK = 15.0  # seconds
LAG_WARNING = timedelta(seconds=30)

log = structlog.get_logger()

_NEXT = """
select e.id, e.xid, e.leaf_hash from ledger.entry e
 where (e.xid, e.id) > ($1, $2) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
 order by e.xid, e.id limit $3"""
_LAST = """
select l.leaf_index, e.xid, e.id from ledger.leaf l join ledger.entry e on e.id = l.entry_id
 order by l.leaf_index desc limit 1"""
_WAITING = """
select count(*) as entries, coalesce(now() - min(w.at), interval '0') as oldest
  from (select e.at from ledger.entry e where (e.xid, e.id) > ($1, $2) order by e.xid, e.id limit 1000) w"""
_LEAVES = """
insert into ledger.leaf(leaf_index, entry_id)
select $1 + x.no - 1, x.id from unnest($2::bigint[]) with ordinality x(id, no)"""
_TILES = """
insert into ledger.tile(level, n, width, data) select * from unnest($1::int[], $2::bigint[], $3::int[], $4::bytea[])"""
_NARROWER = """
delete from ledger.tile t using unnest($1::int[], $2::bigint[], $3::int[]) x(level, n, width)
 where t.level = x.level and t.n = x.n and t.width < x.width"""


@dataclass(frozen=True, slots=True)
class Lag:
    """Entries not in the tree yet (counted up to 1000) and for how long the oldest of them has waited."""

    entries: int
    oldest: timedelta


class Sequencer:
    """The only writer of the tree. Make one with ``resume`` after taking the lock; after any error make a new one."""

    def __init__(
        self, connection: asyncpg.Connection, key: SigningKey, tree: TileFrontier, after: tuple[int, int]
    ) -> None:
        self._db = connection
        self._key = key
        self._tree = tree
        self._after = after

    @classmethod
    async def resume(cls, connection: asyncpg.Connection, key: SigningKey) -> Sequencer:
        """Continue where the stored ledger stands, or begin it.

        Raises OtherKeyError or DamagedError when it must not be continued with this key, or as it is.
        """
        # A generic plan, to which a cached statement may flip, scans the whole index for what is new.
        await connection.execute("set plan_cache_mode = force_custom_plan")
        await _claim(connection, key)
        tree = await _restored(connection, key)
        last = await connection.fetchrow(_LAST)
        if (last["leaf_index"] + 1 if last else 0) != tree.size:
            raise DamagedError(f"the signed ledger has {tree.size} entries, the stored one another number")
        after = (last["xid"], last["id"]) if last else (0, 0)
        if after[0] >= await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())"):
            raise DamagedError(
                "the database was loaded into a server whose transaction numbers are lower than those it holds: stop "
                f"the server and raise its next transaction number above {after[0]} with pg_resetwal"
            )
        return cls(connection, key, tree, after)

    @property
    def size(self) -> int:
        return self._tree.size

    async def advance(self) -> int:
        """Append one batch of finished entries and sign; returns how many there were."""
        rows = await self._db.fetch(_NEXT, *self._after, BATCH)
        if not rows:
            return 0
        tree, tiles = await asyncio.to_thread(self._tree.extended, [row["leaf_hash"] for row in rows])
        checkpoint = Checkpoint(self._key.name, tree.size, tree.root())
        async with self._db.transaction():
            await self._db.execute(_LEAVES, self._tree.size, [row["id"] for row in rows])
            await self._store(tiles)
            await _sign(self._db, checkpoint, self._key)
        self._tree, self._after = tree, (rows[-1]["xid"], rows[-1]["id"])
        return len(rows)

    async def lag(self) -> Lag:
        row = await self._db.fetchrow(_WAITING, *self._after)
        return Lag(row["entries"], row["oldest"])

    async def run(self, stop: asyncio.Event) -> None:
        """Advance until ``stop`` is set, looking less often while there is nothing to do."""
        pause, looked = QUICKEST, asyncio.get_running_loop().time()
        while not stop.is_set():
            done = await self.advance()
            if asyncio.get_running_loop().time() - looked > LAG_LOOK:
                looked = asyncio.get_running_loop().time()
                await self._report_lag()
            if done == BATCH:
                continue
            pause = QUICKEST if done else min(pause * 1.5, SLOWEST)
            await stopped_within(stop, pause)

    async def _store(self, tiles: Sequence[Tile]) -> None:
        levels, numbers = [tile.level for tile in tiles], [tile.number for tile in tiles]
        widths = [tile.width for tile in tiles]
        await self._db.execute(_NARROWER, levels, numbers, widths)
        await self._db.execute(_TILES, levels, numbers, widths, [tile.data for tile in tiles])

    async def _report_lag(self) -> None:
        lag = await self.lag()
        if lag.oldest > LAG_WARNING:
            # A long transaction that has written something, anywhere on this server, holds the ledger back.
            log.warning("ledger.lag", entries=lag.entries, seconds=int(lag.oldest.total_seconds()))


async def run_sequencer(dsn: str, key: SigningKey, stop: asyncio.Event) -> None:
    """Sequence until ``stop`` is set. Waits while another process does; raises when the ledger or database fails."""
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
            if await stopped_within(stop, 1.0):
                return
        sequencer = await Sequencer.resume(connection, key)
        log.info("ledger.resumed", origin=key.name, size=sequencer.size)
        await sequencer.run(stop)
    finally:
        await connection.close(timeout=5)


async def _claim(connection: asyncpg.Connection, key: SigningKey) -> None:
    """Write the log's public key at the first start; refuse any other key for ever after."""
    ours = str(key.verifier)
    async with connection.transaction():
        stored = await connection.fetchval("select vkey from ledger.log")
        if stored is None:
            await connection.execute("insert into ledger.log(origin, vkey) values ($1, $2)", key.name, ours)
            await _sign(connection, Checkpoint(key.name, 0, TileFrontier().root()), key)
        elif stored != ours:
            raise OtherKeyError(
                f"this ledger is signed with {stored}, but the key given to this process is {ours}: give it the "
                "ledger's own key. Nothing was signed."
            )


async def _restored(connection: asyncpg.Connection, key: SigningKey) -> TileFrontier:
    row = await connection.fetchrow("select size, root, note from ledger.checkpoint order by size desc limit 1")
    if row is None:
        raise DamagedError("the ledger has a key and no checkpoint")
    try:
        note = Note.parse(row["note"])
        note.require(key.verifier)
        signed = Checkpoint.parse(note.text)
        tree = TileFrontier.restore(signed.size, await fetch_tiles(connection, tiles_for_root(signed.size)))
    except TrustError as error:
        raise DamagedError(f"the last checkpoint or its tiles are damaged: {error}") from error
    if (signed.size, signed.root) != (row["size"], tree.root()):
        raise DamagedError(f"the stored ledger of {row['size']} entries does not have the root that was signed")
    return tree


async def _sign(connection: asyncpg.Connection, checkpoint: Checkpoint, key: SigningKey) -> None:
    # The primary key on the size is the last wall against two sequencers: the second one's transaction fails whole.
    await connection.execute(
        "insert into ledger.checkpoint(size, root, note) values ($1, $2, $3)",
        checkpoint.size, checkpoint.root, str(checkpoint.signed(key)),
    )  # fmt: skip
