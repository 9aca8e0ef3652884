"""A write-once folder on one machine.

``objects/<last two digits of the key>/<key>`` holds what is published, ``staging/`` what is on its way. Publishing is
fsync(file), link without overwrite, fsync(directory); an acknowledgement means all three have returned. A process
killed at any point leaves at most staged bytes and, between link and acknowledgement, a complete published object.

Known limit: nobody guards the folder but its owner. Whoever runs as the application's account can remove a file; the
store says so (no versions, no retention, no legal hold) and the probe shows it. With ``immutable`` and the right to
set the flag, only root can.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from casemgmt.storage.contract import (
    AlreadyStored,
    Capabilities,
    Leftover,
    NotStored,
    NotSupported,
    ObjectInfo,
    Progress,
    StoreUnavailable,
    checked_key,
)
from casemgmt.storage.local_resumable import LocalResumable
from casemgmt.storage.local_sink import LocalSink, fsync_folder

SHARDS = tuple(f"{n:02x}" for n in range(256))
STAGED = ".part"
KEPT = ".kept"  # of a resumable upload


class LocalStore:
    """See the module. ``root`` is the store's alone. Set ``immutable`` to add the file system's immutable flag where
    it is permitted (root on ext4, xfs, btrfs); where it is not, the object stays published without it."""

    def __init__(self, root: Path, *, immutable: bool = False) -> None:
        self.root = root
        self.immutable = immutable
        self.staging = root / "staging"
        self._objects = root / "objects"
        self.writers = ThreadPoolExecutor(4, "store-write")
        self.readers = ThreadPoolExecutor(8, "store-read")

    @property
    def address(self) -> str:
        return str(self.root)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(versions=False, retention=False, legal_hold=False)

    def prepare(self) -> None:
        self.staging.mkdir(mode=0o700, parents=True, exist_ok=True)
        for shard in SHARDS:
            (self._objects / shard).mkdir(mode=0o700, parents=True, exist_ok=True)
        fsync_folder(self._objects)
        fsync_folder(self.root)

    def path(self, key: str) -> Path:
        """Where the object is or would be. Sharded by the *last* digits: a UUIDv7 begins with a clock."""
        return self._objects / checked_key(key)[-2:] / key

    def create(self, key: str, length: int | None = None) -> LocalSink:
        final = self.path(key)
        if final.exists():
            raise AlreadyStored(key)
        # A random middle part, because a killed upload leaves its file and the retry comes with the same key.
        staged = self.staging / f"{key}.{os.urandom(6).hex()}{STAGED}"
        return LocalSink(key, staged, final, length, immutable=self.immutable)

    def resume(self, key: str, length: int, progress: Progress) -> LocalResumable:
        final = self.path(key)
        if final.exists():
            raise AlreadyStored(key)
        return LocalResumable(key, self._kept(key), final, progress, immutable=self.immutable)

    def give_up(self, key: str, progress: Progress) -> None:
        self._kept(key).unlink(missing_ok=True)

    def open(self, key: str, start: int = 0, end: int | None = None, version: str | None = None) -> "LocalReader":
        _refuse_version(version)
        try:
            fd = os.open(self.path(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._absent(key) from None
        except OSError as error:
            raise StoreUnavailable(str(error)) from error
        size = os.fstat(fd).st_size
        return LocalReader(fd, start, size if end is None else min(end, size))

    def stat(self, key: str, version: str | None = None) -> ObjectInfo:
        _refuse_version(version)
        try:
            return _info(key, self.path(key).stat())
        except FileNotFoundError:
            raise self._absent(key) from None
        except OSError as error:
            raise StoreUnavailable(str(error)) from error

    def protect(self, key: str, version: str | None, until: datetime) -> None:
        raise NotSupported("a folder keeps no retention period")

    def hold(self, key: str, version: str | None, on: bool) -> None:
        raise NotSupported("a folder keeps no legal hold")

    def objects(self, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        page: list[ObjectInfo] = []
        for shard in SHARDS[int(after[-2:], 16) if after else 0 :]:
            paths = sorted(self._shard(shard).iterdir())
            if after and shard == after[-2:]:
                paths = [path for path in paths if path.name > after]
            page += [_info(path.name, path.stat()) for path in paths[: limit - len(page)]]
            if len(page) == limit:
                break
        return page

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        for entry in os.scandir(self.staging):
            try:
                started = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue  # committed or aborted since it was listed
            if entry.name.endswith((STAGED, KEPT)) and started < before:
                yield Leftover(entry.name, entry.name.split(".")[0], started)

    def discard(self, leftover: Leftover) -> None:
        # One of two links when the process died between link and unlink: the published name keeps the bytes.
        (self.staging / Path(leftover.name).name).unlink(missing_ok=True)

    def close(self) -> None:
        self.writers.shutdown()
        self.readers.shutdown()

    def _kept(self, key: str) -> Path:
        return self.staging / f"{checked_key(key)}{KEPT}"

    def _shard(self, shard: str) -> Path:
        folder = self._objects / shard
        if not folder.is_dir():
            raise StoreUnavailable(f"{self.root} is not a prepared store: is its disk mounted?")
        return folder

    def _absent(self, key: str) -> NotStored:
        self._shard(key[-2:])  # raises when the whole store is absent, which is another matter
        return NotStored(key)


class LocalReader:
    """A range of a published file."""

    def __init__(self, fd: int, start: int, end: int) -> None:
        self._fd = fd
        self._at = start
        self._end = end

    def read(self, n: int) -> bytes:
        try:
            block = os.pread(self._fd, max(0, min(n, self._end - self._at)), self._at)
        except OSError as error:
            raise StoreUnavailable(str(error)) from error
        self._at += len(block)
        return block

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))


def _refuse_version(version: str | None) -> None:
    if version is not None:
        raise NotSupported("a folder keeps no versions")
