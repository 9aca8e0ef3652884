"""Reads a package archive, believing nothing: every byte outside the files must be the one `zip` would write.

Therefore nothing can hide between the files, behind them, in a second directory, in an extra field
or in a compressed stream, and one changed byte anywhere is seen.
"""

import hashlib
import os
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, NoReturn

from casemgmt.trust import zip as layout
from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import ArchiveError, ManifestError
from casemgmt.trust.manifest import check_path

MAX_DIRECTORY = 256 * 1024 * 1024
"""Bytes of the largest central directory accepted: some two million files."""

CHUNK = 1024 * 1024
HASH_CHUNK = 256 * 1024  # fits a core's own cache


class Member(NamedTuple):
    """A file of the archive; `offset` is where its content starts."""

    size: int
    crc32: int
    offset: int


class Archive:
    """The files of one bag, by path inside the bag.  Raises `ArchiveError` for any other layout."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._file = _descriptor(stream)
        self.size = stream.seek(0, 2)
        self.root = ""
        self.members: dict[str, Member] = {}
        count, directory, offset = self._directory()
        self._read_members(count, directory, offset)
        _check_names(list(self.members))

    def chunks(self, path: str) -> Iterator[bytes]:
        """The content in blocks of at most 1 MiB, safe to call on several threads.

        Raises `ArchiveError` after the last block if the content does not have its CRC-32.
        """
        member = self.members[path]
        crc, position, end = 0, member.offset, member.offset + member.size
        while position < end:
            block = self._at(position, min(CHUNK, end - position))
            crc = zlib.crc32(block, crc)
            position += len(block)
            yield block
        if crc != member.crc32:
            raise ArchiveError(f"{path} does not have the CRC-32 of its header")

    def size_of(self, path: str) -> int:
        """Bytes of the content; 0 for a file that is not there."""
        return self.members[path].size if path in self.members else 0

    def sha256(self, path: str) -> str:
        """SHA-256 of the content in hex, safe to call on several threads; the CRC-32 is not looked at."""
        member = self.members[path]
        digest, position, end = hashlib.sha256(), member.offset, member.offset + member.size
        buffer = memoryview(bytearray(min(HASH_CHUNK, max(member.size, 1))))
        while position < end:
            block = buffer[: min(len(buffer), end - position)]
            self._into(block, position)
            digest.update(block)
            position += len(block)
        return digest.hexdigest()

    def read(self, path: str, limit: int) -> bytes:
        """The whole content of a file that must exist and have at most `limit` bytes."""
        if path not in self.members:
            raise ArchiveError(f"{path} is missing")
        if self.members[path].size > limit:
            raise ArchiveError(f"{path} is larger than the {limit} bytes such a file can have")
        return b"".join(self.chunks(path))

    def _at(self, offset: int, length: int) -> bytes:
        with self._lock:
            self._stream.seek(offset)
            data = self._stream.read(length)
        if len(data) != length:
            raise ArchiveError("the archive ends too early")
        return data

    def _into(self, block: memoryview, offset: int) -> None:
        """Fills `block`; with a real file, threads do not wait for one another."""
        if self._file is not None:
            got = os.preadv(self._file, [block], offset)
        else:
            with self._lock:
                self._stream.seek(offset)
                got = self._stream.readinto(block)  # type: ignore[attr-defined]
        if got != len(block):
            raise ArchiveError("the archive ends too early")

    def _directory(self) -> tuple[int, bytes, int]:
        """Number of files, the central directory's bytes, and its offset."""
        if self.size < layout.END.size:
            raise ArchiveError("too short to be an archive")
        tail = self._at(self.size - layout.END.size, layout.END.size)
        signature, _, _, _, count, size, offset, _ = layout.END.unpack(tail)
        if signature != layout.END_SIGNATURE:
            raise ArchiveError("does not end as an archive ends: cut off, or bytes were added after it")
        if count == layout.MAX_16 or layout.MAX_32 in (size, offset):
            length = layout.END_64.size + layout.LOCATOR_64.size + layout.END.size
            if self.size < length:
                raise ArchiveError("the archive ends too early")
            tail = self._at(self.size - length, length)
            count, size, offset = layout.END_64.unpack_from(tail)[7:]
        if offset + size + len(tail) != self.size:
            raise ArchiveError("bytes before, between or behind the files: the directory is not where it says")
        if tail != layout.end_records(count, size, offset):
            raise ArchiveError("the end records differ from the agreed layout")
        if size > MAX_DIRECTORY:
            raise ArchiveError("the central directory is too large")
        return count, self._at(offset, size), offset

    def _read_members(self, count: int, directory: bytes, end: int) -> None:
        position = offset = 0
        for _ in range(count):
            path, size, crc32, record = _parse_record(directory, position, offset)
            header = layout.local_header(path, size, crc32)
            if offset + len(header) + size > end or self._at(offset, len(header)) != header:
                raise ArchiveError(f"the header of {shown(path)} differs from the agreed layout")
            self._add(path, Member(size, crc32, offset + len(header)))
            offset += len(header) + size
            position += len(record)
        if position != len(directory) or offset != end:
            raise ArchiveError("bytes that belong to no file")

    def _add(self, full: str, member: Member) -> None:
        root, _, path = full.partition("/")
        try:
            check_path(full)
        except ManifestError as error:
            raise ArchiveError(str(error)) from error
        self.root = self.root or root
        if root != self.root or not path:
            raise ArchiveError(f"outside the bag's directory {self.root}: {full}")
        if path in self.members:
            raise ArchiveError(f"twice in the archive: {path}")
        self.members[path] = member


def _descriptor(stream: BinaryIO) -> int | None:
    """The file behind the stream, where it can be read at any place without moving."""
    if not hasattr(os, "preadv"):
        return None
    try:
        return stream.fileno()
    except (OSError, AttributeError):
        return None


def _parse_record(directory: bytes, position: int, offset: int) -> tuple[str, int, int, bytes]:
    """Path, size, CRC-32 and bytes of the record at `position`, whose file must start at `offset`."""
    if len(directory) < position + layout.CENTRAL.size:
        raise ArchiveError("the central directory ends too early")
    fields = layout.CENTRAL.unpack_from(directory, position)
    signature, flags, method, crc32, size = fields[0], fields[3], fields[4], fields[7], fields[9]
    name_length, extra_length = fields[10], fields[11]
    start = position + layout.CENTRAL.size
    name = directory[start : start + name_length]
    extra = directory[start + name_length : start + name_length + extra_length]
    if signature != layout.CENTRAL_SIGNATURE:
        raise ArchiveError("the central directory is malformed")
    path = _ascii(name)
    if method != layout.STORED:
        raise ArchiveError(f"{shown(path)} is compressed (method {method})")
    if flags & 1:
        raise ArchiveError(f"{shown(path)} is encrypted")
    if size == layout.MAX_32 and len(extra) >= 12:
        size = int.from_bytes(extra[4:12], "little")
    record = layout.central_record(path, size, crc32, offset)
    if directory[position : position + len(record)] != record:
        raise ArchiveError(f"the directory record of {shown(path)} differs from the agreed layout, or files overlap")
    return path, size, crc32, record


def _ascii(name: bytes) -> str:
    if not name.isascii():
        _refuse_name(name)
    return name.decode("ascii")


def _refuse_name(name: bytes) -> NoReturn:
    raise ArchiveError(f"a file name that is not ASCII: {shown(name.decode('ascii', 'backslashreplace'))}")


def _check_names(paths: list[str]) -> None:
    """Refuses names that some file systems would take for one, or for a file and a directory."""
    if not paths:
        raise ArchiveError("the archive is empty")
    lowered = {path.lower() for path in paths}
    if len(lowered) != len(paths):
        raise ArchiveError("two files whose names differ only in capitals")
    for path in lowered:
        directory = path.rpartition("/")[0]
        while directory:
            if directory in lowered:
                raise ArchiveError(f"both a file and a directory: {directory}")
            directory = directory.rpartition("/")[0]
