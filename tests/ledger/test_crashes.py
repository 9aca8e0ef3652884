from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from casemgmt.ledger import sequencer as module
from casemgmt.ledger.recompute import recompute
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.tiles import Tile
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain, tree_of

PROGRAM = """
import asyncio, sys
from casemgmt.ledger.sequencer import run_sequencer
from casemgmt.ledger.signer import load_log_key
from pathlib import Path
asyncio.run(run_sequencer(sys.argv[1], load_log_key(Path(sys.argv[2])), asyncio.Event()))
"""


async def test_killed_at_any_moment_it_never_forks(
    ledger: Dsn, writer: Writer, key: SigningKey, tmp_path: Path
) -> None:
    key_file = tmp_path / "ledger.key"
    key_file.write_text(key.to_text())
    chance = random.Random(7)

    killing = True

    async def keep_writing() -> None:
        n = 0
        while killing:
            n += 1
            await writer.write(f"exhibit:{n % 5}", chance.randrange(1, 40))
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(keep_writing())
    signed: dict[int, bytes] = {}
    look = await asyncpg.connect(ledger.dba)
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, ledger.sequencer, str(key_file))
        before = await look.fetchval("select coalesce(max(size), -1) from ledger.checkpoint")
        async with asyncio.timeout(30):
            while await look.fetchval("select coalesce(max(size), -1) from ledger.checkpoint") == before:
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.random() * 0.1)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        # what was signed once stays signed, and nothing else is ever signed for that size
        rows = {row["size"]: row["root"] for row in await look.fetch("select size, root from ledger.checkpoint")}
        assert signed.items() <= rows.items()
        signed = rows
    killing = False
    await writing
    last = await asyncpg.connect(ledger.sequencer)
    again = await Sequencer.resume(last, key)
    total = await look.fetchval("select count(*) from ledger.entry")
    await drain(again, total)
    tree = await tree_of(look)
    for size, root in signed.items():
        assert root == tree.root(size)
    verifier = await asyncpg.connect(ledger.verifier)
    found = await recompute(verifier)
    assert (found.faults, found.entries, found.waiting) == ([], total, 0)
    for connection in (look, last, verifier):
        await connection.close()


@pytest.mark.parametrize("step", ["_store", "_sign"])
async def test_when_a_batch_fails_half_way_nothing_of_it_is_kept_and_the_next_try_gives_the_same_root(
    *, step: str, ledger: Dsn, writer: Writer, key: SigningKey, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(count=5)
    await drain(sequencer, 5)
    await writer.write(count=7)

    class PowerCutError(Exception):
        pass

    async def fails(*_: object) -> None:
        raise PowerCutError

    store = Sequencer._store

    async def fails_after_storing(self: Sequencer, tiles: Sequence[Tile]) -> None:
        await store(self, tiles)
        raise PowerCutError

    with monkeypatch.context() as patch:
        if step == "_store":
            patch.setattr(Sequencer, "_store", fails_after_storing)
        else:
            patch.setattr(module, "_sign", fails)
        with pytest.raises(PowerCutError):
            async with asyncio.timeout(10):
                while True:
                    await sequencer.advance()
                    await asyncio.sleep(0.01)
    assert await writer.connection.fetchval("select count(*) from ledger.leaf") == 5
    connection = await asyncpg.connect(ledger.sequencer)
    again = await Sequencer.resume(connection, key)
    await drain(again, 12)
    await connection.close()
    assert (
        await writer.connection.fetchval("select root from ledger.checkpoint where size = 12")
        == (await tree_of(writer.connection)).root()
    )
