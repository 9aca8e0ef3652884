"""One way in for every byte: what it acknowledges, what it refuses, and what a cut leaves."""

import asyncio
import hashlib
import os
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casemgmt.core.body import body
from casemgmt.core.ingest import BLOCK, DEPTH, HEAD, Declared, Digest, Reason, Refused, ingest, store_file
from casemgmt.storage.contract import AlreadyStored, NoSpace, NotStored, Stored, StoreError
from casemgmt.storage.local import LocalStore

KEY = "0192f0c1-0000-7000-8000-0000000000ab"
MIB = 1 << 20
PHOTO = os.urandom(5 * MIB + 13)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    place = LocalStore(tmp_path / "store")
    place.prepare()
    yield place
    place.close()


async def arriving(data: bytes, step: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def assert_nothing_kept(store: LocalStore) -> None:
    with pytest.raises(NotStored):
        store.stat(KEY)
    assert list(store.leftovers(datetime.now(UTC) + timedelta(minutes=1))) == []


@pytest.mark.parametrize("size", [1, HEAD, 65_536, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * MIB + 13])
@pytest.mark.parametrize("step", [65_536, 3 * MIB])
async def test_it_stores_hashes_and_keeps_the_first_bytes(store: LocalStore, size: int, step: int) -> None:
    data = PHOTO[:size]
    got = await store_file(arriving(data, step), store, KEY, Declared(size=size, sha256=sha(data).upper()))
    assert got.stored == Stored(KEY, size, sha(data), zlib.crc32(data), None)
    assert got.head == data[:HEAD]
    assert store.path(KEY).read_bytes() == data


async def test_a_client_that_sends_single_bytes_is_taken_in_like_any_other(store: LocalStore) -> None:
    data = PHOTO[:20_000]
    got = await store_file(arriving(data, 1), store, KEY)
    assert got.stored.sha256 == sha(data)
    assert store.path(KEY).read_bytes() == data


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (b"", Declared(), "empty"),
        (b"", Declared(size=0), "empty"),
        (b"abc", Declared(size=4), "length"),
        (b"abc", Declared(size=2), "length"),
        (PHOTO, Declared(sha256=sha(b"another")), "hash"),
        (PHOTO, Declared(sha256="не хеш"), "hash"),
        (PHOTO, Declared(sha256=""), "hash"),
        (PHOTO, Declared(limit=len(PHOTO) - 1), "too-long"),
        (b"", Declared(size=10, limit=9), "too-long"),
    ],
)
async def test_it_refuses_what_is_not_as_declared(
    store: LocalStore, data: bytes, declared: Declared, reason: Reason
) -> None:
    with pytest.raises(Refused) as refused:
        await store_file(arriving(data), store, KEY, declared)
    assert refused.value.reason == reason
    assert_nothing_kept(store)


async def test_a_file_of_exactly_the_limit_is_accepted(store: LocalStore) -> None:
    got = await store_file(arriving(PHOTO), store, KEY, Declared(limit=len(PHOTO)))
    assert got.stored.size == len(PHOTO)


async def test_a_refused_file_is_not_read_to_its_end(store: LocalStore) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(MIB)

    with pytest.raises(Refused, match="longer"):
        await store_file(endless(), store, KEY, Declared(limit=3 * MIB))
    assert taken == 4


async def test_a_client_that_leaves_is_told_from_a_bad_file(store: LocalStore) -> None:
    messages = [
        {"type": "http.request", "body": PHOTO[:MIB], "more_body": True},
        {"type": "http.request", "body": b"", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> object:
        return messages.pop(0)

    with pytest.raises(Refused) as refused:
        await store_file(body(receive), store, KEY)  # type: ignore[arg-type]
    assert refused.value.reason == "cut"
    assert_nothing_kept(store)


async def test_a_body_ends_where_the_server_says(store: LocalStore) -> None:
    messages = [
        {"type": "http.request", "body": b"evi", "more_body": True},
        {"type": "http.request", "body": b"dence", "more_body": False},
    ]

    async def receive() -> object:
        return messages.pop(0)

    got = await store_file(body(receive), store, KEY)  # type: ignore[arg-type]
    assert got.head == b"evidence"


async def test_a_slow_drip_is_stopped(store: LocalStore) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.01)

    started = time.monotonic()
    with pytest.raises(Refused) as refused:
        await store_file(dripping(), store, KEY, idle=0.2)
    assert refused.value.reason == "slow"
    assert time.monotonic() - started < 5
    assert_nothing_kept(store)


async def test_a_slow_but_honest_phone_is_not_stopped(store: LocalStore) -> None:
    async def on_a_bad_line() -> AsyncIterator[bytes]:
        for _ in range(6):
            await asyncio.sleep(0.1)
            yield PHOTO[:65_536]

    got = await store_file(on_a_bad_line(), store, KEY, idle=0.3)
    assert got.stored.size == 6 * 65_536


@pytest.mark.parametrize("after", [0, 3])
async def test_a_cancelled_upload_leaves_nothing_and_no_working_thread(store: LocalStore, after: int) -> None:
    reached = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        for _ in range(after):
            yield bytes(MIB)
        reached.set()
        await asyncio.sleep(60)
        yield b""

    task = asyncio.create_task(store_file(hanging(), store, KEY))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_nothing_kept(store)


async def test_an_upload_cancelled_at_any_moment_leaves_nothing_or_all(store: LocalStore) -> None:
    """Cancels the same upload later and later, from before its first thread until after its end."""
    finished = cancelled = 0
    for number in range(60):
        key = f"{number:08d}-00"
        task = asyncio.create_task(store_file(arriving(PHOTO), store, key, Declared(size=len(PHOTO))))
        await asyncio.sleep(number * 0.0005)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
            finished += 1
        cancelled += task.cancelled()
    store.writers.shutdown()  # what was shielded has ended
    assert cancelled > 0
    assert finished + cancelled == 60
    assert list(store.leftovers(datetime.now(UTC) + timedelta(minutes=1))) == []
    assert all(info.size == len(PHOTO) for info in store.objects())


class FakeSink:
    """A sink that fails or waits where a real one cannot be made to."""

    def __init__(self, fail_at: int | None = None, gate: threading.Event | None = None) -> None:
        self.calls: list[str] = []
        self.written = bytearray()
        self._fail_at, self._gate = fail_at, gate

    def write(self, parts: Sequence[bytes]) -> None:
        self.calls.append("write")
        if self._gate:
            self._gate.wait(10)
        if self._fail_at is not None and len(self.calls) > self._fail_at:
            raise NoSpace("full")
        self.written += b"".join(parts)

    def commit(self, sha256: str, crc32: int, size: int) -> Stored:
        self.calls.append("commit")
        return Stored(KEY, size, sha256, crc32, None)

    def abort(self) -> None:
        self.calls.append("abort")


@pytest.mark.parametrize("fail_at", [0, 2, 5])
async def test_a_full_disk_ends_the_upload_instead_of_hanging_it(store: LocalStore, fail_at: int) -> None:
    sink = FakeSink(fail_at)
    async with asyncio.timeout(10):
        with pytest.raises(NoSpace):
            await ingest(arriving(bytes(40 * MIB)), sink, store.writers, Declared())
    assert sink.calls == ["write"] * (fail_at + 1) + ["abort"]


async def test_a_slow_store_is_not_blamed_on_the_client_and_memory_stays_bounded(store: LocalStore) -> None:
    gate = threading.Event()
    sink = FakeSink(gate=gate)
    taken = 0

    async def quick() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield bytes(MIB)

    upload = asyncio.create_task(ingest(quick(), sink, store.writers, Declared(), idle=0.1))
    await asyncio.sleep(0.5)
    assert taken <= DEPTH + 2
    gate.set()
    assert (await upload).stored.size == 40 * MIB


async def test_what_arrived_before_a_cut_reaches_the_sink_before_it_is_told(store: LocalStore) -> None:
    async def cut_off() -> AsyncIterator[bytes]:
        yield PHOTO[: MIB + 100]
        yield PHOTO[MIB + 100 : MIB + 177]
        raise Refused("cut")

    sink, digest = FakeSink(), Digest()
    with pytest.raises(Refused, match="connection"):
        await ingest(cut_off(), sink, store.writers, Declared(), digest=digest)
    assert sink.written == PHOTO[: MIB + 177]
    assert (digest.size, digest.sha256) == (MIB + 177, sha(PHOTO[: MIB + 177]))
    assert sink.calls[-1] == "abort"


async def test_a_refused_upload_tells_what_had_arrived(store: LocalStore) -> None:
    digest = Digest()
    with pytest.raises(Refused, match="SHA-256"):
        await store_file(arriving(PHOTO), store, KEY, Declared(sha256=sha(b"another")), digest=digest)
    assert (digest.size, digest.sha256) == (len(PHOTO), sha(PHOTO))


async def test_an_upload_in_pieces_goes_on_with_the_state_of_what_it_holds(store: LocalStore) -> None:
    digest = Digest()
    digest.update([PHOTO[:1000]])
    before = digest.copy()
    rest = await ingest(
        arriving(PHOTO[1000:]), FakeSink(), store.writers, Declared(len(PHOTO), sha(PHOTO)), digest=digest
    )
    assert (rest.stored.sha256, rest.stored.crc32) == (sha(PHOTO), zlib.crc32(PHOTO))
    assert (before.size, before.sha256) == (1000, sha(PHOTO[:1000]))


async def test_one_key_is_taken_once(store: LocalStore) -> None:
    results = await asyncio.gather(
        *(store_file(arriving(os.urandom(MIB)), store, KEY) for _ in range(8)), return_exceptions=True
    )
    stored = [result for result in results if not isinstance(result, BaseException)]
    assert len(stored) == 1
    assert all(isinstance(result, AlreadyStored) for result in results if isinstance(result, StoreError))
    assert sha(store.path(KEY).read_bytes()) == stored[0].stored.sha256


@pytest.mark.parametrize("mib", [192, pytest.param(4096, marks=pytest.mark.long)])
async def test_memory_stays_flat_whatever_the_size(store: LocalStore, mib: int) -> None:
    block = os.urandom(MIB)

    async def long_video() -> AsyncIterator[bytes]:
        for _ in range(mib):
            # A fresh object each time, as a server makes them; sharing one would hide what is kept.
            yield bytes(bytearray(block))

    await store_file(arriving(PHOTO), store, "warm-up-00")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = resident("VmRSS")
    await store_file(long_video(), store, KEY, Declared(size=mib * MIB))
    assert resident("VmHWM") - before < 64 * MIB


def resident(line: str) -> int:
    """Bytes of this process in memory now (VmRSS) or at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return next(int(row.split()[1]) * 1024 for row in status.splitlines() if row.startswith(f"{line}:"))
