"""A ledger of its own for every test: an empty migrated database, a key, and a way to write entries into it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from casemgmt.embedded.cluster import Cluster
from casemgmt.ledger import witnessing
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.local import LocalStore
from casemgmt.trust.keys import SigningKey
from tests import db
from tests.ledger.entries import Writer
from tests.ledger.witnessed import NAMES, House, open_house
from tests.witness.programs import Program


@pytest.fixture
async def ledger(cluster: Cluster) -> AsyncIterator[db.Dsn]:
    name = f"test_ledger_{secrets.token_hex(6)}"
    yield await db.clone(cluster, name)
    await db.drop(cluster, name)


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.generate("test.example/ledger")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    """A write-once folder, ready."""
    found = LocalStore(tmp_path / "store")
    found.prepare()
    yield found
    found.close()


@pytest.fixture
def signer(key: SigningKey, tmp_path: Path) -> FileSigner:
    return FileSigner(key, tmp_path / "ledger.signed")


@pytest.fixture
async def writer(ledger: db.Dsn) -> AsyncIterator[Writer]:
    connection = await asyncpg.connect(ledger.dba)
    yield Writer(connection)
    await connection.close()


@pytest.fixture
async def sequencer(ledger: db.Dsn, signer: FileSigner, store: LocalStore) -> AsyncIterator[Sequencer]:
    connection = await asyncpg.connect(ledger.sequencer)
    yield await Sequencer.resume(connection, signer, store)
    await connection.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Witnesses that did not answer are asked again soon."""
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


@pytest.fixture
async def house(ledger: db.Dsn, key: SigningKey, sequencer: Sequencer) -> AsyncIterator[House]:
    async for made in open_house(ledger, key):
        yield made


@pytest.fixture
async def elsewhere(cluster: Cluster) -> AsyncIterator[db.Dsn]:
    """Another empty database."""
    name = f"test_elsewhere_{secrets.token_hex(6)}"
    yield await db.clone(cluster, name)
    await db.drop(cluster, name)
