"""A log and its witnesses, for the tests of what they do together: real programs, restored and rewritten histories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from casemgmt.core.db import Database
from casemgmt.ledger import policy, proofs
from casemgmt.ledger.errors import QuorumNotMet
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.ledger.standing import Witnessed, standing
from casemgmt.ledger.witnessing import Witnessing
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.tree import MerkleTree
from tests.cast import World, make_world
from tests.db import Dsn
from tests.ledger.entries import Writer

NAMES = ("customs", "police", "prosecution")


class House:
    """A log with a policy: its database, its administrator, its witnessing."""

    def __init__(self, dsn: Dsn, database: Database, people: World, work: Witnessing) -> None:
        self.dsn, self.database, self.people, self.work = dsn, database, people, work

    async def put_in_force(self, text: str, reason: str = "agreement 12") -> None:
        async with self.database.begin(self.people.admin.actor) as db:
            await policy.change(db, self.people.admin.actor, text, reason)

    async def published(self) -> int:
        async with self.database.begin(self.people.admin.actor) as db:
            return (await proofs.latest_checkpoint(db)).size

    async def standing(self) -> dict[str, Witnessed]:
        async with self.database.begin(self.people.admin.actor) as db:
            return {witness.name: witness for witness in await standing(db)}


async def open_house(dsn: Dsn, key: SigningKey) -> AsyncIterator[House]:
    database = Database(dsn.app, dsn.gate)
    await database.open()
    dba, worker = await asyncpg.connect(dsn.dba), await asyncpg.connect(dsn.sequencer)
    people = await make_world(dba, database)
    work = Witnessing(worker, key.verifier)
    yield House(dsn, database, people, work)
    await work._abandon()
    await database.close()
    await dba.close()
    await worker.close()


async def until(work: Callable[[], Any], happened: Callable[[], Any]) -> None:
    """Repeat ``work`` until ``happened``."""
    async with asyncio.timeout(20):
        while not await happened():
            await work()
            await asyncio.sleep(0.01)


async def cosigned_up_to(house: House, name: str, size: int) -> bool:
    return (await house.standing())[name].size == size


async def answers(question: Callable[[], Any], answer: object) -> bool:
    return bool(await question() == answer)


async def rewrite_everything(dba: asyncpg.Connection[Any], key: SigningKey) -> None:
    """Change an early entry, add one, and compute and sign the whole ledger anew."""
    forged = b'{"forged":true}'
    async with dba.transaction():
        for table in ("entry", "leaf", "checkpoint"):
            await dba.execute(f"alter table ledger.{table} disable trigger user")
        await dba.execute(
            "update ledger.entry set body = body || ' '"
            " where id = (select entry_id from ledger.leaf where leaf_index = 3)"
        )
        entry = await dba.fetchval(
            "insert into ledger.entry(event_id, stream, stream_seq, type, actor_id, body)"
            " values (gen_random_uuid(), 'exhibit:x', 1, 'a:b:c', 1, $1) returning id",
            forged,
        )
        await dba.execute("insert into ledger.leaf select max(leaf_index) + 1, $1 from ledger.leaf", entry)
        rows = await dba.fetch(
            "select e.body from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by l.leaf_index"
        )
        leaves = [leaf_hash(row["body"]) for row in rows]
        assert len(leaves) < 256  # one tile
        await dba.execute("update ledger.tile set data = $1, width = $2", b"".join(leaves), len(leaves))
        root = MerkleTree(leaves).root()
        signed = Checkpoint(key.name, len(leaves), root).signed(key)
        await dba.execute("insert into ledger.checkpoint values ($1, $2, $3)", len(leaves), root, str(signed))


async def published_or_none(house: House) -> int | None:
    try:
        return await house.published()
    except QuorumNotMet:
        return None


@asynccontextmanager
async def restored(
    dsn: Dsn, source: asyncpg.Connection[Any], key: SigningKey, size: int, folder: Path
) -> AsyncIterator[tuple[House, Sequencer, Writer]]:
    """The ledger of ``source`` as it was at ``size``, policy and all, with the same key: in another database, with a
    store and a signing record of its own."""
    dba, worker = await asyncpg.connect(dsn.dba), await asyncpg.connect(dsn.sequencer)
    await copy_entries(source, dba, 0, size)
    await dba.execute("alter table ledger.policy disable trigger has_event")
    for row in await source.fetch("select version, text, entry_id from ledger.policy"):
        await dba.execute("insert into ledger.policy(version, text, entry_id, changed_by) values ($1, $2, $3, 1)", *row)
    store = LocalStore(folder / "elsewhere")
    store.prepare()
    sequencer = await Sequencer.resume(worker, FileSigner(key, folder / "elsewhere.signed"), store)
    await sequencer.advance()
    assert sequencer.size == size
    async for house in open_house(dsn, key):
        yield house, sequencer, Writer(dba)
    await worker.close()
    await dba.close()
    store.close()


async def copy_entries(source: asyncpg.Connection[Any], target: asyncpg.Connection[Any], first: int, end: int) -> None:
    """Leaves ``first`` to ``end``, byte for byte and in their order, as entries of another database."""
    rows = await source.fetch(
        "select e.id, e.event_id, e.stream, e.stream_seq, e.type, e.actor_id, e.body from ledger.leaf l"
        " join ledger.entry e on e.id = l.entry_id where l.leaf_index >= $1 and l.leaf_index < $2"
        " order by l.leaf_index",
        first, end,
    )  # fmt: skip
    await target.execute("alter table ledger.entry disable trigger move_head")
    await target.execute("select setval(pg_get_serial_sequence('ledger.entry', 'id'), 1000)")
    await target.executemany(
        "insert into ledger.entry(id, event_id, stream, stream_seq, type, actor_id, body) overriding system value"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        [tuple(row) for row in rows],
    )
