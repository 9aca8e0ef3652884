"""One upload into the write-once folder: stage, fsync, link, fsync."""

import array
import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from casemgmt.storage.contract import AlreadyStored, Corrupted, NoSpace, Stored, StoreUnavailable

# linux/fs.h; the argument is a C long, although the kernel reads and writes 32 bits of it.
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL = 0x80086601, 0x40086602, 0x10
IOV_MAX = 1024


class LocalSink:
    """Holds one open staged file. Bytes are never readable under the key before ``commit`` has made them durable."""

    def __init__(self, key: str, staged: Path, final: Path, length: int | None, *, immutable: bool) -> None:
        self._key, self._staged, self._final, self._immutable = key, staged, final, immutable
        with named():
            self._fd = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._written = 0
        if length:
            try:
                with named():
                    os.posix_fallocate(self._fd, 0, length)  # "disk full" before the first byte, not after the last
            except BaseException:
                self.abort()
                raise

    def write(self, parts: Sequence[bytes]) -> None:
        with named():
            for first in range(0, len(parts), IOV_MAX):
                self._written += write_all(self._fd, parts[first : first + IOV_MAX])

    def commit(self, sha256: str, crc32: int, size: int) -> Stored:
        try:
            if self._written != size:
                raise Corrupted(f"{self._key}: {self._written} bytes written, {size} hashed")
            with named():
                self._publish(size)
        finally:
            self.abort()  # after publishing: closes the file and removes the second link
        return Stored(self._key, size, sha256, crc32, None)

    def _publish(self, size: int) -> None:
        os.ftruncate(self._fd, size)  # gives back what was reserved beyond the end
        publish(self._fd, self._key, self._staged, self._final, immutable=self._immutable)

    def abort(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            with suppress(OSError):  # what cannot be removed now, the sweeper finds
                self._staged.unlink(missing_ok=True)


def publish(fd: int, key: str, staged: Path, final: Path, *, immutable: bool) -> None:
    """Make the staged file durable under its final name, once; its staged name may stay."""
    os.fchmod(fd, 0o444)
    os.fsync(fd)  # a failed fsync is never retried: the kernel may have dropped the pages
    try:
        os.link(staged, final)
    except FileExistsError:
        raise AlreadyStored(key) from None
    fsync_folder(final.parent)
    if immutable:
        staged.unlink()  # an immutable file can lose none of its names
        make_immutable(fd)


def write_all(fd: int, parts: Sequence[bytes]) -> int:
    """Write every byte of at most IOV_MAX parts and return how many; a signal or a full disk may cut ``writev``."""
    wanted = sum(map(len, parts))
    done = os.writev(fd, parts)
    if done < wanted:
        rest = memoryview(b"".join(parts))[done:]
        while rest:
            rest = rest[os.write(fd, rest) :]
    return wanted


def fsync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_immutable(fd: int, on: bool = True) -> bool:
    """Set or clear the immutable flag; False where the account or the file system does not permit it."""
    flags = array.array("l", [0])
    try:
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, flags)
        flags[0] = flags[0] | FS_IMMUTABLE_FL if on else flags[0] & ~FS_IMMUTABLE_FL
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, flags)
    except OSError:
        return False
    return True


@contextmanager
def named() -> Iterator[None]:
    """Turn an operating system error into the store's own family."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoSpace(str(error)) from error
        raise StoreUnavailable(str(error)) from error
