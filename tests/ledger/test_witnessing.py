"""Our log asks real witness programs, one of which is down, killed, slow, forgetful or knows another history."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from casemgmt.core.db import Database
from casemgmt.embedded.cluster import Cluster
from casemgmt.ledger import cosigning, policy, proofs, witnessing
from casemgmt.ledger.errors import HistoryDisputed, QuorumNotMet
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.ledger.standing import Witnessed, standing
from casemgmt.ledger.witnessing import Witnessing
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Policy
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.witness import AddCheckpoint
from tests import db as databases
from tests.cast import World, make_world
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.witness.programs import Program, policy_of

NAMES = ("customs", "police", "prosecution")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "FIRST_BACKOFF", 0.05)
    monkeypatch.setattr(witnessing, "GRACE", 1.0)


@pytest.fixture
async def programs(tmp_path: Path, key: SigningKey) -> AsyncIterator[list[Program]]:
    """Customs, police, prosecution: running, and knowing the log."""
    made = [Program.make(tmp_path, name, key.verifier) for name in NAMES]
    for program in made:
        await program.start_here()
    yield made
    for program in made:
        await program.stop_here()
        program.kill()


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


@pytest.fixture
async def house(ledger: Dsn, key: SigningKey, sequencer: Sequencer) -> AsyncIterator[House]:
    async for made in open_house(ledger, key):
        yield made


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


async def test_what_the_quorum_cosigned_is_published_and_verifies_for_a_reader(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    for count in (1, 3, 40, 300):
        await writer.write(count=count)
        await sequencer.advance()
        assert await house.work.round() is True
        assert await house.published() == sequencer.size
    assert await house.work.round() is False  # nothing new: nobody is asked
    async with house.database.begin(house.people.admin.actor) as db:
        proof = await proofs.proof_of_entry(db, await writer.connection.fetchval("select min(id) from ledger.entry"))
        accepted = Policy.parse(await proofs.policy_text(db)).accept(proof.checkpoint)
    assert sorted(accepted.witnessed) == sorted(NAMES)
    assert proof.index == 0


async def test_one_witness_down_the_quorum_is_met_and_the_page_knows_who_is_silent(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await programs[1].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    assert await house.published() == sequencer.size
    police = (await house.standing())["police"]
    assert police.problem == "unreachable"
    since = police.failing_since
    assert since is not None
    await writer.write()
    await sequencer.advance()
    await asyncio.sleep(0.06)
    await house.work.round()
    assert (await house.standing())["police"].failing_since == since  # since when, not when last
    await programs[1].start_here()
    await until(house.work.round, lambda: _cosigned_up_to(house, "police", sequencer.size))
    police = (await house.standing())["police"]
    assert (police.failing_since, police.problem) == (None, None)


async def _cosigned_up_to(house: House, name: str, size: int) -> bool:
    return (await house.standing())[name].size == size


async def test_two_down_nothing_is_published_and_it_resumes_by_itself(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    before = await house.published()
    for program in programs[1:]:
        await program.stop_here()
    await writer.write()
    await sequencer.advance()
    await house.work.round()
    assert await house.published() == before  # work went on, publishing did not
    entry = await writer.connection.fetchval("select max(id) from ledger.entry")
    async with house.database.begin(house.people.admin.actor) as db:
        with pytest.raises(QuorumNotMet) as refused:
            await proofs.proof_of_entry(db, entry)
        assert "police since" in str(refused.value.message)
        assert "prosecution since" in str(refused.value.message)
        assert "customs since" not in str(refused.value.message)
    await programs[2].start_here()
    await until(house.work.round, lambda: _is(house.published, sequencer.size))


async def _is(question: Callable[[], Any], answer: object) -> bool:
    return bool(await question() == answer)


async def test_a_witness_killed_between_writing_and_answering_is_asked_again_and_cosigns(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, tmp_path: Path
) -> None:
    """kill -9 when the new state is on disk and the answer is not out: the next answer is 409, and never a fork."""
    police = programs[1]
    await police.stop_here()
    script = tmp_path / "killed.py"
    script.write_text(
        "import os, signal, sys\n"
        "from casemgmt.witness import answering, command\n"
        "advance = answering.Keeper.advance\n"
        "def cut(*arguments):\n"
        "    advance(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "answering.Keeper.advance = cut\n"
        f"sys.exit(command.main(['serve', {str(police.directory)!r}, *sys.argv[1:]]))\n"
    )
    await police.start(sys.executable, str(script))
    await house.put_in_force(policy_of(key.verifier, programs, count=3))
    await sequencer.advance()
    await house.work.round()
    assert police.process is not None
    assert police.process.wait(10) == -9
    assert (await house.standing())["police"].size is None
    await police.start()
    await until(house.work.round, lambda: _cosigned_up_to(house, "police", sequencer.size))
    assert await house.published() == sequencer.size


async def test_the_tree_rebuilt_and_signed_again_with_the_logs_own_key_is_refused_by_all_three(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """As database superuser who also holds the log's key: an old entry is another one, everything above is computed
    anew and signed. Nothing in the database shows it; the three witnesses answer 422, and nothing is published."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=10)
    await sequencer.advance()
    await house.work.round()
    published = await house.published()
    await rewrite_everything(writer.connection, key)
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    disputed = [entry for entry in logs if entry["event"] == "ledger.history_disputed"]
    assert sorted(entry["witness"] for entry in disputed) == sorted(NAMES)
    assert {entry["status"] for entry in disputed} == {422}
    assert all(entry["log_level"] == "error" for entry in disputed)
    assert all(witness.alarm and witness.alarm.status == 422 for witness in (await house.standing()).values())
    async with house.database.begin(house.people.admin.actor) as db:
        entry = await writer.connection.fetchval("select max(id) from ledger.entry")
        with pytest.raises(HistoryDisputed):
            await proofs.proof_of_entry(db, entry)
    assert await house.published() == published
    alarms = await writer.connection.fetchval("select count(*) from ledger.alarm")
    await asyncio.sleep(0.06)
    await house.work.round()
    assert await writer.connection.fetchval("select count(*) from ledger.alarm") == alarms  # said once, not for ever


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


async def test_a_restored_old_backup_is_told_a_larger_size_and_publishes_nothing(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    backed_up = sequencer.size
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    seen = await house.published()
    async with restored(elsewhere, writer.connection, key, backed_up, tmp_path) as (old, behind, later):
        await later.write("exhibit:two")
        await behind.advance()
        assert behind.size < seen
        with structlog.testing.capture_logs() as logs:
            await old.work.round()
        assert {e["witness"] for e in logs if e["event"] == "ledger.history_disputed"} == set(NAMES)
        police = (await old.standing())["police"]
        assert police.alarm is not None
        assert (police.alarm.status, police.alarm.told) == (409, seen)
        with pytest.raises(HistoryDisputed):
            await old.published()
        # longer than what the witnesses saw, it is still not what they saw
        await later.write("exhibit:two", count=20)
        await behind.advance()
        await asyncio.sleep(0.06)
        await old.work.round()
        police = (await old.standing())["police"]
        assert police.alarm is not None
        assert police.alarm.status == 422
        with pytest.raises(HistoryDisputed):
            await old.published()


async def test_a_recovered_ledger_goes_on_by_itself(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    """An old backup first, the alarm; then the missing entries come back, and the same witnesses cosign."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    backed_up = sequencer.size
    await writer.write(count=4)
    await sequencer.advance()
    await house.work.round()
    async with restored(elsewhere, writer.connection, key, backed_up, tmp_path) as (old, behind, later):
        await old.work.round()
        with pytest.raises(HistoryDisputed):
            await old.published()
        await copy_entries(writer.connection, later.connection, backed_up, 1000)
        await behind.advance()
        await later.write("exhibit:two")
        await behind.advance()
        await until(old.work.round, lambda: _is(lambda: _published_or_none(old), behind.size))
        assert not any(witness.alarm for witness in (await old.standing()).values())


async def test_of_two_instances_with_one_key_one_wins(
    house: House,
    key: SigningKey,
    programs: list[Program],
    sequencer: Sequencer,
    writer: Writer,
    elsewhere: Dsn,
    tmp_path: Path,
) -> None:
    """Two databases that begin alike and go on differently, each with the log's key, ask at the same moment."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await writer.write(count=4)
    await sequencer.advance()
    async with restored(elsewhere, writer.connection, key, sequencer.size, tmp_path) as (other, theirs, second):
        await writer.write("exhibit:one", count=3)
        await second.write("exhibit:two", count=5)
        await sequencer.advance()
        await theirs.advance()
        for _ in range(2):
            await asyncio.gather(house.work.round(), other.work.round())
            await asyncio.sleep(0.06)
        sizes = [{name: w.size for name, w in (await one.standing()).items()} for one in (house, other)]
        for name in NAMES:  # each witness is with one of them and with one only
            assert [size[name] for size in sizes].count(None) == 1
        published = [await _published_or_none(one) for one in (house, other)]
        assert published.count(None) == 1
        loser = (house, other)[published.index(None)]
        assert any(witness.alarm for witness in (await loser.standing()).values())


async def _published_or_none(house: House) -> int | None:
    try:
        return await house.published()
    except QuorumNotMet:
        return None


@pytest.fixture
async def elsewhere(cluster: Cluster) -> AsyncIterator[Dsn]:
    """Another empty database."""
    name = f"test_elsewhere_{secrets.token_hex(6)}"
    yield await databases.clone(cluster, name)
    await databases.drop(cluster, name)


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


async def test_a_witness_that_forgot_is_asked_from_what_it_remembers(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer, tmp_path: Path
) -> None:
    """Its agency restored an old state: its cosignature is good, and that it forgot is said in the log."""
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    police = programs[1]
    old = shutil.copytree(police.directory, tmp_path / "backup")
    await writer.write(count=3)
    await sequencer.advance()
    await house.work.round()
    await police.stop_here()
    shutil.rmtree(police.directory)
    shutil.copytree(old, police.directory)
    await police.start_here()
    await writer.write(count=3)
    await sequencer.advance()
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    assert [(e["witness"], e["named"]) for e in logs if e["event"] == "ledger.witness_forgot"] == [
        ("police", sequencer.size - 6)
    ]
    assert (await house.standing())["police"].size == sequencer.size


async def test_the_quorum_of_a_new_policy_is_published_from_cosignatures_that_are_there(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    await programs[1].stop_here()
    await programs[2].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    await house.work.round()
    assert await _published_or_none(house) is None
    size = sequencer.size
    await house.put_in_force(policy_of(key.verifier, programs, count=1), "the two others moved out")
    await house.work.round()
    assert await house.published() == size


async def test_under_another_policy_than_the_given_file_nothing_is_published(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """Somebody lowered the policy, or nobody has put the file in force yet: both wait for an administrator."""
    meant = Policy.parse(policy_of(key.verifier, programs))
    house.work._pinned = meant
    await house.work.prepare()
    await sequencer.advance()
    with pytest.raises(QuorumNotMet) as refused:
        await house.published()
    assert "policy file" in str(refused.value.message)
    await house.put_in_force(policy_of(key.verifier, programs, count=1))
    await sequencer.advance()
    await house.work.round()
    assert await _published_or_none(house) is None
    await house.put_in_force(str(meant))
    await sequencer.advance()
    await until(house.work.round, lambda: _is(lambda: _published_or_none(house), sequencer.size))
    house.work._pinned = None
    await house.work.prepare()
    assert await house.published() == sequencer.size


# ---- witnesses that are not what they should be


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that reads a request and sends back these bytes, whatever they are; yields its address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
            body = await reader.readexactly(length)
            writer.write(answer(body))
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def reply(status: int, body: bytes, kind: str = "text/plain") -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status, kind.encode(), len(body), body,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"", "unreachable"),
        (b"nonsense\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "unreachable"),
        (reply(200, b"x" * 70_000), "unreachable"),
        (reply(200, b"\xff\xfe"), "no-cosignature"),
        (reply(200, b"<html>fine</html>"), "no-cosignature"),
        (reply(301, b"elsewhere"), "refused"),
        (reply(400, b"what?"), "refused"),
        (reply(500, b"\x00\x1b[31m"), "refused"),
        (reply(503, b"disk full"), "refused"),
        (reply(403, b"key"), "refused-key"),
        (reply(404, b"log"), "unknown-log"),
        (reply(409, b"many\n"), "refused"),
        (reply(409, b"1\n"), "behind"),
        (reply(409, b"0\n"), "other-history"),
        (reply(409, b"999999\n"), "other-history"),
        (reply(422, b"no"), "other-history"),
    ],
)
async def test_a_witness_that_answers_anything_else_is_written_down_and_asked_again_later(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, sent: bytes, problem: str
) -> None:
    first = [b"2\n", b"1\n"]

    def answer(_: bytes) -> bytes:
        if problem == "behind":  # names another size each time
            first.append(first.pop(0))
            return reply(409, first[-1])
        return sent

    async with answering(answer) as address:
        text = policy_of(key.verifier, programs).replace(programs[1].url, address)
        await house.put_in_force(text)
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert police.problem == problem
        assert police.failing_since is not None
        assert "\x1b" not in (police.detail or "")
        assert bool(police.alarm) == (problem == "other-history")
        assert (await _published_or_none(house) is None) == (problem == "other-history")


async def test_a_slow_witness_holds_nobody_up(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigning, "PATIENCE", 0.8)
    monkeypatch.setattr(witnessing, "GRACE", 0.05)
    release = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        assert await house.published() == sequencer.size
        assert (await house.standing())["police"].problem is None  # still being asked
        await asyncio.sleep(0.9)
        await house.work.round()
        assert (await house.standing())["police"].problem == "slow"
        release.set()


async def test_a_cosignature_by_another_key_or_over_another_tree_is_not_counted(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    other = SigningKey.generate("police.example/witness", COSIGNATURE)

    def answer(body: bytes) -> bytes:
        text = AddCheckpoint.parse(body).checkpoint.text
        wrong = programs[1].key.cosign(text.replace("\n5\n", "\n6\n"), 1_800_000_000)
        lines = Note(text, (other.cosign(text, 1_800_000_000), wrong))
        return reply(200, str(lines).removeprefix(text + "\n").encode())

    async with answering(answer) as address:
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert (police.problem, police.size) == ("no-cosignature", None)


@pytest.mark.parametrize("bogus", [bytes(72), b"\xff" * 72, b"short", b""], ids=["zeros", "late", "short", "empty"])
async def test_a_cosignature_row_that_does_not_fit_is_named_counts_for_nothing_and_stops_nothing(
    bogus: bytes, house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer, writer: Writer
) -> None:
    """As database superuser: a row of a witness that never cosigned this size."""
    await programs[1].stop_here()
    await programs[2].stop_here()
    await house.put_in_force(policy_of(key.verifier, programs))
    await sequencer.advance()
    insert = "insert into ledger.cosignature(size, vkey, signature) values ($1, $2, $3)"
    await writer.connection.execute(insert, sequencer.size, programs[1].vkey, bogus)
    with structlog.testing.capture_logs() as logs:
        await house.work.round()
    assert await _published_or_none(house) is None  # customs alone is no quorum of two
    assert [e["witness"] for e in logs if e["event"] == "ledger.cosignature_invalid"] == ["police"]
    await programs[2].start_here()
    await until(house.work.round, lambda: _is(lambda: _published_or_none(house), sequencer.size))


async def test_a_witness_whose_clock_is_far_off_is_counted_and_named(
    house: House, key: SigningKey, programs: list[Program], sequencer: Sequencer
) -> None:
    def answer(body: bytes) -> bytes:
        text = AddCheckpoint.parse(body).checkpoint.text
        return reply(200, str(Note(text, (programs[1].key.cosign(text, 4_000_000_000),))).split("\n\n")[1].encode())

    async with answering(answer) as address:
        await house.put_in_force(policy_of(key.verifier, programs).replace(programs[1].url, address))
        await sequencer.advance()
        await house.work.round()
        police = (await house.standing())["police"]
        assert (police.problem, police.size, police.failing_since) == ("clock", sequencer.size, None)
