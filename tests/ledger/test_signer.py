"""The signer's record: nothing is signed that does not continue what was signed last, whoever asks."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from casemgmt.ledger.errors import LedgerError, SignerRefusedError, SignerUnavailableError
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.ledger.signer_client import SocketSigner
from casemgmt.ledger.signing_record import SigningRecord
from casemgmt.storage.local import LocalStore
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.tree import MerkleTree
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_sequencer import drain

TREE = MerkleTree(n.to_bytes(32, "big") for n in range(300))
OTHER = MerkleTree([bytes(32)] * 3 + [b"x" * 32] * 297)


@pytest.fixture
def record(key: SigningKey, tmp_path: Path) -> SigningRecord:
    return SigningRecord(key, tmp_path / "ledger.signed")


def checkpoint(key: SigningKey, size: int, tree: MerkleTree = TREE) -> Checkpoint:
    return Checkpoint(key.name, size, tree.root(size))


def grow(record: SigningRecord, key: SigningKey, *sizes: int) -> None:
    for size in sizes:
        last = record.last()
        old = last.size if last else 0
        record.sign(checkpoint(key, size), old, TREE.consistency(old, size) if last else [])


def test_it_signs_a_tree_that_grows_and_remembers_the_last(record: SigningRecord, key: SigningKey) -> None:
    grow(record, key, 0, 1, 7, 256, 300)
    assert record.last() == checkpoint(key, 300)
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o600
    assert SigningRecord(key, record.path).last() == checkpoint(key, 300), "another process reads the same"


def test_an_answer_that_was_lost_is_given_again(record: SigningRecord, key: SigningKey) -> None:
    grow(record, key, 0, 7)
    again = record.sign(checkpoint(key, 7), 7, [])
    assert str(again) == record.path.read_text("utf-8")


@pytest.mark.parametrize(
    ("size", "tree", "old", "proof"),
    [
        (3, TREE, 7, []),  # smaller
        (3, TREE, 3, []),
        (7, OTHER, 7, []),  # the same size, another root
        (300, OTHER, 7, OTHER.consistency(7, 300)),  # another history, with a good proof of its own
        (300, TREE, 7, []),  # no proof
        (300, TREE, 0, []),  # as if nothing had been signed
        (300, TREE, 3, TREE.consistency(3, 300)),  # proved from an older one
        (300, TREE, 7, [*TREE.consistency(7, 300), bytes(32)]),
    ],
)
def test_it_refuses_what_does_not_provably_continue_the_last(
    record: SigningRecord, key: SigningKey, size: int, tree: MerkleTree, old: int, proof: list[bytes]
) -> None:
    grow(record, key, 0, 7)
    with pytest.raises(SignerRefusedError):
        record.sign(checkpoint(key, size, tree), old, proof)
    assert record.last() == checkpoint(key, 7)


def test_without_a_record_it_signs_nothing_but_the_empty_tree(record: SigningRecord, key: SigningKey) -> None:
    with pytest.raises(SignerRefusedError, match="no record"):
        record.sign(checkpoint(key, 7), 0, [])
    with pytest.raises(SignerRefusedError, match="not a checkpoint this key signed"):
        record.begin_with(checkpoint(key, 7).signed(SigningKey.generate(key.name)))
    record.begin_with(checkpoint(key, 7).signed(key))
    grow(record, key, 300)
    with pytest.raises(SignerRefusedError, match="there is a record"):
        record.begin_with(checkpoint(key, 7).signed(key))


@pytest.mark.parametrize("content", [b"", b"\xff", b"7\n", "of another key"])
def test_a_damaged_record_is_no_record_to_sign_on(record: SigningRecord, key: SigningKey, content: bytes | str) -> None:
    grow(record, key, 0, 7)
    if isinstance(content, str):
        content = str(checkpoint(key, 7).signed(SigningKey.generate(key.name))).encode()
    record.path.write_bytes(content)
    with pytest.raises(SignerRefusedError, match=r"damaged|not a checkpoint"):
        grow(record, key, 300)


def test_what_cannot_be_recorded_is_not_signed(record: SigningRecord, key: SigningKey) -> None:
    grow(record, key, 0)
    record.path.with_name("ledger.signed.new").mkdir()
    with pytest.raises(SignerUnavailableError, match="cannot be recorded"):
        record.sign(checkpoint(key, 7), 0, [])
    assert record.last() == checkpoint(key, 0)


@pytest.fixture
async def served(key: SigningKey, tmp_path: Path) -> AsyncIterator[Path]:
    """``casemgmt signer`` as its own process; yields its socket."""
    key_file = tmp_path / "signer.key"
    key_file.write_text(key.to_text())
    key_file.chmod(0o600)
    # a socket's path has at most 107 bytes
    folder = Path(f"/tmp/casemgmt-signer-{os.getpid()}-{os.urandom(4).hex()}")
    folder.mkdir(mode=0o700)
    path = folder / "socket"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CASEMGMT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "casemgmt", "signer", "--key", str(key_file), "--socket", str(path),
        env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        while not path.exists() and process.returncode is None:
            await asyncio.sleep(0.02)
    yield path
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert not path.exists()
    folder.rmdir()


async def test_the_log_is_signed_by_a_process_of_its_own_and_the_worker_holds_no_key(
    served: Path, ledger: Dsn, writer: Writer, store: LocalStore, key: SigningKey, tmp_path: Path
) -> None:
    assert stat.S_IMODE(served.stat().st_mode) == 0o600
    remote = SocketSigner(served)
    assert await remote.verifier() == key.verifier
    assert await remote.last() is None
    connection = await asyncpg.connect(ledger.sequencer)
    sequencer = await Sequencer.resume(connection, remote, store)
    for count in (1, 300, 2):
        await writer.write(count=count)
        await drain(sequencer, sequencer.size + count)
    await connection.close()
    last = await remote.last()
    assert last is not None
    assert last.size == 303
    root = await writer.connection.fetchval("select root from ledger.checkpoint where size = 303")
    assert last.root == root
    with pytest.raises(SignerRefusedError, match="a tree of 303 entries was signed last"):
        await remote.sign(checkpoint(key, 300, OTHER), 303, [])
    assert not (tmp_path / "ledger.signed").exists(), "the worker keeps no record either"


async def test_nonsense_is_answered_and_the_signer_lives_on(served: Path, key: SigningKey) -> None:
    async def send(request: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(served))
        writer.write(request)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    for request in (
        b"", b"\n", b"hello\n", b"sign\n\n", b"sign -1\n\nx", b"sign 0\nAAAA\n\n" + checkpoint(key, 0).body.encode(),
        b"sign 0\n\nanother.example/log\n0\n" + checkpoint(key, 0).body.split("\n")[2].encode() + b"\n",
        b"sign 0\n" + b"\n".join([b"A" * 43 + b"="] * 65) + b"\n\n" + checkpoint(key, 0).body.encode(),
    ):  # fmt: skip
        assert (await send(request))[:4] in (b"400 ", b"409 "), request
    for request in (b"\xff" * 10, b"x" * 100_000):
        with suppress(ConnectionError):
            assert await send(request) == b""
    assert await SocketSigner(served).last() is None


async def test_a_signer_that_is_away_is_waited_for_and_nothing_is_signed(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, store: LocalStore, tmp_path: Path
) -> None:
    await writer.write()
    await drain(sequencer, 1)
    with pytest.raises(SignerUnavailableError, match="does not answer"):
        await SocketSigner(tmp_path / "nowhere").last()


async def test_a_file_signer_takes_up_a_ledger_from_before_there_was_a_record(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, signer: FileSigner, store: LocalStore
) -> None:
    await writer.write(count=5)
    await drain(sequencer, 5)
    signer.record.path.unlink()
    connection = await asyncpg.connect(ledger.sequencer)
    again = await Sequencer.resume(connection, signer, store)
    await writer.write(count=2)
    await drain(again, 7)
    await connection.close()
    last = await signer.last()
    assert last is not None
    assert last.size == 7


async def test_a_signer_of_its_own_does_not_take_up_a_ledger_by_itself(
    served: Path, ledger: Dsn, writer: Writer, sequencer: Sequencer, store: LocalStore
) -> None:
    await writer.write()
    await drain(sequencer, 1)
    connection = await asyncpg.connect(ledger.sequencer)
    with pytest.raises(LedgerError, match="--begin-with"):
        await Sequencer.resume(connection, SocketSigner(served), store)
    await connection.close()
