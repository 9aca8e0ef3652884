"""Nobody waits for a tick: who commits calls the sequencer, and the sequencer calls whoever asks the witnesses."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from casemgmt.core import events
from casemgmt.core.db import Database
from casemgmt.ledger import batches, sequencer, witnessing
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.settings import Settings
from casemgmt.trust.keys import SigningKey
from tests.cast import World
from tests.ledger.entries import Writer
from tests.ledger.running import sequencing
from tests.ledger.test_witnessing import House, house, programs
from tests.witness.programs import Program, policy_of

__all__ = ["house", "programs"]

NEVER = 3600.0  # seconds between two looks that nobody asked for


async def test_a_sequencer_that_looks_once_an_hour_signs_what_was_committed(
    settings: Settings, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "QUICKEST", NEVER)
    monkeypatch.setattr(sequencer, "SLOWEST", NEVER)
    connection = await asyncpg.connect(settings.sequencer_dsn)
    before = await connection.fetchval("select coalesce(max(size), 0) from ledger.checkpoint")
    actor = world.aida.actor
    async with sequencing(settings), asyncio.timeout(60):
        while not await connection.fetchval("select exists (select from ledger.checkpoint where size > $1)", before):
            async with database.begin(actor) as db:  # again: what is there at the first look needs no call
                await events.record(db, actor, "accounts:test:made", f"person:{world.aida.login}", {})
            await asyncio.sleep(0.2)
    await connection.close()


async def test_whoever_asks_the_witnesses_once_an_hour_hears_of_a_new_checkpoint(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    while await house.work.round():
        pass
    monkeypatch.setattr(witnessing, "LOOK", NEVER)
    stop = asyncio.Event()
    running = asyncio.create_task(house.work.run(stop))
    try:
        async with asyncio.timeout(60):
            while await house.published() < sequencer.size:
                await writer.write()
                await sequencer.advance()
                await asyncio.sleep(0.2)
    finally:
        stop.set()
        await running


async def test_taking_one_entry_does_not_read_those_that_have_their_place(writer: Writer, sequencer: Sequencer) -> None:
    """The rows of the waiting line that were deleted look to the planner like thousands that wait."""
    await writer.write(count=5_000)
    await writer.connection.execute("analyze ledger.waiting; analyze ledger.entry")
    while await sequencer.advance():
        pass
    await writer.write()
    plan = await writer.connection.fetch(
        "explain (analyze, buffers off, timing off, costs off) "
        + batches.NEXT.replace("$1", str(batches.MOST)).replace("$2", str(batches.MOST_BYTES))
    )
    read = [row[0] for row in plan if "on entry e" in row[0]]
    assert len(read) == 1
    assert "rows=1.00 loops=1" in read[0] or "rows=1 loops=1" in read[0]
