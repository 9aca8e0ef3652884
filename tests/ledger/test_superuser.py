"""A superuser of the database rewrites history. Whatever they put right as well, somebody still knows better."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemgmt.ledger.errors import ForkError, SignerRefusedError
from casemgmt.ledger.findings import CHAIN, CHECKPOINT, SIGNER, STORE, TREE, Findings
from casemgmt.ledger.sequencer import Sequencer, run_sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.tiles import TileFrontier
from tests.db import Dsn
from tests.ledger.entries import Writer, event_body
from tests.ledger.test_recompute import look
from tests.ledger.test_sequencer import drain, tree_of

Dba = Any

REWRITE = (
    "update ledger.entry set body = overlay(body placing '2025'::bytea from position('2026'::bytea in body))"
    " where stream = 'exhibit:two' and stream_seq = 7"
)
REWRITE_LAST = (
    "update ledger.entry set body = overlay(body placing '2025'::bytea from position('2026'::bytea in body))"
    " where stream = 'exhibit:{}' and stream_seq = 150"
)


@pytest.fixture
async def dba(writer: Writer, sequencer: Sequencer) -> AsyncIterator[Dba]:
    """300 entries in two streams and two batches; the superuser has switched every wall off."""
    for stream in ("exhibit:one", "exhibit:two"):
        await writer.write(stream, 150)
        await drain(sequencer, sequencer.size + 150)
    await writer.connection.execute("set session_replication_role = replica")
    for table in ("entry", "leaf", "checkpoint", "batch", "archived"):
        await writer.connection.execute(f"alter table ledger.{table} disable trigger all")
    yield writer.connection


def known_from(found: Findings) -> set[str]:
    return {fault.rpartition("[known from ")[2].rstrip("]") for fault in found.faults}


async def rebuild(dba: Dba, key: SigningKey) -> None:
    """Everything the database holds of the tree put right again for its leaves as they are now, and signed anew with
    the log's own key: the most that whoever holds database and key can do."""
    leaves = [
        row["leaf_hash"]
        for row in await dba.fetch(
            "select e.leaf_hash from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"
        )
    ]
    await dba.execute("delete from ledger.tile")
    tree = TileFrontier()
    sizes = [size for (size,) in await dba.fetch("select size from ledger.batch order by size") if size <= len(leaves)]
    for size in sizes or [len(leaves)]:
        tree, tiles = tree.extended(leaves[tree.size : size])
        for tile in tiles:
            await dba.execute("delete from ledger.tile where level = $1 and n = $2", tile.level, tile.number)
            await dba.execute("insert into ledger.tile values ($1, $2, $3, $4)", *tile)
        note = str(Checkpoint(key.name, size, tree.root()).signed(key))
        await dba.execute("update ledger.batch set root = $1 where size = $2", tree.root(), size)
        await dba.execute("update ledger.checkpoint set root = $1, note = $2 where size = $3", tree.root(), note, size)


async def test_one_event_changed(ledger: Dsn, dba: Dba, store: LocalStore, signer: FileSigner) -> None:
    await dba.execute(REWRITE)
    found = await look(ledger, store=store, record=await signer.last())
    assert found.faults[0].startswith("leaf 156, entry ")
    assert "(event 7 of exhibit:two)" in found.faults[0]
    assert known_from(found) == {TREE, CHECKPOINT, CHAIN, STORE, SIGNER}


async def test_the_last_event_deleted_with_everything_that_stood_on_it(
    ledger: Dsn, dba: Dba, store: LocalStore, signer: FileSigner, key: SigningKey
) -> None:
    last = await dba.fetchval("select entry_id from ledger.leaf where leaf_index = 299")
    await dba.execute("delete from ledger.leaf where leaf_index = 299")
    await dba.execute("delete from ledger.entry where id = $1", last)
    found = await look(ledger, store=store, record=await signer.last())
    assert {TREE, CHECKPOINT, STORE, SIGNER} <= known_from(found)
    await dba.execute("delete from ledger.checkpoint where size = 300")
    await dba.execute("delete from ledger.archived where first = 150")
    await dba.execute("update ledger.batch set size = 299 where first = 150")
    await dba.execute("insert into ledger.checkpoint values (299, '\\x00', '')")
    await rebuild(dba, key)
    found = await look(ledger, store=store, record=await signer.last())
    assert known_from(found) == {STORE, SIGNER}, found.faults
    assert any("a tree of 300 entries was signed last, but only 299 are there" in fault for fault in found.faults)


async def test_two_events_swapped(ledger: Dsn, dba: Dba, store: LocalStore) -> None:
    a, b = [row["entry_id"] for row in await dba.fetch("select entry_id from ledger.leaf where leaf_index in (10, 11)")]
    await dba.execute("delete from ledger.leaf where leaf_index in (10, 11)")
    await dba.execute("insert into ledger.leaf values (10, $2), (11, $1)", a, b)
    found = await look(ledger, store=store)
    assert found.faults[0].startswith("leaf 10, entry ")
    assert known_from(found) == {TREE, CHECKPOINT, STORE}


async def test_one_event_inserted(ledger: Dsn, dba: Dba, store: LocalStore) -> None:
    await dba.execute("update ledger.leaf set leaf_index = -leaf_index where leaf_index >= 100")
    await dba.execute("update ledger.leaf set leaf_index = 1 - leaf_index where leaf_index < 0")
    entry = await dba.fetchval(
        "insert into ledger.entry(event_id, stream, stream_seq, type, actor_id, body)"
        " select gen_random_uuid(), 'exhibit:never', 1, type, 1, $1 from ledger.entry limit 1 returning id",
        event_body("exhibit:never", 1, None),
    )
    await dba.execute("insert into ledger.leaf values (100, $1)", entry)
    found = await look(ledger, store=store)
    assert found.faults[0].startswith("leaf 100, entry ")
    assert "(event 1 of exhibit:never)" in found.faults[0]
    assert {TREE, CHECKPOINT, STORE} <= known_from(found)


async def test_the_tree_rebuilt_and_signed_with_the_logs_own_key(
    ledger: Dsn, dba: Dba, store: LocalStore, signer: FileSigner, key: SigningKey
) -> None:
    # the chain put right as well: an event that nothing follows
    await dba.execute(REWRITE_LAST.format("one"))
    await rebuild(dba, key)
    inside = await look(ledger)
    assert inside.faults == [], "the database by itself is sound: nothing in it remembers"
    found = await look(ledger, store=store, record=await signer.last())
    assert known_from(found) == {STORE, SIGNER}
    assert "leaf 149, entry " in found.faults[0]
    # and it cannot be carried on: the signer signs nothing that stands on it
    tree = await tree_of(dba)
    with pytest.raises(SignerRefusedError):
        await signer.sign(Checkpoint(key.name, 300, tree.root()), 300, [])
    await dba.execute("set session_replication_role = origin")
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(ForkError, match="another tree of 300 entries was signed"):
        await Sequencer.resume(connection, signer, store)
    await connection.close()


async def test_a_rebuilt_tree_is_not_carried_on_even_by_who_stole_the_key_without_its_record(
    ledger: Dsn, dba: Dba, store: LocalStore, key: SigningKey, writer: Writer, tmp_path: Path
) -> None:
    await dba.execute(REWRITE_LAST.format("two"))
    await rebuild(dba, key)
    await dba.execute("delete from ledger.archived where first = 150")  # so that the batch is put once more
    await dba.execute("set session_replication_role = origin")
    thief = FileSigner(key, tmp_path / "a-record-of-his-own")
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(ForkError, match="the write-once store holds another batch"):
        await Sequencer.resume(connection, thief, store)
    await connection.close()


async def test_a_halted_ledger_takes_no_event_until_it_is_recovered(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, store: LocalStore, key: SigningKey, tmp_path: Path
) -> None:
    await writer.write(count=3)
    await drain(sequencer, 3)
    await writer.write(count=2)
    other = FileSigner(key, tmp_path / "ledger.signed")
    # another database with the same log went on: the signer has seen a fourth and a fifth entry of its own
    elsewhere = TileFrontier().extended([bytes(32)] * 5)[0]
    (tmp_path / "ledger.signed").write_text(str(Checkpoint(key.name, 5, elsewhere.root()).signed(key)))
    with pytest.raises(ForkError):
        async with asyncio.timeout(20):
            await run_sequencer(ledger.sequencer, other, store, asyncio.Event())
    assert "was signed" in await writer.connection.fetchval("select reason from ledger.halt")
    with pytest.raises(asyncpg.PostgresError, match="the ledger has stopped"):
        await writer.write()
