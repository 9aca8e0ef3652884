"""Our witness beside another one, litewitness, asked by the same log; and beside the two syncs it cannot do without."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.harness import Row, Samples, delay
from bench.sizes import Sizes
from casemgmt.ledger.asking import post
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import NOTE, SigningKey
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.witness import request
from tests.interop.lite import Lite
from tests.interop.peers import LITEWITNESS, TLOGPEER
from tests.witness.programs import Program

START = 10_000  # entries before the first question: proofs have their usual length


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    count = 40 * sizes.rounds
    what = f"a witness asked {count} times, one entry more each time: milliseconds an answer"
    syncs = [_synced(folder / "synced") for _ in range(count)]
    log = SigningKey.generate("bench.example/ledger", NOTE)
    tree = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(START + count))
    ours, theirs = asyncio.run(_asked(folder, log, tree, count))
    yield delay(what, "writing and syncing a file and its folder, alone", Samples(ours, syncs), 5, or_extra=10)
    if theirs:
        yield delay(what, "litewitness (syncs one file)", Samples(ours, theirs), 3, or_extra=5)


async def _asked(folder: Path, log: SigningKey, tree: MerkleTree, count: int) -> tuple[list[float], list[float]]:
    """Both in turn, request by request: what the machine does meanwhile is done to both."""
    ours: list[float] = []
    theirs: list[float] = []
    async with _running(folder, log) as (mine, lite):
        old = 0
        for size in range(START, START + count):
            proof = tree.consistency(old, size) if old else []
            body = request(old, proof, Checkpoint(log.name, size, tree.root(size)).signed(log), log.verifier)
            for address, samples in ((mine, ours), (lite, theirs)):
                if address is not None:
                    began = time.perf_counter()
                    reply = await post(address, body, 10.0)
                    samples.append((time.perf_counter() - began) * 1000)
                    assert reply.status == 200, reply
            old = size
    return ours, theirs


@asynccontextmanager
async def _running(folder: Path, log: SigningKey) -> AsyncIterator[tuple[str, str | None]]:
    program = Program.make(folder, "police", log.verifier)
    lite = Lite(folder, log) if LITEWITNESS.exists() and TLOGPEER.exists() else None
    await program.start()
    try:
        if lite is not None:
            await lite.start()
        yield program.url, lite.url if lite else None
    finally:
        program.kill()
        if lite is not None:
            lite.stop()


def _synced(folder: Path) -> float:
    """Milliseconds of the least a witness has to wait for: one small file replaced, it and its folder on disk."""
    folder.mkdir(exist_ok=True)
    began = time.perf_counter()
    new = folder / "checkpoint.new"
    with new.open("wb") as file:
        file.write(b"x" * 400)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / "checkpoint")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return (time.perf_counter() - began) * 1000
