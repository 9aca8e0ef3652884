"""Sending stored objects: ranges, hashes, and readers that leave."""

import asyncio
import hashlib
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from casemgmt.core.reading import read_object
from casemgmt.storage.contract import NotStored, StoreUnavailable
from casemgmt.storage.local import LocalStore

KEY = "0192f0c1-0000-7000-8000-0000000000ab"
MIB = 1 << 20
PHOTO = os.urandom(3 * MIB + 5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    place = LocalStore(tmp_path / "store")
    place.prepare()
    sink = place.create(KEY)
    sink.write([PHOTO])
    sink.commit("", zlib.crc32(PHOTO), len(PHOTO))
    yield place
    place.close()


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (MIB - 1, MIB + 1), (7, 7), (len(PHOTO), None)])
async def test_it_gives_a_range_in_blocks_and_hashes_what_it_gives(
    store: LocalStore, start: int, end: int | None
) -> None:
    hasher = hashlib.sha256()
    blocks = [block async for block in read_object(store, KEY, start, end, hasher=hasher)]
    assert b"".join(blocks) == PHOTO[start:end]
    assert all(len(block) <= MIB for block in blocks)
    assert hasher.hexdigest() == hashlib.sha256(PHOTO[start:end]).hexdigest()


async def test_it_says_what_is_not_stored(store: LocalStore) -> None:
    with pytest.raises(NotStored):
        await anext(read_object(store, KEY.replace("ab", "ac")))


class SlowReader:
    """Blocks inside ``read`` until released, and notices being closed meanwhile."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.reading = self.closed_while_reading = False
        self.closed = threading.Event()

    def read(self, n: int) -> bytes:
        self.reading = True
        self.entered.set()
        self.release.wait(10)
        self.reading = False
        return b"x"

    def close(self) -> None:
        self.closed_while_reading |= self.reading
        self.closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def test_a_client_that_leaves_never_closes_a_file_under_its_reading_thread(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = SlowReader()
    monkeypatch.setattr(store, "open", lambda *_: reader)

    async def send() -> None:
        async with aclosing(read_object(store, KEY)) as blocks:
            async for _ in blocks:
                pass

    sending = asyncio.create_task(send())
    await asyncio.to_thread(reader.entered.wait, 10)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not reader.closed.is_set()
    reader.release.set()
    await asyncio.to_thread(reader.closed.wait, 10)
    assert reader.closed.is_set()
    assert not reader.closed_while_reading


async def test_readers_that_leave_half_way_leave_no_open_file(store: LocalStore) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        async with aclosing(read_object(store, KEY)) as blocks:
            await anext(blocks)
    await asyncio.sleep(0.2)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


async def test_a_failing_store_is_told_to_the_one_who_reads(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = store.open(KEY)

    def fail(n: int) -> bytes:
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(reader, "read", fail)
    monkeypatch.setattr(store, "open", lambda *_: reader)
    with pytest.raises(StoreUnavailable, match="gone"):
        await anext(read_object(store, KEY))
