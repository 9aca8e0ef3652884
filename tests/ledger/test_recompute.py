from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from casemgmt.ledger.findings import Findings
from casemgmt.ledger.recompute import recompute
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from tests.db import Dsn
from tests.ledger.entries import Writer, event_body
from tests.ledger.test_sequencer import drain

Dba = Any


@pytest.fixture
async def verified(ledger: Dsn, writer: Writer, sequencer: Sequencer) -> AsyncIterator[Dba]:
    """A sound ledger of 600 entries; yields a superuser who has switched the walls off."""
    for stream in ("exhibit:one", "exhibit:two", "exhibit:three"):
        await writer.write(stream, 200)
        await drain(sequencer, sequencer.size + 200)
    for table in ("entry", "leaf", "checkpoint"):
        await writer.connection.execute(f"alter table ledger.{table} disable trigger no_change")
    yield writer.connection


async def look(
    ledger: Dsn, key: SigningKey | None = None, *, store: LocalStore | None = None, record: Checkpoint | None = None
) -> Findings:
    connection = await asyncpg.connect(ledger.verifier)
    try:
        return await recompute(connection, key.verifier if key else None, store=store, record=record)
    finally:
        await connection.close()


async def test_a_sound_ledger_has_no_fault(ledger: Dsn, verified: Dba, key: SigningKey) -> None:
    found = await look(ledger, key)
    assert found.faults == []
    assert (found.entries, found.checkpoints, found.streams, found.waiting) == (600, 4, 3, 0)
    assert found.root == await verified.fetchval("select root from ledger.checkpoint where size = 600")


async def test_an_empty_ledger_has_no_fault(ledger: Dsn, sequencer: Sequencer) -> None:
    assert (await look(ledger)).faults == []


async def test_it_names_the_entry_a_superuser_rewrote(ledger: Dsn, verified: Dba) -> None:
    await verified.execute(
        "update ledger.entry set body = overlay(body placing '2025'::bytea from position('2026'::bytea in body))"
        " where stream = 'exhibit:two' and stream_seq = 77"
    )
    found = await look(ledger)
    assert found.faults[0].startswith("leaf 276, entry ")
    assert "(event 77 of exhibit:two)" in found.faults[0]
    assert any("event 78 of exhibit:two) does not name the event before it" in fault for fault in found.faults)
    assert any("the signed root of 400 entries is another one" in fault for fault in found.faults)


async def test_it_sees_an_entry_rewritten_together_with_its_tile_and_its_stream(ledger: Dsn, verified: Dba) -> None:
    """The whole tree put right again: only what was signed still knows."""
    body = event_body("exhibit:three", 1, None)
    await verified.execute("update ledger.entry set body = $1 where stream = 'exhibit:three' and stream_seq = 1", body)
    await verified.execute("delete from ledger.tile")
    found = await look(ledger)
    assert any("the signed root of 600 entries is another one: leaves 400 to 599" in fault for fault in found.faults)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "update ledger.tile set data = set_byte(data, 70, get_byte(data, 70) # 1) where level = 0 and n = 1",
            "leaf 258",
        ),
        (
            "update ledger.tile set data = set_byte(data, 0, get_byte(data, 0) # 1) where level = 1",
            "tile 0 of level 1 has another hash",
        ),
        ("delete from ledger.tile where level = 1", "tile 0 of level 1 is missing"),
        ("insert into ledger.tile values (3, 9, 1, '\\x00')", "tiles are stored"),
        ("update ledger.checkpoint set root = sha256('') where size = 400", "says something else in its row"),
        ("update ledger.checkpoint set note = replace(note, '400', '401') where size = 400", "not one the log signed"),
        ("delete from ledger.checkpoint where size = 600", "the last 200 leaves are under no checkpoint"),
        ("delete from ledger.leaf where leaf_index = 599", "but only 599 are there"),
        ("delete from ledger.leaf where leaf_index = 3", "leaf 3 is missing"),
        ("update ledger.entry set type = 'custody:exhibit:other' where id = 5", "says something else in its row"),
        ("update ledger.entry set actor_id = actor_id + 1 where id = 5", "says something else in its row"),
    ],
)
async def test_it_names_what_was_changed(statement: str, fault: str, ledger: Dsn, verified: Dba) -> None:
    await verified.execute(statement)
    found = await look(ledger)
    assert any(fault in line for line in found.faults), found.faults


async def test_it_refuses_a_log_key_that_is_not_the_published_one(ledger: Dsn, verified: Dba) -> None:
    found = await look(ledger, SigningKey.generate("test.example/ledger"))
    assert "not the published one" in found.faults[0]
    assert "not one the log signed" in found.faults[1]


async def test_it_notices_an_entry_that_was_passed_over(ledger: Dsn, verified: Dba, writer: Writer) -> None:
    await writer.write("exhibit:four")
    await verified.execute("delete from ledger.waiting")
    found = await look(ledger)
    assert any("(event 1 of exhibit:four) was passed over" in fault for fault in found.faults)
    assert found.waiting == 1


async def test_what_waits_to_be_sequenced_is_counted_and_is_no_fault(
    ledger: Dsn, verified: Dba, writer: Writer
) -> None:
    await writer.write("exhibit:five", 2)
    found = await look(ledger)
    assert (found.faults, found.waiting) == ([], 2)
