from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from casemgmt.ledger import sequencer as sequencer_module
from casemgmt.ledger.recompute import recompute
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.keys import SigningKey
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain, tree_of

PROGRAM = """
import asyncio, sys
from casemgmt.ledger.sequencer import run_sequencer
from casemgmt.ledger.signer import FileSigner, load_log_key
from casemgmt.storage.local import LocalStore
from pathlib import Path
dsn, folder = sys.argv[1], Path(sys.argv[2])
signer = FileSigner(load_log_key(folder / "ledger.key"), folder / "ledger.signed")
asyncio.run(run_sequencer(dsn, signer, LocalStore(folder / "store"), asyncio.Event()))
"""


async def test_killed_at_any_moment_it_never_forks(
    ledger: Dsn, writer: Writer, key: SigningKey, signer: FileSigner, store: LocalStore, tmp_path: Path
) -> None:
    (tmp_path / "ledger.key").write_text(key.to_text())
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
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, ledger.sequencer, str(tmp_path))
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
    again = await Sequencer.resume(last, signer, store)
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


class PowerCutError(Exception):
    pass


async def cut(*_: object, **__: object) -> None:
    raise PowerCutError


STEPS = {
    "before anything": (Sequencer, "_sequence"),
    "between the tree and the store": (Sequencer, "_store"),
    "between the store and the signature": (FileSigner, "sign"),
    "between the signature and the checkpoint": (sequencer_module, "keep_checkpoint"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_cut_off_between_two_writes_the_next_start_signs_the_same_tree_and_no_other(
    *, step: str, ledger: Dsn, writer: Writer, signer: FileSigner, store: LocalStore, sequencer: Sequencer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await writer.write(count=5)
    await drain(sequencer, 5)
    await writer.write(count=300)
    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], cut)
        with pytest.raises(PowerCutError):
            await sequencer.advance()
    left = {
        "leaves": await writer.connection.fetchval("select count(*) from ledger.leaf"),
        "stored": len(store.objects()),
        "remembered": (await signer.last()).size,  # type: ignore[union-attr]
        "signed": await writer.connection.fetchval("select max(size) from ledger.checkpoint"),
    }
    assert (
        list(left.values())
        == {
            "before anything": [5, 1, 5, 5],
            "between the tree and the store": [305, 1, 5, 5],
            "between the store and the signature": [305, 2, 5, 5],
            "between the signature and the checkpoint": [305, 2, 305, 5],
        }[step]
    )
    await writer.write("exhibit:later", 3)  # must not slip into the batch that is half done
    connection = await asyncpg.connect(ledger.sequencer)
    again = await Sequencer.resume(connection, signer, store)
    await drain(again, 308)
    await connection.close()
    tree = await tree_of(writer.connection)
    rows = await writer.connection.fetch("select size, root from ledger.checkpoint order by size")
    sizes = [0, 5, 308] if step == "before anything" else [0, 5, 305, 308]
    assert [(row["size"], row["root"]) for row in rows] == [(size, tree.root(size)) for size in sizes]
    assert len(store.objects()) == len(sizes) - 1
