"""A resumable upload in the write-once folder: one staged file, whose size is the offset.

The file is locked while it is open; the kernel lets go when the process dies, so no lock is ever stale. Bytes behind
the last saved offset are true after a killed process (they are in the kernel's hands) and may be anything after a
power cut: when the machine was started anew since then, they are cut off.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from casemgmt.storage.contract import Busy, Corrupted, Progress, Stored, StoreUnavailable
from casemgmt.storage.local_sink import IOV_MAX, named, publish, write_all

BLOCK = 1 << 20


class LocalResumable:
    """See the module."""

    def __init__(self, key: str, staged: Path, final: Path, progress: Progress, *, immutable: bool) -> None:
        self._key, self._staged, self._final, self._immutable = key, staged, final, immutable
        self._saved = progress
        with named():
            self._fd = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            self._start = self._offset = self._size()
        except BaseException:
            self.close()
            raise

    def _size(self) -> int:
        """Of what can be trusted; the file's position is its end."""
        with named():
            size = os.lseek(self._fd, 0, os.SEEK_END)
            kept = self._saved.received
            if size < kept:
                raise StoreUnavailable(f"{self._key}: {size} bytes staged of {kept}: is the right disk mounted?")
            if self._saved.boot and self._saved.boot != boot_id():
                os.ftruncate(self._fd, kept)
            return os.lseek(self._fd, 0, os.SEEK_END)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(self._key) from None

    @property
    def offset(self) -> int:
        return self._offset

    @property
    def progress(self) -> Progress:
        return self._saved

    def reread(self) -> Iterator[bytes]:
        at = 0
        while at < self._offset:
            with named():
                block = os.pread(self._fd, min(BLOCK, self._offset - at), at)
            if not block:
                raise StoreUnavailable(f"{self._key}: the staged file became shorter")
            at += len(block)
            yield block

    def write(self, parts: Sequence[bytes]) -> None:
        with named():
            for first in range(0, len(parts), IOV_MAX):
                self._offset += write_all(self._fd, parts[first : first + IOV_MAX])

    def rewind(self) -> None:
        with named():
            os.ftruncate(self._fd, self._start)
            os.lseek(self._fd, self._start, os.SEEK_SET)
        self._offset = self._start

    def save(self) -> None:
        with named():
            os.fdatasync(self._fd)
        self._saved = Progress(received=self._offset, boot=boot_id())

    def kept(self) -> None:
        """Nothing is superseded here."""

    def commit(self, sha256: str, crc32: int | None, size: int) -> Stored:
        if self._offset != size:
            raise Corrupted(f"{self._key}: {self._offset} bytes staged, {size} hashed")
        with named():
            publish(self._fd, self._key, self._staged, self._final, immutable=self._immutable)
        with suppress(OSError):  # what cannot be removed now, the sweeper finds
            self._staged.unlink(missing_ok=True)
        return Stored(self._key, size, sha256, crc32 or 0, None)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@cache
def boot_id() -> str:
    """Another one after every start of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
