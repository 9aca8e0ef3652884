"""The ledger's objects in every kind of store: kept once, accepted when the same, the end when they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from casemgmt.core.clock import utcnow
from casemgmt.evidence.fixity import sweep
from casemgmt.ledger.archive import Archive
from casemgmt.ledger.errors import ForkError
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.ledger.signer import FileSigner
from casemgmt.storage.contract import KEY, Store, Stored, StoreUnavailable
from casemgmt.storage.local import LocalStore
from casemgmt.storage.local_sink import LocalSink
from tests.db import Dsn
from tests.ledger.entries import Writer
from tests.ledger.test_recompute import look
from tests.ledger.test_sequencer import drain
from tests.servers import rclone_s3, versitygw
from tests.storage.conftest import fresh_bucket

RETENTION = timedelta(days=400)


@pytest.fixture(params=["folder", "S3", "S3 with Object Lock"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        made: Store = LocalStore(tmp_path / "archive")
        made.prepare()
        yield made
        made.close()
        return
    with (rclone_s3 if request.param == "S3" else versitygw)(tmp_path) as server:
        made = fresh_bucket(server)
        yield made
        made.close()


async def test_a_batch_is_kept_once_and_the_same_again_is_no_error(any_store: Store) -> None:
    archive = Archive(any_store, "test.example/ledger", RETENTION)
    assert KEY.fullmatch(archive.key(0))
    assert KEY.fullmatch(archive.key(2**63 - 1))
    assert not await archive.has(7)
    first = await archive.put(7, [b"one ", b"batch"])
    assert await archive.has(7)
    assert not await archive.has(8)
    again = await archive.put(7, [b"one batch"])
    assert (again.key, again.version, again.size, again.sha256) == (first.key, first.version, 9, first.sha256)
    for other in ([b"one catch"], [b"one batch."], [b"one"]):
        with pytest.raises(ForkError, match="the write-once store holds another batch"):
            await archive.put(7, other)
    with await archive.open(7, first.version) as reader:
        assert reader.read(100) == b"one batch"
    if any_store.capabilities.retention:
        assert first.retained_until is not None
        assert first.retained_until > utcnow() + RETENTION - timedelta(minutes=5)
        assert any_store.stat(first.key, first.version).retained_until == first.retained_until


async def test_the_log_runs_on_every_kind_of_store_and_the_sweeper_leaves_it_alone(
    any_store: Store, ledger: Dsn, writer: Writer, signer: FileSigner
) -> None:
    connection = await asyncpg.connect(ledger.sequencer)
    sequencer = await Sequencer.resume(connection, signer, any_store, RETENTION)
    for count in (1, 260, 3):
        await writer.write(count=count)
        await drain(sequencer, sequencer.size + count)
    again = await Sequencer.resume(connection, signer, any_store, RETENTION)
    assert again.size == 264
    found = await look(ledger, store=any_store, record=await signer.last())  # type: ignore[arg-type]
    assert (found.faults, found.objects) == ([], 3)
    if isinstance(any_store, LocalStore) or any_store.capabilities.retention:  # rclone cannot list unfinished uploads
        swept = await sweep(any_store, connection, older_than=timedelta(days=-1))
        assert (swept.objects, swept.orphans) == (3, [])
    await connection.close()


class AnswerLost(LocalSink):
    """Publishes, and then the answer is lost on its way."""

    def commit(self, sha256: str, crc32: int, size: int) -> Stored:
        super().commit(sha256, crc32, size)
        raise StoreUnavailable("connection reset")


async def test_when_the_answer_of_the_store_is_lost_the_object_is_compared_and_accepted(
    ledger: Dsn, writer: Writer, signer: FileSigner, store: LocalStore, sequencer: Sequencer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await writer.write(count=4)
    with monkeypatch.context() as patch:
        patch.setattr("casemgmt.storage.local.LocalSink", AnswerLost)
        with pytest.raises(StoreUnavailable):
            await sequencer.advance()
    assert len(store.objects()) == 1
    assert await writer.connection.fetchval("select max(size) from ledger.checkpoint") == 0
    connection = await asyncpg.connect(ledger.sequencer)
    assert (await Sequencer.resume(connection, signer, store)).size == 4
    await connection.close()
    assert (await look(ledger, store=store)).faults == []


async def test_an_object_of_the_next_place_that_is_not_ours_ends_the_log(
    ledger: Dsn, writer: Writer, signer: FileSigner, store: LocalStore, sequencer: Sequencer
) -> None:
    await writer.write(count=2)
    await drain(sequencer, 2)
    await Archive(store, "test.example/ledger", RETENTION).put(2, [b"somebody else's"])
    await writer.write(count=2)
    with pytest.raises(ForkError):
        await sequencer.advance()
    assert await writer.connection.fetchval("select max(size) from ledger.checkpoint") == 2


async def _publish(connection: Any, size: int) -> None:
    await connection.execute("insert into ledger.checkpoint(size, root, note) values ($1, sha256(''), '')", size)


async def test_the_database_takes_no_checkpoint_of_what_is_not_in_the_store(
    ledger: Dsn, writer: Writer, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.write(count=2)

    async def down(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(Sequencer, "_store", down)
    with pytest.raises(ConnectionError):
        await sequencer.advance()
    connection = await asyncpg.connect(ledger.sequencer)
    for size in (1, 2, 3):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not in the write-once store"):
            await _publish(connection, size)
    await connection.close()


@pytest.mark.parametrize("change", ["cut", "bit", "missing", "swapped"])
async def test_a_damaged_archive_is_named_by_the_verification(
    change: str, ledger: Dsn, writer: Writer, sequencer: Sequencer, store: LocalStore
) -> None:
    for _ in range(3):
        await writer.write(count=2)
        await drain(sequencer, sequencer.size + 2)
    paths = [store.path(key) for key in sorted(found.key for found in store.objects())]
    for path in paths:
        path.chmod(0o600)
    content = paths[1].read_bytes()
    if change == "cut":
        paths[1].write_bytes(content[:-1])
    elif change == "bit":
        place = content.index(b"2026-11-22T01")
        paths[1].write_bytes(content[:place] + b"1" + content[place + 1 :])
    elif change == "missing":
        paths[1].unlink()
    else:
        paths[1].write_bytes(paths[2].read_bytes())
    found = await look(ledger, store=store)
    assert found.faults
    assert all("the entries from 2 on" in fault or "leaf 2," in fault for fault in found.faults[:1]), found.faults
    assert all(fault.endswith("[known from the write-once store]") for fault in found.faults)
