"""A stored file's bytes once more, whole, and the certainty that they are the ones that were received."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing

from casemgmt.core.reading import read_object
from casemgmt.storage.contract import Store


class Changed(Exception):
    """The stored bytes are not those that were received; ``found`` is the SHA-256 of what is there."""

    def __init__(self, found: bytes) -> None:
        super().__init__(found.hex())
        self.found = found


async def reread(store: Store, key: str, version: str | None, size: int, sha256: bytes) -> AsyncIterator[bytes]:
    """The object in blocks, never more than ``size`` bytes. Raises Changed at the end when it is another file: use
    nothing before that."""
    digest, left = hashlib.sha256(), size
    async with aclosing(read_object(store, key, version=version, hasher=digest)) as blocks:
        async for block in blocks:
            if left > 0:
                yield block[:left]
            left -= len(block)
    if digest.digest() != sha256:
        raise Changed(digest.digest())
