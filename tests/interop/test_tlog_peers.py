"""What other implementations of the ledger's formats say about ours, and ours about theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from casemgmt.core.db import Database
from casemgmt.ledger import policy, proofs
from casemgmt.ledger.cosigning import Cosigned, Disputed, History, ask
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.standing import standing
from casemgmt.ledger.witnessing import Witnessing
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.hashing import EMPTY_ROOT, leaf_hash
from casemgmt.trust.keys import COSIGNATURE, NOTE, SigningKey
from casemgmt.trust.policy import Policy, Witness
from casemgmt.trust.proof import Proof
from casemgmt.trust.tiles import StoredTree, TileFrontier, TileId
from casemgmt.trust.tree import MerkleTree
from tests import db as databases
from tests.cast import make_world
from tests.interop.lite import Lite
from tests.interop.peers import LITEWITNESS, TLOGPEER, peer, require
from tests.ledger.conftest import key, ledger, sequencer, signer, store, writer
from tests.ledger.entries import Writer
from tests.ledger.witnessed import rewrite_everything
from tests.witness.programs import Program

__all__ = ["key", "ledger", "sequencer", "signer", "store", "writer"]

LIMIT = 130  # leaves: two tiles' worth of half-full shapes, and every shape below


@pytest.fixture(autouse=True)
def peers(missing_part: Callable[[str], None]) -> None:
    require(missing_part, TLOGPEER, LITEWITNESS)


def test_every_root_and_proof_below_130_entries_is_that_of_sumdb_tlog() -> None:
    """From the tree in memory and from stored tiles alike."""
    tree = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(LIMIT))
    _, tiles = TileFrontier().extended(leaf_hash(b"entry %d" % i) for i in range(LIMIT))
    compared = 0
    for line in peer("proofs", str(LIMIT)).stdout.decode().splitlines():
        kind, *rest = line.split(" ")
        if kind == "root":
            assert tree.root(int(rest[0])).hex() == rest[1]
        else:
            first, size, hashes = int(rest[0]), int(rest[1]), rest[2:]
            widths = {TileId(t.level, t.number, width): t.data for t in tiles for width in range(1, t.width + 1)}
            stored = StoredTree(size, widths)
            ours = tree.inclusion(first, size) if kind == "inclusion" else tree.consistency(first, size)
            assert [h.hex() for h in ours] == hashes, line
            assert (stored.inclusion(first) if kind == "inclusion" else stored.consistency(first)) == ours, line
        compared += 1
    assert compared == (LIMIT - 1) + 2 * sum(range(1, LIMIT))


def test_our_notes_open_with_sumdb_note_and_changed_ones_do_not() -> None:
    log, police = SigningKey.generate("ledger.example", NOTE), SigningKey.generate("police.example/w", COSIGNATURE)
    signed = Checkpoint("ledger.example", 0, EMPTY_ROOT).signed(log)
    note = str(signed.with_signatures([police.cosign(signed.text, 1_800_000_000)])).encode()
    keys = (str(log.verifier), str(police.verifier))
    opened = peer("note", *keys, given=note)
    assert opened.stdout.split() == [b"ledger.example", b"police.example/w"]
    assert peer("note", *keys, given=note.replace(b"\n0\n", b"\n1\n")).returncode == 1
    assert peer("note", *keys, str(SigningKey.generate("x", NOTE).verifier), given=note).returncode == 1


def test_our_proofs_hold_for_sumdb_tlog_and_only_for_their_entry(tmp_path: Path) -> None:
    log = SigningKey.generate("ledger.example", NOTE)
    tree = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(23))
    note = Checkpoint(log.name, 23, tree.root()).signed(log)
    entry = tmp_path / "entry"
    for index in range(23):
        proof = str(Proof(index, tuple(tree.inclusion(index)), note, b"extra")).encode()
        entry.write_bytes(b"entry %d" % index)
        assert peer("proof", str(entry), str(log.verifier), given=proof).returncode == 0
        entry.write_bytes(b"entry %d" % (index + 1))
        assert peer("proof", str(entry), str(log.verifier), given=proof).returncode == 1


async def test_a_log_written_in_go_asks_our_witness(tmp_path: Path) -> None:
    log = SigningKey.generate("go.example/log", NOTE)
    police = Program.make(tmp_path, "police", log.verifier)
    await police.start()
    try:
        done = await asyncio.to_thread(peer, "ask", police.url, log.to_text(), police.vkey)
    finally:
        police.kill()
    assert done.returncode == 0, done.stderr.decode()
    assert b"13 requests were answered" in done.stdout


@pytest.fixture
async def lite(tmp_path: Path, key: SigningKey) -> AsyncIterator[Lite]:
    made = Lite(tmp_path, key)
    await made.start()
    yield made
    made.stop()


async def test_litewitness_cosigns_our_log_and_refuses_the_rewritten_one(
    lite: Lite, ledger: databases.Dsn, key: SigningKey, sequencer: Sequencer, writer: Writer, tmp_path: Path
) -> None:
    database = Database(ledger.app, ledger.gate)
    await database.open()
    worker = await asyncpg.connect(ledger.sequencer)
    admin = (await make_world(writer.connection, database)).admin.actor
    text = f"log {key.verifier}\nwitness lite {lite.key.verifier} {lite.url}\nquorum lite\n"
    async with database.begin(admin) as db:
        await policy.change(db, admin, text, "interoperability")
    work = Witnessing(worker, key.verifier)
    for count in (1, 2, 5, 100):
        await writer.write(count=count)
        await sequencer.advance()
        await work.round()
        async with database.begin(admin) as db:
            assert (await proofs.latest_checkpoint(db)).size == sequencer.size
    entry = await writer.connection.fetchval("select min(id) from ledger.entry")
    async with database.begin(admin) as db:
        proof = await proofs.proof_of_entry(db, entry)
        accepted = proof.verify(
            leaf_hash(await writer.connection.fetchval("select body from ledger.entry where id = $1", entry)),
            Policy.parse(await proofs.policy_text(db)),
        )
    assert list(accepted.witnessed) == ["lite"]
    body = tmp_path / "body"
    body.write_bytes(await writer.connection.fetchval("select body from ledger.entry where id = $1", entry))
    checked = peer("proof", str(body), str(key.verifier), str(lite.key.verifier), given=str(proof).encode())
    assert checked.returncode == 0, checked.stderr.decode()
    # another process of ours that knows nothing of what this witness saw: told the size, it asks again
    await writer.connection.execute("alter table ledger.cosignature disable trigger user")
    await writer.connection.execute("delete from ledger.cosignature")
    fresh = Witnessing(worker, key.verifier)
    await writer.write(count=3)
    await sequencer.advance()
    await fresh.round()
    async with database.begin(admin) as db:
        assert (await proofs.latest_checkpoint(db)).size == sequencer.size
    await rewrite_everything(writer.connection, key)
    await fresh.round()
    async with database.begin(admin) as db:
        (witness,) = await standing(db)
    assert witness.alarm is not None
    assert witness.alarm.status == 422
    await worker.close()
    await database.close()


async def test_litewitness_holds_to_the_longer_of_two_histories(lite: Lite, key: SigningKey) -> None:
    """What a restored log that went on asks: the same size with another root, a longer tree, a shorter one."""
    good = MerkleTree(leaf_hash(b"entry %d" % i) for i in range(9))
    other = MerkleTree(leaf_hash(b"other %d" % i) for i in range(20))
    witness = Witness(lite.key.verifier, lite.url)

    def history(tree: MerkleTree) -> History:
        async def growth(old: int, new: int) -> list[bytes]:
            return tree.consistency(old, new)

        async def largest() -> int:
            return tree.size

        return History(growth, largest)

    async def asked(tree: MerkleTree, size: int, old: int) -> object:
        note = Checkpoint(key.name, size, tree.root(size)).signed(key)
        return await ask(witness, key.verifier, note, size, old, history(tree))

    assert isinstance(await asked(good, 9, 0), Cosigned)
    assert isinstance(await asked(good, 9, 0), Cosigned)  # told 9 it asks from there
    same_size, longer = await asked(other, 9, 9), await asked(other, 20, 0)
    assert isinstance(same_size, Disputed)
    assert isinstance(longer, Disputed)
    behind = await ask(
        witness, key.verifier, Checkpoint(key.name, 4, good.root(4)).signed(key), 4, 0,
        History(history(good).growth, history(MerkleTree([bytes(32)] * 4)).largest),
    )  # fmt: skip
    assert isinstance(behind, Disputed)
    assert (behind.status, behind.told) == (409, 9)
