"""The one way in for every byte of evidence.

The event loop receives; one thread hashes and another writes the same blocks side by side, behind one bounded queue
each; the object is published when everything declared has been compared. What is acknowledged is durable.

    client -> chunks -> 1 MiB blocks -+-> SHA-256, CRC-32   (hash thread)  -+-> compare -> publish
                                      +-> staging           (write thread) -+

Memory for one upload is at most DEPTH + 1 blocks and a server's chunk. Cancelling a coroutine does not stop its thread,
so whatever ends an upload, both lanes are drained before the sink is closed: a descriptor closed under a writing
thread could by then be another exhibit's.
"""

import asyncio
import hashlib
import hmac
import os
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal, Self

from casemgmt.core.ending import to_its_end
from casemgmt.storage.contract import Sink, Store, Stored, Writing

BLOCK = 1 << 20
DEPTH = 6
HEAD = 4096
IDLE = 60.0
PROGRESS = 64 << 10
"""A client must send this much in IDLE seconds (about 1 KiB/s, less than a phone has on GPRS)."""
SMALL_CHUNKS = 512

Reason = Literal["empty", "length", "hash", "too-long", "cut", "slow"]
WORDS: dict[Reason, str] = {
    "empty": "the file has no bytes",
    "length": "the number of bytes is not the declared one",
    "hash": "the SHA-256 of the bytes is not the declared one",
    "too-long": "the file is longer than is accepted",
    "cut": "the connection ended before the file did",
    "slow": "the file arrived too slowly",
}


class Refused(Exception):
    """The upload was not accepted for something the client did; nothing is stored. ``reason`` is for programs and
    translations, the message for logs."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(WORDS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Declared:
    """What the client says of its file, and how much is accepted; None: not said, not limited. Sizes in bytes."""

    size: int | None = None
    sha256: str | None = None
    limit: int | None = None

    def refuse_early(self) -> None:
        """Raises Refused for what needs no byte to be known."""
        if self.size == 0:
            raise Refused("empty")
        if self.size is not None and self.limit is not None and self.size > self.limit:
            raise Refused("too-long")

    def refuse_growth(self, received: int) -> None:
        """Raises Refused as soon as more bytes have come than may."""
        if self.limit is not None and received > self.limit:
            raise Refused("too-long")
        if self.size is not None and received > self.size:
            raise Refused("length")

    def refuse_whole(self, digest: "Digest") -> None:
        """Raises Refused when the received whole is not what was declared."""
        if digest.size == 0:
            raise Refused("empty")
        if self.size is not None and digest.size != self.size:
            raise Refused("length")
        if self.sha256 is not None and not hmac.compare_digest(digest.sha256.encode(), self.sha256.lower().encode()):
            raise Refused("hash")


class Digest:
    """SHA-256, CRC-32 and size of what has passed, in one pass. A copy lets an upload in pieces step back; a state is
    only worth something while ``size`` is the number of bytes the sink holds."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self.crc32 = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()

    def update(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            self._sha.update(part)
            self.crc32 = zlib.crc32(part, self.crc32)
            self.size += len(part)

    def copy(self) -> Self:
        other = type(self)()
        other._sha, other.crc32, other.size = self._sha.copy(), self.crc32, self.size
        return other


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was published, and its first bytes (up to HEAD), from which its type is told."""

    stored: Stored
    head: bytes


async def store_file(
    chunks: AsyncIterator[bytes],
    store: Store,
    key: str,
    declared: Declared | None = None,
    *,
    digest: Digest | None = None,
    idle: float = IDLE,
) -> Ingested:
    """Receive a whole file and publish it under ``key``. A fresh ``digest`` tells, when it raises, what had arrived.

    Raises :class:`Refused` for what the client did, :class:`casemgmt.storage.contract.StoreError` for what the store
    did, and whatever ``chunks`` raises; in each case nothing is acknowledged and what was staged is given up.
    """
    declared = declared or Declared()
    declared.refuse_early()
    sink = await _create(store, key, declared.size)
    return await ingest(chunks, sink, store.writers, declared, digest=digest, idle=idle)


async def ingest(
    chunks: AsyncIterator[bytes],
    sink: Sink,
    writers: Executor,
    declared: Declared,
    *,
    digest: Digest | None = None,
    idle: float = IDLE,
) -> Ingested:
    """Receive into a sink that is open already. ``digest`` is the state of bytes the sink holds from before.

    When the client is cut off, every byte that arrived has been written before ``sink.abort`` is called; the sink
    decides whether that means to discard or to keep.
    """
    digest = digest or Digest()
    run = asyncio.get_running_loop().run_in_executor
    try:
        head = await extend(chunks, sink, writers, declared, digest=digest, idle=idle)
        declared.refuse_whole(digest)
    except BaseException:
        await to_its_end(run(writers, sink.abort))
        raise
    publishing = run(writers, sink.commit, digest.sha256, digest.crc32, digest.size)
    return Ingested(await asyncio.shield(publishing), head)


async def extend(
    chunks: AsyncIterator[bytes],
    sink: Writing,
    writers: Executor,
    declared: Declared,
    *,
    digest: Digest,
    head: bytearray | None = None,
    idle: float = IDLE,
) -> bytes:
    """Receive further bytes into a sink that holds ``digest.size`` of them already; the first of all of them, up to
    HEAD, when every one is written. ``head`` are those of before, and grows also where this ends with an error.

    Whatever it raises, also when it is cancelled, every byte that arrived has been hashed and written before, and no
    thread works for it any more. ``declared.sha256`` and a size that was not reached are not looked at here.
    """
    lanes = _Lanes(digest, sink, writers)
    block = _Block(digest.size, bytearray() if head is None else head)
    try:
        await _receive(chunks, lanes, block, declared, idle)
        await lanes.put(block.take())
        await lanes.drain()
        lanes.check()
    except BaseException:  # also a cancellation: the threads must have stopped before anything is closed
        await to_its_end(_abandon(lanes, block))
        raise
    return bytes(block.head)


async def _receive(
    chunks: AsyncIterator[bytes], lanes: "_Lanes", block: "_Block", declared: Declared, idle: float
) -> None:
    clock = asyncio.get_running_loop().time
    enough = block.received + PROGRESS
    try:
        async with asyncio.timeout(idle) as alarm:
            async for chunk in chunks:
                block.add(chunk)
                declared.refuse_growth(block.received)
                if block.is_full:
                    alarm.reschedule(None)  # a slow store is not the client's fault
                    await lanes.put(block.take())
                elif block.received < enough:
                    continue
                enough = block.received + PROGRESS
                alarm.reschedule(clock() + idle)
    except TimeoutError:
        raise Refused("slow") from None


async def _abandon(lanes: "_Lanes", block: "_Block") -> None:
    if lanes.failure is None:
        with suppress(Exception):  # a lane that fails now: what ended the upload is raised already
            await lanes.put(block.take())
    await lanes.drain()


class _Block:
    """Gathers a server's chunks, uncopied, until there is a block of them."""

    def __init__(self, received: int, head: bytearray) -> None:
        self.received = received
        self.head = head
        self._parts: list[bytes] = []
        self._size = 0
        self._loose = 0

    @property
    def is_full(self) -> bool:
        return self._size >= BLOCK

    def add(self, chunk: bytes) -> None:
        if len(self.head) < HEAD and len(self.head) == self.received:
            self.head += chunk[: HEAD - len(self.head)]
        self._parts.append(chunk)
        self._size += len(chunk)
        self.received += len(chunk)
        self._loose += 1
        if self._loose == SMALL_CHUNKS:  # a client that sends single bytes must not cost fifty times its file
            self._parts[-SMALL_CHUNKS:] = [b"".join(self._parts[-SMALL_CHUNKS:])]
            self._loose = 0

    def take(self) -> list[bytes]:
        parts, self._parts, self._size, self._loose = self._parts, [], 0, 0
        return parts


@dataclass(slots=True)
class _Shared:
    """A block on its way through both lanes."""

    parts: list[bytes]
    lanes_left: int = 2


class _Lanes:
    """The hash lane and the write lane. Both see every block or neither does, whenever the producer is cancelled."""

    def __init__(self, digest: Digest, sink: Writing, writers: Executor) -> None:
        self.digest = digest
        self.failure: Exception | None = None
        self._room = asyncio.Semaphore(DEPTH)
        self._queues: list[asyncio.Queue[_Shared | None]] = [asyncio.Queue(), asyncio.Queue()]
        self._tasks = [
            asyncio.create_task(self._run(self._queues[0], _hashers(), digest.update)),
            asyncio.create_task(self._run(self._queues[1], writers, sink.write)),
        ]

    async def put(self, parts: list[bytes]) -> None:
        """Waits while both lanes are full. Raises what a lane failed with: further bytes would be for nothing."""
        self.check()
        if parts:
            await self._room.acquire()
            shared = _Shared(parts)
            for queue in self._queues:
                queue.put_nowait(shared)

    async def drain(self) -> None:
        """Returns when no thread works for this upload any more. Nothing may be put afterwards; idempotent."""
        for queue in self._queues:
            queue.put_nowait(None)
        await asyncio.wait(self._tasks)  # unlike gather, leaves the lanes alone when the waiter is cancelled

    def check(self) -> None:
        """Raises what a lane failed with, if one did."""
        if self.failure is not None:
            raise self.failure

    async def _run(
        self, queue: asyncio.Queue[_Shared | None], threads: Executor, work: Callable[[Sequence[bytes]], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        while (shared := await queue.get()) is not None:
            if self.failure is None:
                try:
                    await loop.run_in_executor(threads, work, shared.parts)
                except Exception as error:  # noqa: BLE001 - raised by check(); a lane that died would hang the client
                    self.failure = error
            shared.lanes_left -= 1
            if not shared.lanes_left:
                self._room.release()


async def _create(store: Store, key: str, size: int | None) -> Sink:
    loop = asyncio.get_running_loop()
    creating = loop.run_in_executor(store.writers, store.create, key, size)
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        # The thread goes on and may still open a sink, which nobody would ever close.
        creating.add_done_callback(lambda made: made.exception() or store.writers.submit(made.result().abort))
        raise


@cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(2, os.cpu_count() or 2), "hash")
