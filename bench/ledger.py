"""The ledger: entries to signed checkpoints, with the store and the signer's record, and proofs from a large tree."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench.harness import Row, Samples, Stopwatch, delay, quantile, rate
from bench.sizes import Sizes
from casemgmt import migrations
from casemgmt.core.db import WAITING
from casemgmt.core.events import leaf_hash
from casemgmt.embedded.cluster import Cluster
from casemgmt.ledger.proofs import Signed, inclusion
from casemgmt.ledger.sequencer import SIGNED, Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.tiles import FULL_WIDTH, Tile, TileFrontier, tiles_for_inclusion
from casemgmt.trust.tree import verify_inclusion

AIM_BATCH, AIM_SINGLE, AIM_PROOF = 20_000, 10.0, 5.0  # entries a second; milliseconds
LEAVES_AT_ONCE = 256 * 1_000
QUIET = 0.15  # seconds until the sequencer looks only now and then


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    home = folder / "ledger"
    home.mkdir()
    cluster = Cluster(home / "postgres")
    cluster.start()
    try:
        asyncio.run(cluster.create_roles_and_database())
        asyncio.run(migrations.upgrade(cluster.dsn("owner_login")))
        batches, singles, proofs = asyncio.run(_measure(cluster, home, sizes))
    finally:
        cluster.stop()
    yield rate(
        f"{sizes.entries:,} entries placed, stored, signed", "COPY of the same rows + a durable file",
        batches, 0.15, note=_against(quantile(batches.ours, 0.5), AIM_BATCH, "entries/s", more=True),
    )  # fmt: skip
    yield delay(
        "one entry to its signed checkpoint", "two commits and two durable files of the same size", singles, 4,
        or_extra=AIM_SINGLE, note=_against(quantile(singles.ours, 0.5), AIM_SINGLE, "ms", more=False),
    )  # fmt: skip
    yield delay(
        f"proof of an entry among {sizes.leaves:,}", "reading its tiles in one query", proofs, 4, or_extra=AIM_PROOF,
        note=_against(quantile(proofs.ours, 0.5), AIM_PROOF, "ms", more=False),
    )  # fmt: skip


def _against(value: float, aim: float, unit: str, *, more: bool) -> str:
    met = value >= aim if more else value <= aim
    return f"{value:,.1f} {unit} on this machine in this run; {aim:,.0f} {'' if met else 'NOT '}met"


async def _measure(cluster: Cluster, home: Path, sizes: Sizes) -> tuple[Samples, Samples, Samples]:
    store = LocalStore(home / "store")
    store.prepare()
    signer = FileSigner(SigningKey.generate("bench.example/ledger"), home / "ledger.signed")
    dba, connection = await asyncpg.connect(cluster.dsn("dba")), await asyncpg.connect(cluster.dsn("sequencer"))
    with closing(store):
        try:
            await dba.execute("create table public.plain(id bigint primary key, body bytea not null)")
            sequencer = await Sequencer.resume(connection, signer, store, timedelta(days=1))
            batches = await _batches(dba, sequencer, home, sizes)
            singles = await _singles(dba, sequencer, home, sizes)
            await connection.close()
            return batches, singles, await _proofs(cluster, dba, signer, sizes)
        finally:
            await dba.close()


async def _batches(dba: Any, sequencer: Sequencer, home: Path, sizes: Sizes) -> Samples:
    async def ours() -> float:
        await _write(dba, _bodies(sizes.entries))
        await dba.execute("analyze ledger.entry; analyze ledger.waiting")
        goal = sequencer.size + sizes.entries
        with Stopwatch() as watch:
            while sequencer.size < goal:
                await sequencer.advance()
        return sizes.entries / watch.seconds

    async def theirs() -> float:
        bodies = _bodies(sizes.entries)
        rows = list(enumerate(bodies))
        await dba.execute("truncate public.plain")
        with Stopwatch() as watch:
            await dba.copy_records_to_table("plain", schema_name="public", records=rows)
            await asyncio.to_thread(_keep, home / "plain", bodies)
        return sizes.entries / watch.seconds

    return await _turns(ours, theirs, sizes.rounds)


async def _singles(dba: Any, sequencer: Sequencer, home: Path, sizes: Sizes) -> Samples:
    """From the commit of an entry, which the running sequencer is told of as a web process tells it, until its
    checkpoint is committed."""
    signed, stop = asyncio.Event(), asyncio.Event()
    await dba.add_listener(SIGNED, lambda *_: signed.set())
    running = asyncio.create_task(sequencer.run(stop))

    async def ours() -> float:
        await asyncio.sleep(QUIET)
        signed.clear()
        await _write(dba, _bodies(1))
        with Stopwatch() as watch:
            await dba.execute(f"notify {WAITING}")
            await signed.wait()
        return watch.seconds * 1000

    async def theirs() -> float:
        body = _bodies(1)
        with Stopwatch() as watch:
            await dba.execute("insert into public.plain values ($1, $2)", secrets.randbits(62), body[0])
            await asyncio.to_thread(_keep, home / "plain", body)
            await asyncio.to_thread(_keep, home / "plain", body)
            await dba.execute("insert into public.plain values ($1, $2)", secrets.randbits(62), body[0])
        return watch.seconds * 1000

    try:
        return await _turns(ours, theirs, sizes.singles)
    finally:
        stop.set()
        await running


async def _proofs(cluster: Cluster, dba: Any, signer: FileSigner, sizes: Sizes) -> Samples:
    """A tree of random leaves of its own, in the same table as the product's. Every proof is checked."""
    await dba.execute("truncate ledger.tile")
    tree, chance = TileFrontier(), random.Random(1)
    known, edge = dict[int, bytes](), dict[int, Tile]()  # edge: the tile of each level that is not full
    while tree.size < sizes.leaves:
        count = min(LEAVES_AT_ONCE, sizes.leaves - tree.size)
        block = os.urandom(32 * count)
        for place in chance.sample(range(count), min(count, 8)):
            known[tree.size + place] = block[32 * place : 32 * place + 32]
        tree, tiles = tree.extended([block[i : i + 32] for i in range(0, len(block), 32)])
        for tile in tiles:
            edge.pop(tile.level, None)  # the narrower form of it, which is never stored
            if tile.width < FULL_WIDTH:
                edge[tile.level] = tile
        full = [tile for tile in tiles if tile.width == FULL_WIDTH]
        await dba.copy_records_to_table("tile", schema_name="ledger", records=full)
    await dba.copy_records_to_table("tile", schema_name="ledger", records=edge.values())
    await dba.execute("analyze ledger.tile")
    note = Checkpoint("bench.example/ledger", tree.size, tree.root()).signed(signer.record._key)
    at = Signed(tree.size, note)
    dsn = cluster.dsn("app")
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), pool_size=1)
    plain = await asyncpg.connect(dsn)
    query = """select t.data from unnest($1::int[], $2::bigint[]) x(l, n)
               join ledger.tile t on t.level = x.l and t.n = x.n"""
    indexes = iter(chance.sample(sorted(known), min(len(known), 2 * sizes.singles)) * 3)

    async def ours() -> float:
        index = next(indexes)
        async with AsyncSession(engine) as db:
            await db.connection()
            began = time.perf_counter()
            found = await inclusion(db, [index], at)
            spent = (time.perf_counter() - began) * 1000
        if not verify_inclusion(known[index], index, tree.size, found[index].path, tree.root()):
            raise RuntimeError(f"the proof of entry {index} is wrong")
        return spent

    async def theirs() -> float:
        wanted = tiles_for_inclusion(next(indexes), tree.size)
        with Stopwatch() as watch:
            await plain.fetch(query, [tile.level for tile in wanted], [tile.number for tile in wanted])
        return watch.seconds * 1000

    try:
        for _ in range(3):
            await ours()
            await theirs()
        return await _turns(ours, theirs, sizes.singles)
    finally:
        await plain.close()
        await engine.dispose()


async def _turns(ours: Callable[[], Awaitable[float]], theirs: Callable[[], Awaitable[float]], rounds: int) -> Samples:
    samples = Samples([], [])
    for _ in range(rounds):
        samples.ours.append(await ours())
        samples.theirs.append(await theirs())
    return samples


def _bodies(count: int) -> list[bytes]:
    """Events of the usual size, each the first of a stream of its own."""
    return [
        canonical_json({
            "v": 1, "type": "custody:handover:offered", "stream": f"exhibit:{secrets.token_hex(8)}", "seq": 1,
            "prev": None, "at": "2026-11-22T01:00:00.000Z", "actor": {"id": 1, "name": "Aida Asanova"},
            "nonce": secrets.token_hex(16), "data": {"note": "x" * 350},
        })
        for _ in range(count)
    ]  # fmt: skip


async def _write(dba: Any, bodies: Sequence[bytes]) -> None:
    rows = [
        (uuid.uuid4(), f"exhibit:{leaf_hash(body).hex()}", 1, "custody:handover:offered", 1, body) for body in bodies
    ]
    columns = ["event_id", "stream", "stream_seq", "type", "actor_id", "body"]
    await dba.copy_records_to_table("entry", schema_name="ledger", columns=columns, records=rows)


def _keep(path: Path, parts: Sequence[bytes]) -> None:
    with path.open("wb") as file:
        file.write(b"".join(parts))
        file.flush()
        os.fsync(file.fileno())
