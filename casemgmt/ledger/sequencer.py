"""Gives every entry its place in the tree, keeps it outside the database, and has the tree signed: in this order.

Business transactions only insert entries; they never wait for each other here. One process, chosen by an advisory
lock, takes the entries of finished transactions, in batches:

1. leaves, tiles and the batch are committed;
2. the batch's object (entries, tiles) is in the write-once store;
3. the signer has signed, and remembers it;
4. the checkpoint is committed.

After a crash between any two of them the next start does the rest of the *same* batch: the same object, the same root,
the same signature. What it finds beyond its own database, it never signs around: see ``_refuse_to_fork``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
import structlog

from casemgmt.core.db import WAITING
from casemgmt.core.waiting import stopped_within, woken_within
from casemgmt.ledger import batches
from casemgmt.ledger.archive import Archive
from casemgmt.ledger.batches import Batch
from casemgmt.ledger.errors import DamagedError, ForkError, OtherKeyError, RewoundError, SignerRefusedError
from casemgmt.ledger.signer import LogSigner
from casemgmt.ledger.tiles import fetch_tiles
from casemgmt.storage.contract import Store
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import StoredTree, TileFrontier, tiles_for_consistency, tiles_for_root

LOCK = 0x6C6F67  # "log"
QUICKEST, SLOWEST = 0.02, 0.5  # seconds between two looks at an idle ledger that nobody calls
SIGNED = "ledger_signed"  # the channel on which those who ask witnesses hear of a new checkpoint
LAG_LOOK = 15.0  # seconds
LAG_WARNING = timedelta(seconds=30)

log = structlog.get_logger()

_WAITING = """
select count(*) as entries, coalesce(now() - min(e.at), interval '0') as oldest
  from (select w.entry_id from ledger.waiting w order by w.entry_id limit 1000) w
  join ledger.entry e on e.id = w.entry_id"""
_LAST_BATCH = "select first, size, root from ledger.batch order by first desc limit 1"
_LAST_CHECKPOINT = "select size, root, note from ledger.checkpoint order by size desc limit 1"
_UNSIGNED = """
select b.first, b.size, b.root from ledger.batch b
 where b.size > coalesce((select max(c.size) from ledger.checkpoint c), 0) or
       not exists (select from ledger.archived a where a.first = b.first)
 order by b.first"""


@dataclass(frozen=True, slots=True)
class Lag:
    """Entries not in the tree yet (counted up to 1000) and for how long the oldest of them has waited."""

    entries: int
    oldest: timedelta


class Sequencer:
    """The only writer of the tree. Make one with ``resume`` after taking the lock; after any error make a new one."""

    def __init__(
        self, connection: asyncpg.Connection, signer: LogSigner, archive: Archive, tree: TileFrontier, signed: Note
    ) -> None:
        self._db = connection
        self._signer = signer
        self._archive = archive
        self._tree = tree
        self._signed = signed  # the newest checkpoint the database has
        self._last: Checkpoint | None = None  # what the signer signed last, once it has answered us

    @classmethod
    async def resume(
        cls, connection: asyncpg.Connection, signer: LogSigner, store: Store, retention: timedelta = timedelta(days=1)
    ) -> Sequencer:
        """Continue where the stored ledger stands, or begin it; finish first what a crash left half done.

        Raises OtherKeyError, DamagedError or ForkError when it must not be continued, or not as it is.
        """
        # A generic plan, to which a cached statement may flip, scans the whole index for what is new.
        await connection.execute("set plan_cache_mode = force_custom_plan")
        key = await signer.verifier()
        archive = Archive(store, key.name, retention)
        await require_key(connection, key)
        tree, signed = await restored(connection, key)
        await _refuse_to_fork(tree, signed, signer, archive)
        sequencer = cls(connection, signer, archive, tree, signed or await _begin(connection, key, signer))
        await sequencer.finish()
        return sequencer

    @property
    def size(self) -> int:
        return self._tree.size

    async def finish(self) -> None:
        """Store and sign what is in the tree and was not, in order."""
        for row in await self._db.fetch(_UNSIGNED):
            before = await self._note_at(row["first"])
            batch = await batches.of_tree(self._db, row["first"], row["size"], row["root"], before)
            archived = await self._store(batch)
            if row["size"] > Checkpoint.parse(self._signed.text).size:
                await self._sign(batch, archived)
            else:
                await batches.note_archived(self._db, batch, archived)

    async def advance(self) -> int:
        """Append one batch of finished entries, store it and have it signed; returns how many there were."""
        taken = await batches.waiting(self._db)
        if not taken:
            return 0
        hashes, rows = [entry.leaf_hash for entry in taken], [entry.id for entry in taken]
        tree, tiles = await asyncio.to_thread(self._tree.extended, hashes)
        batch = Batch(self._tree.size, tree.size, tree.root(), self._signed, taken, batches.full(tiles))
        await self._sequence(batch, rows, tiles)
        self._tree = tree
        batch = replace(batch, beside=await batches.beside_of(self._db, batch.first, taken))
        await self._sign(batch, await self._store(batch))
        return len(taken)

    async def lag(self) -> Lag:
        row = await self._db.fetchrow(_WAITING)
        return Lag(row["entries"], row["oldest"])

    async def run(self, stop: asyncio.Event, pace: float = 0.0) -> None:
        """Advance until ``stop`` is set: at once when it was quiet and somebody says that there is something, every
        ``pace`` seconds while entries keep coming, and without a pause while more wait than one batch holds."""
        woken = asyncio.Event()
        await self._db.add_listener(WAITING, lambda *_: woken.set())
        clock, pause = asyncio.get_running_loop().time, QUICKEST
        looked = clock()
        while not stop.is_set():
            started = clock()
            done = await self.advance()
            if clock() - looked > LAG_LOOK:
                looked = clock()
                await self._report_lag()
            if done == batches.MOST:
                continue
            if done:
                await stopped_within(stop, max(QUICKEST, pace - (clock() - started)))
                pause = QUICKEST
            else:
                await woken_within(stop, woken, pause)
                pause = min(pause * 1.5, SLOWEST)

    # The three steps. Each is whole or not at all, and may be repeated with the same batch.

    async def _sequence(self, batch: Batch, entry_ids: Sequence[int], tiles: Sequence[batches.Tile]) -> None:
        await batches.keep(self._db, batch, entry_ids, tiles)

    async def _store(self, batch: Batch) -> batches.Archived:
        parts = await asyncio.to_thread(batch.parts, self._archive.origin)
        return await self._archive.put(batch.first, parts)

    async def _sign(self, batch: Batch, archived: batches.Archived) -> None:
        checkpoint = Checkpoint(self._archive.origin, batch.size, batch.root)
        old = self._last or await self._signer.last()
        try:
            proof = await proof_since(self._db, old, batch.size)
            note = await self._signer.sign(checkpoint, old.size if old else 0, proof)
            self._last = checkpoint
        except SignerRefusedError as error:
            raise ForkError(f"the signer refuses the tree of {batch.size} entries: {error}") from error
        # The primary key on the size is the last wall against two sequencers: the second one's transaction fails whole.
        async with self._db.transaction():
            await batches.note_archived(self._db, batch, archived)
            await keep_checkpoint(self._db, checkpoint, note)
            await self._db.execute(f"notify {SIGNED}")
        self._signed = note

    async def _note_at(self, size: int) -> Note:
        return Note.parse(await self._db.fetchval("select note from ledger.checkpoint where size = $1", size))

    async def _report_lag(self) -> None:
        lag = await self.lag()
        if lag.oldest > LAG_WARNING:
            log.warning("ledger.lag", entries=lag.entries, seconds=int(lag.oldest.total_seconds()))


async def run_sequencer(
    dsn: str,
    signer: LogSigner,
    store: Store,
    stop: asyncio.Event,
    *,
    retention: timedelta = timedelta(days=1),
    pace: float = 0.0,
) -> None:
    """Sequence until ``stop`` is set. Waits while another process does; raises when ledger, store, signer or database
    fails. A ledger that must not go on is recorded as halted first."""
    connection = await asyncpg.connect(dsn)
    try:
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
            if await stopped_within(stop, 1.0):
                return
        try:
            sequencer = await Sequencer.resume(connection, signer, store, retention)
            log.info("ledger.resumed", size=sequencer.size)
            await sequencer.run(stop, pace)
        except ForkError as error:
            await halt(connection, str(error))
            raise
    finally:
        await connection.close(timeout=5)


async def halt(connection: asyncpg.Connection, reason: str) -> None:
    """Record, once, that the log has stopped; from then on no event is taken until somebody recovered it."""
    await connection.execute(
        "insert into ledger.halt(reason) select $1::text where ledger.halted() is distinct from $1::text", reason
    )


async def proof_since(connection: asyncpg.Connection, old: Checkpoint | None, size: int) -> list[bytes]:
    """What shows a signer that the stored tree of ``size`` begins with the one it signed last; no proof is needed for
    the empty tree and for the same one, and there is none for a smaller one."""
    if old is None or not 0 < old.size < size:
        return []
    return StoredTree(size, await fetch_tiles(connection, tiles_for_consistency(old.size, size))).consistency(old.size)


async def require_key(connection: asyncpg.Connection, key: VerifierKey) -> None:
    stored = await connection.fetchval("select vkey from ledger.log")
    if stored is not None and stored != str(key):
        raise OtherKeyError(
            f"this ledger is signed with {stored}, but the key given to this process is {key}: give it the "
            "ledger's own key. Nothing was signed."
        )


async def _begin(connection: asyncpg.Connection, key: VerifierKey, signer: LogSigner) -> Note:
    """Write the log's public key and sign the empty tree: the first start."""
    empty = Checkpoint(key.name, 0, TileFrontier().root())
    note = await signer.sign(empty, 0, [])
    async with connection.transaction():
        await connection.execute("insert into ledger.log(origin, vkey) values ($1, $2)", key.name, str(key))
        await keep_checkpoint(connection, empty, note)
    return note


async def restored(connection: asyncpg.Connection, key: VerifierKey) -> tuple[TileFrontier, Note | None]:
    """The stored tree, and the newest checkpoint; (empty, None) before the first start."""
    row = await connection.fetchrow(_LAST_CHECKPOINT)
    if row is None:
        if await connection.fetchval("select exists (select from ledger.log)"):
            raise DamagedError("the ledger has a key and no checkpoint")
        return TileFrontier(), None
    last = await connection.fetchrow(_LAST_BATCH)
    size, root = (last["size"], last["root"]) if last else (0, TileFrontier().root())
    try:
        note = Note.parse(row["note"])
        note.require(key)
        signed = Checkpoint.parse(note.text)
        tree = TileFrontier.restore(size, await fetch_tiles(connection, tiles_for_root(size)))
        under = StoredTree(signed.size, await fetch_tiles(connection, tiles_for_root(signed.size))).root()
    except TrustError as error:
        raise DamagedError(f"the last checkpoint or its tiles are damaged: {error}") from error
    if (signed.size, signed.root) != (row["size"], under):
        raise DamagedError(f"the stored ledger of {row['size']} entries does not have the root that was signed")
    leaves = await connection.fetchval("select coalesce(max(leaf_index) + 1, 0) from ledger.leaf")
    if (tree.size, tree.root()) != (leaves, root) or signed.size > size:
        raise DamagedError(f"the stored ledger of {leaves} entries is not what its last batch says, {size}")
    return tree, note


async def _refuse_to_fork(tree: TileFrontier, signed: Note | None, signer: LogSigner, archive: Archive) -> None:
    """Three know what this database may have forgotten: the signer's record, the store and (asked when they cosign)
    the witnesses. Raises RewoundError or ForkError when one of the first two does."""
    last = await signer.last()
    if last is None and signed is not None:
        await signer.begin_with(signed)
    elif last is not None and last.size > tree.size:
        raise RewoundError(
            f"a tree of {last.size} entries was signed, and this database has {tree.size}: it was restored from a "
            "backup. Nothing is signed until `casemgmt ledger recover` has brought back what the store holds"
        )
    elif last is not None and last.size == tree.size and last.root != tree.root():
        raise ForkError(f"another tree of {last.size} entries was signed than this database has; nothing is signed")
    if await archive.has(tree.size):
        raise RewoundError(
            f"the write-once store holds entries from {tree.size} on, which this database does not have: it was "
            "restored from a backup. Nothing is signed until `casemgmt ledger recover` has brought them back"
        )


async def keep_checkpoint(connection: asyncpg.Connection, checkpoint: Checkpoint, note: Note) -> None:
    """Write a signed checkpoint. The database refuses it unless its batch is in the store."""
    await connection.execute(
        "insert into ledger.checkpoint(size, root, note) values ($1, $2, $3)",
        checkpoint.size, checkpoint.root, str(note),
    )  # fmt: skip
