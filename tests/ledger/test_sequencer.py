from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemgmt.ledger.errors import DamagedError, OtherKeyError
from casemgmt.ledger.sequencer import Sequencer, run_sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.tree import MerkleTree
from tests.db import Dsn
from tests.ledger.entries import Writer


async def drain(sequencer: Sequencer, size: int) -> None:
    """Until the tree has ``size`` leaves: another test's open transaction on this server may hold it back a moment."""
    async with asyncio.timeout(20):
        while sequencer.size < size:
            if not await sequencer.advance():
                await asyncio.sleep(0.01)


async def tree_of(connection: asyncpg.Connection[Any]) -> MerkleTree:
    rows = await connection.fetch(
        "select e.leaf_hash from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"
    )
    return MerkleTree(row["leaf_hash"] for row in rows)


async def test_every_batch_is_signed_and_its_root_is_that_of_the_whole_tree(
    writer: Writer, sequencer: Sequencer, key: SigningKey
) -> None:
    for count in (1, 2, 253, 1, 300, 7):
        await writer.write(count=count)
        await drain(sequencer, sequencer.size + count)
    tree = await tree_of(writer.connection)
    rows = await writer.connection.fetch("select * from ledger.checkpoint order by size")
    assert [row["size"] for row in rows] == [0, 1, 3, 256, 257, 557, 564]
    for row in rows:
        note = Note.parse(row["note"])
        note.require(key.verifier)
        assert Checkpoint.parse(note.text) == Checkpoint(key.name, row["size"], tree.root(row["size"]))
        assert row["root"] == tree.root(row["size"])


async def test_nothing_new_signs_nothing(writer: Writer, sequencer: Sequencer) -> None:
    await writer.write()
    await drain(sequencer, 1)
    assert await sequencer.advance() == 0
    assert await writer.connection.fetchval("select count(*) from ledger.checkpoint") == 2


async def test_an_entry_that_commits_late_holds_nobody_up_and_is_not_passed_over(
    ledger: Dsn, writer: Writer, sequencer: Sequencer
) -> None:
    late = await asyncpg.connect(ledger.dba)
    try:
        transaction = late.transaction()
        await transaction.start()
        await Writer(late).write("exhibit:late")
        await writer.write("exhibit:early", 3)  # younger transactions, committed before
        await drain(sequencer, 3)
        assert await sequencer.advance() == 0
        await transaction.commit()
    finally:
        await late.close()
    assert (await sequencer.lag()).entries == 1
    await drain(sequencer, 4)
    last = await writer.connection.fetchval(
        "select e.stream from ledger.leaf l join ledger.entry e on e.id = l.entry_id where l.leaf_index = 3"
    )
    assert last == "exhibit:late"
    assert (await sequencer.lag()).entries == 0


async def test_with_many_writers_every_committed_entry_gets_exactly_one_place(
    ledger: Dsn, writer: Writer, sequencer: Sequencer
) -> None:
    async def work(name: str) -> None:
        connection = await asyncpg.connect(ledger.dba)
        own = Writer(connection)
        for n in range(20):
            if n % 5 == 4:  # rolled back: takes ids, leaves no entry
                with pytest.raises(ZeroDivisionError):
                    async with connection.transaction():
                        await Writer(connection).write(f"exhibit:{name}-never")
                        raise ZeroDivisionError
            async with connection.transaction():
                await own.write(f"exhibit:{name}", 2)
                await asyncio.sleep(0.001 * (n % 7))
        await connection.close()

    stop = asyncio.Event()
    going = asyncio.create_task(sequencer.run(stop))
    await asyncio.gather(*(work(str(n)) for n in range(8)))
    stop.set()
    await going
    await drain(sequencer, 8 * 20 * 2)
    rows = await writer.connection.fetch("select leaf_index, entry_id from ledger.leaf order by leaf_index")
    assert [row["leaf_index"] for row in rows] == list(range(320))
    entries = await writer.connection.fetch("select id from ledger.entry")
    assert sorted(row["entry_id"] for row in rows) == sorted(row["id"] for row in entries)
    last = await writer.connection.fetchrow("select size, root from ledger.checkpoint order by size desc limit 1")
    assert last is not None
    assert (last["size"], last["root"]) == (320, (await tree_of(writer.connection)).root())


async def test_it_continues_after_a_restart_as_if_nothing_had_happened(
    ledger: Dsn, writer: Writer, signer: FileSigner, store: LocalStore, sequencer: Sequencer
) -> None:
    await writer.write(count=300)
    await drain(sequencer, 300)
    other = await asyncpg.connect(ledger.sequencer)
    again = await Sequencer.resume(other, signer, store)
    await writer.write(count=300)
    await drain(again, 600)
    await other.close()
    root = await writer.connection.fetchval("select root from ledger.checkpoint where size = 600")
    assert root == (await tree_of(writer.connection)).root()


async def test_only_the_widest_form_of_a_tile_is_kept(writer: Writer, sequencer: Sequencer) -> None:
    for _ in range(12):
        await writer.write(count=25)
        await drain(sequencer, sequencer.size + 25)
    tiles = await writer.connection.fetch("select level, n, width from ledger.tile order by 1, 2, 3")
    assert [tuple(tile) for tile in tiles] == [(0, 0, 256), (0, 1, 44), (1, 0, 1)]


async def test_another_key_is_refused_and_signs_nothing(
    ledger: Dsn, sequencer: Sequencer, key: SigningKey, store: LocalStore, tmp_path: Path
) -> None:
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(OtherKeyError, match=r"give it the ledger's own key"):
        await Sequencer.resume(connection, FileSigner(SigningKey.generate(key.name), tmp_path / "other"), store)
    assert await connection.fetchval("select count(*) from ledger.checkpoint") == 1
    await connection.close()


async def test_a_damaged_tile_stops_it(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, signer: FileSigner, store: LocalStore
) -> None:
    await writer.write(count=3)
    await drain(sequencer, 3)
    await writer.connection.execute("update ledger.tile set data = set_byte(data, 0, get_byte(data, 0) # 1)")
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(DamagedError, match="does not have the root that was signed"):
        await Sequencer.resume(connection, signer, store)
    await connection.close()


async def test_a_second_sequencer_waits_until_the_first_ends(
    ledger: Dsn, writer: Writer, signer: FileSigner, store: LocalStore
) -> None:
    stops = [asyncio.Event(), asyncio.Event()]
    tasks = [asyncio.create_task(run_sequencer(ledger.sequencer, signer, store, stop)) for stop in stops]
    try:
        await writer.write(count=10)
        await _until_signed(writer, 10)
        stops[0].set()
        await asyncio.wait(tasks, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        await writer.write(count=10)
        await _until_signed(writer, 20)
    finally:
        for stop in stops:
            stop.set()
        await asyncio.gather(*tasks)
    assert (await tree_of(writer.connection)).size == 20


async def test_the_sequencer_cannot_write_an_entry_or_change_a_leaf(
    ledger: Dsn, writer: Writer, sequencer: Sequencer
) -> None:
    await writer.write()
    await drain(sequencer, 1)
    connection = await asyncpg.connect(ledger.sequencer)
    for statement in (
        "insert into ledger.entry(event_id, stream, stream_seq, type, body)"
        " values (gen_random_uuid(), 'x', 1, 'x', 'x')",
        "delete from ledger.leaf",
        "update ledger.checkpoint set note = ''",
        "update ledger.log set vkey = ''",
        "delete from ledger.log",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_a_leaf_of_no_entry_is_refused_also_among_others(
    ledger: Dsn, writer: Writer, sequencer: Sequencer
) -> None:
    await writer.write(count=2)
    entries = [row["id"] for row in await writer.connection.fetch("select id from ledger.entry order by id")]
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(
            "insert into ledger.leaf(leaf_index, entry_id) values (0, $1), (1, $2), (2, $3)",
            *entries, max(entries) + 1,
        )  # fmt: skip
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("insert into ledger.leaf(leaf_index, entry_id) values (0, $1), (1, $1)", entries[0])
    await connection.close()
    assert await sequencer.advance() == 2


async def _until_signed(writer: Writer, size: int) -> None:
    async with asyncio.timeout(20):
        while not await writer.connection.fetchval("select true from ledger.checkpoint where size = $1", size):
            await asyncio.sleep(0.02)
