"""Nobody waits for a tick: who commits calls the sequencer, and the sequencer calls whoever asks the witnesses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from casemgmt.core import events
from casemgmt.core.db import NUDGE
from casemgmt.ledger import batches, witnessing
from casemgmt.ledger import sequencer as sequencing
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.witnessing import Witnessing
from casemgmt.trust.keys import SigningKey
from tests.ledger.entries import Writer
from tests.ledger.witnessed import House
from tests.witness.programs import Program, policy_of

NEVER = 3600.0  # seconds between two looks that nobody asked for


def told_of_first(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> asyncio.Event:
    """Set when the method has looked once and found nothing to do."""
    looked, method = asyncio.Event(), getattr(owner, name)

    async def look(self: Any) -> Any:
        done = await method(self)
        if not done:
            looked.set()
        return done

    monkeypatch.setattr(owner, name, look)
    return looked


async def test_a_sequencer_that_looks_once_an_hour_signs_what_was_committed(
    house: House, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    while await sequencer.advance():
        pass
    monkeypatch.setattr(sequencing, "QUICKEST", NEVER)
    monkeypatch.setattr(sequencing, "SLOWEST", NEVER)
    looked, stop, before = told_of_first(monkeypatch, Sequencer, "advance"), asyncio.Event(), sequencer.size
    running = asyncio.create_task(sequencer.run(stop))
    aida = house.people.aida
    try:
        async with asyncio.timeout(60):
            await looked.wait()
            await asyncio.sleep(NUDGE)  # a call of a moment ago would stand for this one
            async with house.database.begin(aida.actor) as db:
                await events.record(db, aida.actor, "accounts:test:made", f"person:{aida.login}", {})
            while sequencer.size == before:
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await running


async def test_whoever_asks_the_witnesses_once_an_hour_hears_of_a_new_checkpoint(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    while await sequencer.advance():
        pass
    monkeypatch.setattr(witnessing, "LOOK", NEVER)
    looked, stop = told_of_first(monkeypatch, Witnessing, "round"), asyncio.Event()
    running = asyncio.create_task(house.work.run(stop))
    try:
        async with asyncio.timeout(60):
            await looked.wait()
            before = await house.published()
            await writer.write()
            await sequencer.advance()
            assert sequencer.size > before
            while await house.published() < sequencer.size:
                await asyncio.sleep(0.05)
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
