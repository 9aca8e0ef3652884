"""Sending a stored object: the next block is read, and hashed if asked, while this one is on its way to the client."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

from casemgmt.storage.contract import Reader, Store

BLOCK = 1 << 20


class Hasher(Protocol):
    """What ``hashlib.sha256()`` returns."""

    def update(self, data: bytes, /) -> None: ...


async def read_object(
    store: Store,
    key: str,
    start: int = 0,
    end: int | None = None,
    *,
    version: str | None = None,
    hasher: Hasher | None = None,
    block: int = BLOCK,
) -> AsyncGenerator[bytes, None]:
    """Bytes ``start`` to ``end`` (exclusive) of an object in blocks. ``hasher`` has seen exactly the bytes handed out
    so far and at most one block more. Costs a reader thread only while a block is read, and two blocks of memory.
    Wrap it in ``contextlib.aclosing`` unless it is read to its end. Raises :class:`NotStored` and its family.
    """
    loop = asyncio.get_running_loop()
    reader = await _open(store, key, start, end, version)

    def step() -> bytes:
        data = reader.read(block)
        if hasher is not None:
            hasher.update(data)
        return data

    pending = loop.run_in_executor(store.readers, step)
    try:
        while True:
            # wait() and not await: a cancelled future would look finished while its thread still reads.
            await asyncio.wait({pending})
            if not (data := pending.result()):
                return
            pending = loop.run_in_executor(store.readers, step)
            yield data
    finally:
        pending.add_done_callback(lambda done: _close(done, reader))


async def _open(store: Store, key: str, start: int, end: int | None, version: str | None) -> Reader:
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(store.readers, store.open, key, start, end, version)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unused)
        raise


def _close_unused(opened: "asyncio.Future[Reader]") -> None:
    if opened.exception() is None:
        opened.result().close()


def _close(done: "asyncio.Future[bytes]", reader: Reader) -> None:
    done.exception()  # looked at, so that a block nobody wanted any more is not reported as lost
    reader.close()
