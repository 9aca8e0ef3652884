"""The ledger's entries and tiles in the write-once store: one object for each batch, whose name is its place."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from casemgmt.core.clock import utcnow
from casemgmt.ledger.errors import ForkError
from casemgmt.storage.contract import AlreadyStored, Locked, NotStored, Reader, Store
from casemgmt.trust.batch import BLOCK, batch_key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Archived:
    """An acknowledgement of the store: the object is durable, and locked until then where the store has locks."""

    key: str
    version: str | None
    size: int
    sha256: bytes
    retained_until: datetime | None


class Archive:
    """The objects of one log in a store. Nothing here can replace or remove one."""

    def __init__(self, store: Store, origin: str, retention: timedelta) -> None:
        self.store = store
        self.origin = origin
        self._retention = retention

    async def put(self, first: int, parts: Sequence[bytes]) -> Archived:
        """Keep a batch. One that is there already, from a try whose answer was lost, must be the very same.

        Raises ForkError when it is another one, and the store's own errors when it is not known to be kept.
        """
        return await self._on(lambda: self._put(first, parts), writing=True)

    async def has(self, first: int) -> bool:
        """Whether a batch from this entry on is there."""
        return await self._on(lambda: self._has(first))

    async def open(self, first: int, version: str | None = None) -> Reader:
        """The batch from entry ``first`` on; reading it blocks. Raises NotStored."""
        return await self._on(lambda: self.store.open(self.key(first), version=version))

    def key(self, first: int) -> str:
        return batch_key(self.origin, first)

    async def _on(self, work: Callable[[], T], *, writing: bool = False) -> T:
        threads = self.store.writers if writing else self.store.readers
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(threads, work))

    def _has(self, first: int) -> bool:
        try:
            self.store.stat(self.key(first))
        except NotStored:
            return False
        return True

    def _put(self, first: int, parts: Sequence[bytes]) -> Archived:
        key, size = self.key(first), sum(map(len, parts))
        sha256, crc32 = hashlib.sha256(), 0
        for part in parts:
            sha256.update(part)
            crc32 = zlib.crc32(part, crc32)
        try:
            sink = self.store.create(key, size)
            try:
                sink.write(parts)
                version = sink.commit(sha256.hexdigest(), crc32, size).version
            except BaseException:
                sink.abort()
                raise
        except AlreadyStored:
            version = self._same(key, size, sha256.digest())
        return Archived(key, version, size, sha256.digest(), self._protect(key, version))

    def _same(self, key: str, size: int, sha256: bytes) -> str | None:
        info = self.store.stat(key)
        if info.size != size or self._hash(key, info.version) != sha256:
            raise ForkError(
                f"the write-once store holds another batch of entries as {key} than this database would sign now: the "
                "database was restored from a backup or changed. Nothing was signed. See `casemgmt ledger recover`"
            )
        return info.version

    def _hash(self, key: str, version: str | None) -> bytes:
        digest = hashlib.sha256()
        with self.store.open(key, version=version) as reader:
            while block := reader.read(BLOCK):
                digest.update(block)
        return digest.digest()

    def _protect(self, key: str, version: str | None) -> datetime | None:
        if not self.store.capabilities.retention:
            return None
        until = utcnow().replace(microsecond=0) + self._retention
        try:
            self.store.protect(key, version, until)
        except Locked:
            there = self.store.stat(key, version).retained_until
            if there is None or there < until:
                raise
            return there  # put before, when the setting was longer
        return until
