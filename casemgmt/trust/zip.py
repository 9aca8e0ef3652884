"""A ZIP archive whose every byte follows from its list of files: nothing compressed, nothing optional.

Because name, size and CRC-32 of each file are known before the first byte is sent, so are the length
of the archive, its ETag, and what lies at any offset: downloads resume anywhere without touching
the files before.  The verifier uses the same three functions the other way round, to prove that an
archive contains nothing besides its files.  Source: APPNOTE 6.3.10; Zip64 records only where a value needs them.
"""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from casemgmt.trust.errors import ArchiveError

MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF

LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")
END_64 = struct.Struct("<IQHHIIQQQQ")
LOCATOR_64 = struct.Struct("<IIQI")

LOCAL_SIGNATURE = 0x04034B50
CENTRAL_SIGNATURE = 0x02014B50
END_SIGNATURE = 0x06054B50
END_64_SIGNATURE = 0x06064B50
LOCATOR_64_SIGNATURE = 0x07064B50

STORED = 0
_UTF_8 = 0x800
_MADE_BY = (3 << 8) | 45  # Unix, version 4.5
_NEEDS = 20
_NEEDS_64 = 45
_TIME, _DATE = 0, (1 << 5) | 1  # 1980-01-01 00:00: the times that matter are in the ledger
_MODE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive.  `sha256` is lowercase hexadecimal.

    `source` is the content itself, or the key under which its owner finds it; this module never reads keys.
    """

    path: str
    size: int
    crc32: int
    sha256: str
    source: bytes | str


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes start <= i < stop of an entry's content, to be read from the entry's `source` key."""

    entry: Entry
    start: int
    stop: int


def local_header(path: str, size: int, crc32: int) -> bytes:
    """What stands before the content of a file."""
    name = path.encode("utf-8")
    big = size >= MAX_32
    short = MAX_32 if big else size
    extra = struct.pack("<HHQQ", 1, 16, size, size) if big else b""
    version = _NEEDS_64 if big else _NEEDS
    fixed = (LOCAL_SIGNATURE, version, _UTF_8, STORED, _TIME, _DATE, crc32, short, short, len(name), len(extra))
    return LOCAL.pack(*fixed) + name + extra


def central_record(path: str, size: int, crc32: int, offset: int) -> bytes:
    """The file's record in the central directory; `offset` is where its local header starts."""
    name = path.encode("utf-8")
    values = ([size, size] if size >= MAX_32 else []) + ([offset] if offset >= MAX_32 else [])
    extra = struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values) if values else b""
    short = min(size, MAX_32)
    version = _NEEDS_64 if values else _NEEDS
    return (
        CENTRAL.pack(
            *(CENTRAL_SIGNATURE, _MADE_BY, version, _UTF_8, STORED, _TIME, _DATE, crc32, short, short),
            *(len(name), len(extra), 0, 0, 0, _MODE, min(offset, MAX_32)),
        )
        + name
        + extra
    )


def end_records(count: int, directory_size: int, directory_offset: int) -> bytes:
    """Everything after the central directory."""
    records = b""
    if count >= MAX_16 or directory_size >= MAX_32 or directory_offset >= MAX_32:
        records += END_64.pack(
            *(END_64_SIGNATURE, END_64.size - 12, _MADE_BY, _NEEDS_64, 0, 0),
            *(count, count, directory_size, directory_offset),
        )
        records += LOCATOR_64.pack(LOCATOR_64_SIGNATURE, 0, directory_offset + directory_size, 1)
    short = min(count, MAX_16)
    places = (short, short, min(directory_size, MAX_32), min(directory_offset, MAX_32))
    return records + END.pack(END_SIGNATURE, 0, 0, *places, 0)


class Layout:
    """Where everything lies in the archive of `entries`, in their order.

    `size` is the exact length in bytes.  `etag` is a strong HTTP entity tag, quotes included: equal
    tags mean equal archives, because it covers the central directory and every content hash.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        if len({entry.path for entry in self.entries}) != len(self.entries):
            raise ArchiveError("two files of the archive have the same path")
        self._offsets: list[int] = []
        directory = []
        digest = hashlib.sha256()
        offset = 0
        for entry in self.entries:
            if isinstance(entry.source, bytes) and len(entry.source) != entry.size:
                raise ArchiveError(f"{entry.path} has {len(entry.source)} bytes, not {entry.size}")
            self._offsets.append(offset)
            directory.append(central_record(entry.path, entry.size, entry.crc32, offset))
            digest.update(bytes.fromhex(entry.sha256))
            offset += len(local_header(entry.path, entry.size, entry.crc32)) + entry.size
        records = b"".join(directory)
        self._tail_offset = offset
        self._tail = records + end_records(len(self.entries), len(records), offset)
        self.size = offset + len(self._tail)
        digest.update(self._tail)
        self.etag = f'"{digest.hexdigest()}"'

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes | Extent]:
        """The bytes start <= i < stop of the archive, in order: ready bytes, or extents to be read.

        Costs nothing for what lies before `start`.
        """
        if stop is None:
            stop = self.size
        if not 0 <= start <= stop <= self.size:
            raise ArchiveError(f"no bytes {start} to {stop} in an archive of {self.size}")
        first = max(bisect_right(self._offsets, start) - 1, 0)
        for position in range(first, len(self.entries)):
            offset, entry = self._offsets[position], self.entries[position]
            if offset >= stop:
                return
            header = local_header(entry.path, entry.size, entry.crc32)
            if cut := _cut(header, offset, start, stop):
                yield cut
            body = offset + len(header)
            if isinstance(entry.source, bytes):
                if cut := _cut(entry.source, body, start, stop):
                    yield cut
            elif (begin := max(start - body, 0)) < (end := min(stop - body, entry.size)):
                yield Extent(entry, begin, end)
        if cut := _cut(self._tail, self._tail_offset, start, stop):
            yield cut


def _cut(data: bytes, offset: int, start: int, stop: int) -> bytes:
    """The part of `data`, which lies at `offset`, that falls within start <= i < stop."""
    return data[max(start - offset, 0) : max(stop - offset, 0)]
