"""An old backup is restored: the log stops, nothing is signed, and what the store holds brings it back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from casemgmt.embedded import roles
from casemgmt.embedded.cluster import Cluster
from casemgmt.ledger import batches
from casemgmt.ledger.cosigning import Cosigned, ask_about
from casemgmt.ledger.errors import ForkError, LedgerError, RewoundError
from casemgmt.ledger.recover import recover
from casemgmt.ledger.reimport import ConflictError, Recovered
from casemgmt.ledger.sequencer import Sequencer, run_sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from tests import db
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_recompute import look
from tests.ledger.test_sequencer import drain, tree_of
from tests.witness.programs import Program, policy_of


@dataclass
class House:
    """A ledger, and copies of its database as they were."""

    cluster: Cluster
    ledger: Dsn
    signer: FileSigner
    store: LocalStore
    names: list[str]

    async def backup(self) -> Dsn:
        """The database as it is now, beside it: restored, in effect, the moment it is looked at."""
        connection = await asyncpg.connect(self.cluster.dsn(roles.SUPERUSER, "postgres"))
        source = urlsplit(self.ledger.dba).path.strip("/")
        name = f"test_backup_{secrets.token_hex(6)}"
        try:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
                source,
            )
            await connection.execute(f"create database {name} owner owner template {source} strategy file_copy")
            await connection.execute(roles.admit_to_database(name))
        finally:
            await connection.close()
        self.names.append(name)
        return Dsn(**{role: self.cluster.dsn(role, name) for role in (*roles.LOGIN_ROLES, roles.SUPERUSER)})

    async def work(self, dsn: Dsn, count: int, stream: str = "exhibit:one") -> None:
        """``count`` events, one after the other, each signed."""
        writer, sequencing = await asyncpg.connect(dsn.dba), await asyncpg.connect(dsn.sequencer)
        sequencer = await Sequencer.resume(sequencing, self.signer, self.store)
        continued = Writer(writer)
        await continued.follow(stream)
        for _ in range(count):
            await continued.write(stream)
            await drain(sequencer, sequencer.size + 1)
        await writer.close()
        await sequencing.close()

    async def start(self, dsn: Dsn) -> None:
        """The worker's sequencer over this database; it must end by itself."""
        async with asyncio.timeout(20):
            await run_sequencer(dsn.sequencer, self.signer, self.store, asyncio.Event())

    async def recover(self, dsn: Dsn, *known: Note, policy: Policy | None = None) -> Recovered:
        owner, sequencing = await asyncpg.connect(dsn.owner_login), await asyncpg.connect(dsn.sequencer)
        try:
            return await recover(
                owner,
                sequencing,
                self.signer,
                self.store,
                retention=timedelta(days=1),
                known=list(known),
                policy=policy,
            )
        finally:
            await owner.close()
            await sequencing.close()


@pytest.fixture
async def house(cluster: Cluster, ledger: Dsn, signer: FileSigner, store: LocalStore) -> AsyncIterator[House]:
    made = House(cluster, ledger, signer, store, [])
    yield made
    for name in made.names:
        await db.drop(cluster, name)


async def rows(dsn: Dsn, query: str) -> list[Any]:
    connection = await asyncpg.connect(dsn.dba)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_a_restored_backup_stops_the_log_and_does_not_fork_it(house: House) -> None:
    await house.work(house.ledger, 3)
    old = await house.backup()
    await house.work(house.ledger, 4)
    before = sorted(found.key for found in house.store.objects())
    with pytest.raises(RewoundError, match="a tree of 7 entries was signed, and this database has 3"):
        await house.start(old)
    assert await rows(old, "select max(size) from ledger.checkpoint") == [(3,)]
    assert sorted(found.key for found in house.store.objects()) == before
    last = await house.signer.last()
    assert last is not None
    assert last.size == 7
    with pytest.raises(asyncpg.PostgresError, match="the ledger has stopped"):
        connection = await asyncpg.connect(old.dba)
        await Writer(connection).write("exhibit:other")
    await connection.close()


async def test_without_the_signers_record_the_store_still_stops_it(house: House) -> None:
    await house.work(house.ledger, 3)
    old = await house.backup()
    await house.work(house.ledger, 1)
    house.signer.record.path.unlink()
    with pytest.raises(RewoundError, match="the write-once store holds entries from 3 on"):
        await house.start(old)


async def test_recovering_brings_back_every_entry_with_its_place_and_goes_on_without_a_fork(house: House) -> None:
    await house.work(house.ledger, 3)
    old = await house.backup()
    await house.work(house.ledger, 300, "exhibit:two")
    everything = (
        "select l.leaf_index, e.id, e.event_id, e.stream, e.stream_seq, e.type, e.actor_id, e.at, e.body"
        " from ledger.leaf l join ledger.entry e on e.id = l.entry_id order by 1"
    )
    checkpoints = "select size, root, note from ledger.checkpoint order by size"
    with pytest.raises(RewoundError):
        await house.start(old)
    done = await house.recover(old)
    assert (done.before, done.after, done.entries) == (3, 303, 300)
    assert await rows(old, everything) == await rows(house.ledger, everything)
    assert await rows(old, checkpoints) == await rows(house.ledger, checkpoints)
    found = await look(old, store=house.store, record=await house.signer.last())
    assert (found.faults, found.objects) == ([], 303)
    await house.work(old, 5, "exhibit:three")
    found = await look(old, store=house.store, record=await house.signer.last())
    assert (found.faults, found.entries) == ([], 308)
    assert (await house.recover(old)).entries == 0, "a second time there is nothing to do"


async def test_cut_off_half_way_it_is_simply_repeated(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.work(house.ledger, 1)
    old = await house.backup()
    await house.work(house.ledger, 4)
    for step in ("keep", "note_archived"):
        with monkeypatch.context() as patch:

            async def cut(*_: object) -> None:
                raise ConnectionError

            patch.setattr(batches, step, cut)
            with pytest.raises(ConnectionError):
                await house.recover(old)
    assert (await house.recover(old)).after == 5
    assert (await look(old, store=house.store)).faults == []


async def test_a_backup_from_between_the_tree_and_the_signature_is_recovered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.work(house.ledger, 2)
    connection = await asyncpg.connect(house.ledger.sequencer)
    sequencer = await Sequencer.resume(connection, house.signer, house.store)
    writer = await asyncpg.connect(house.ledger.dba)
    await Writer(writer).write("exhibit:two", 3)

    async def cut(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(Sequencer, "_store", cut)
        with pytest.raises(ConnectionError):
            await sequencer.advance()
    for open_ in (connection, writer):
        await open_.close()
    old = await house.backup()
    await house.work(house.ledger, 2, "exhibit:three")
    assert (await house.recover(old)).after == 7
    assert (await look(old, store=house.store, record=await house.signer.last())).faults == []


async def test_what_was_recorded_in_a_restored_backup_is_a_conflict_and_nothing_is_signed_over_it(house: House) -> None:
    await house.work(house.ledger, 2)
    old = await house.backup()
    await house.work(house.ledger, 2)
    connection = await asyncpg.connect(old.dba)
    meanwhile = Writer(connection)
    await meanwhile.follow("exhibit:one")
    await meanwhile.write("exhibit:one")
    await connection.close()
    with pytest.raises(ConflictError, match="worked with the restored backup"):
        await house.recover(old)
    assert await rows(old, "select max(size) from ledger.checkpoint") == [(2,)]


async def test_a_store_that_lost_the_end_is_not_taken_for_the_whole(house: House, key: SigningKey) -> None:
    await house.work(house.ledger, 1)
    old = await house.backup()
    await house.work(house.ledger, 2)
    note = Note.parse((await rows(house.ledger, "select note from ledger.checkpoint where size = 3"))[0][0])
    house.store.path(max(found.key for found in house.store.objects())).unlink()
    with pytest.raises(LedgerError, match=r"the signer knows of 3 entries, and the store holds 2"):
        await house.recover(old)
    house.signer.record.path.unlink()
    house.signer.record.begin_with(
        Note.parse((await rows(house.ledger, "select note from ledger.checkpoint where size = 2"))[0][0])
    )
    with pytest.raises(LedgerError, match=r"a checkpoint that was given knows of 3 entries"):
        await house.recover(old, note)
    assert await rows(old, "select count(*) from ledger.recovery") == [(0,)]


async def _cosigned(house: House, policy: Policy, key: SigningKey) -> None:
    connection = await asyncpg.connect(house.ledger.sequencer)
    size, note = await connection.fetchrow("select size, note from ledger.checkpoint order by size desc limit 1")
    answers = await ask_about(connection, policy, key.verifier, Note.parse(note), size)
    assert all(isinstance(answer, Cosigned) for answer in answers.values())
    await connection.close()


async def test_a_witness_says_by_itself_that_the_store_lost_the_end(
    house: House, key: SigningKey, programs: list[Program]
) -> None:
    policy = Policy.parse(policy_of(key.verifier, programs))
    await house.work(house.ledger, 1)
    old = await house.backup()
    await house.work(house.ledger, 2)
    await _cosigned(house, policy, key)
    last = house.store.path(max(found.key for found in house.store.objects()))
    kept = last.read_bytes()
    last.unlink()
    house.signer.record.path.unlink()
    house.signer.record.begin_with(
        Note.parse((await rows(house.ledger, "select note from ledger.checkpoint where size = 2"))[0][0])
    )
    with pytest.raises(LedgerError, match=r"the witness customs knows of 3 entries, and the store holds 2"):
        await house.recover(old, policy=policy)
    assert await rows(old, "select count(*) from ledger.recovery") == [(0,)]
    last.write_bytes(kept)
    await programs[1].stop_here()
    done = await house.recover(old, policy=policy)
    assert (done.after, done.confirmed, list(done.silent)) == (3, ["customs", "prosecution"], ["police"])


async def test_a_witness_that_knows_another_history_stops_the_recovery(
    house: House, key: SigningKey, programs: list[Program]
) -> None:
    policy = Policy.parse(policy_of(key.verifier, programs))
    await house.work(house.ledger, 1)
    old = await house.backup()
    other = Checkpoint(key.name, 1, bytes(32)).signed(key)
    connection = await asyncpg.connect(house.ledger.sequencer)
    answers = await ask_about(connection, policy, key.verifier, other, 1)
    await connection.close()
    assert isinstance(answers["customs"], Cosigned)
    with pytest.raises(ForkError, match="the witness customs knows another tree"):
        await house.recover(old, policy=policy)


async def test_a_changed_backup_is_not_recovered(house: House, key: SigningKey) -> None:
    await house.work(house.ledger, 2)
    old = await house.backup()
    await house.work(house.ledger, 2)
    connection = await asyncpg.connect(old.dba)
    await connection.execute("alter table ledger.checkpoint disable trigger all")
    other = Checkpoint(key.name, 2, bytes(32))
    await connection.execute(
        "update ledger.checkpoint set root = $1, note = $2 where size = 2", other.root, str(other.signed(key))
    )
    await connection.close()
    with pytest.raises(LedgerError):
        await house.recover(old)


async def test_another_installations_store_is_not_taken(house: House) -> None:
    await house.work(house.ledger, 2)
    tree = await asyncpg.connect(house.ledger.dba)
    assert (await tree_of(tree)).size == 2
    await tree.close()
    stranger = FileSigner(SigningKey.generate("other.example/ledger"), house.signer.record.path.with_name("other"))
    owner, sequencing = await asyncpg.connect(house.ledger.owner_login), await asyncpg.connect(house.ledger.sequencer)
    with pytest.raises((ForkError, LedgerError)):
        await recover(owner, sequencing, stranger, house.store, retention=timedelta(days=1))
    await owner.close()
    await sequencing.close()


async def test_only_whoever_migrates_may_bring_entries_back(house: House, tmp_path: Path) -> None:
    for dsn in (house.ledger.app, house.ledger.gate, house.ledger.sequencer, house.ledger.verifier):
        connection = await asyncpg.connect(dsn)
        for call in ("ledger.catch_up()", "ledger.raise_ids(1, 1, 1, 1)", "ledger.end_recovery(0, 0, '{}')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"select {call}")
        await connection.close()
