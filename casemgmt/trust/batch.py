"""Ledger entries as they are kept outside the database: one write-once object for each signed batch.

    casemgmt-ledger-batch/v1
    <origin>
    <index of the first entry>
    <size of the tree with this batch>
    <base64 root of that tree>
    <bytes of the note> <bytes of the entries> <bytes of the rows>

followed by an empty line and, without anything between or after them: the note (the signed checkpoint of the tree that
ends where this batch begins), the entries (C2SP tlog-tiles framing: u16 length, bytes), the tiles this batch completed
(8192 bytes each, by level, then number) and the rows (one JSON array a line). Where something belongs to entries that
they do not say themselves (signatures, keys), the form is v2, with a fourth number and lines at the end for it.
Format: docs/spec/ledger.md.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from casemgmt.trust.beside import MOST_LINE, Beside
from casemgmt.trust.encoding import from_decimal, hash_from_base64, shown, to_base64
from casemgmt.trust.errors import BatchError, TrustError
from casemgmt.trust.keys import check_name
from casemgmt.trust.note import Note
from casemgmt.trust.tiles import FULL_BYTES, FULL_WIDTH, TILE_HEIGHT, TileId

MAGIC = "casemgmt-ledger-batch/v1"
MAGIC_BESIDE = "casemgmt-ledger-batch/v2"
MOST_HEADER = 4_096
MOST_NOTE = 65_536
MOST_ENTRY = 0xFFFF
BLOCK = 1 << 18

Read = Callable[[int], bytes]
"""The next up to n bytes, fewer only at the end."""

_SIZES = re.compile(r"(0|[1-9][0-9]*) (0|[1-9][0-9]*) (0|[1-9][0-9]*)(?: ([1-9][0-9]*))?", re.ASCII)


def batch_key(origin: str, first: int) -> str:
    """The name of the object that holds the batch from entry ``first`` on. There can be only one."""
    return f"ledger-{hashlib.sha256(origin.encode()).hexdigest()[:16]}-{first:016x}"


@dataclass(frozen=True, slots=True)
class Row:
    """What the database keeps of an entry beside its bytes. ``at`` is RFC 3339 in UTC with microseconds."""

    id: int
    event_id: str
    seizure_id: int | None
    exhibit_id: int | None
    case_id: int | None
    actor_id: int
    at: str

    def line(self) -> bytes:
        records = ",".join("null" if x is None else str(x) for x in (self.seizure_id, self.exhibit_id, self.case_id))
        return f'[{self.id},"{self.event_id}",{records},{self.actor_id},"{self.at}"]\n'.encode()

    @classmethod
    def parse(cls, line: bytes) -> "Row":
        try:
            values = json.loads(line)
        except ValueError as error:
            raise BatchError(f"not a row: {shown(repr(line))}") from error
        if not isinstance(values, list) or len(values) != 7 or not _fits(values):
            raise BatchError(f"not a row: {shown(repr(line))}")
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Header:
    """What a batch is and how long its parts are. ``before`` is the note of the tree of ``first`` entries."""

    origin: str
    first: int
    size: int
    root: bytes
    before: Note
    entries: int
    rows: int
    beside: int = 0

    @property
    def count(self) -> int:
        return self.size - self.first

    @property
    def tiles(self) -> list[TileId]:
        """The tiles that became full with this batch, in their order in the object."""
        return full_tiles(self.first, self.size)

    @property
    def length(self) -> int:
        """Bytes of the whole object."""
        return len(self.encoded()) + self.entries + len(self.tiles) * FULL_BYTES + self.rows + self.beside

    def encoded(self) -> bytes:
        note = str(self.before).encode()
        beside = f" {self.beside}" if self.beside else ""
        lines = (
            MAGIC_BESIDE if self.beside else MAGIC, self.origin, str(self.first), str(self.size), to_base64(self.root),
            f"{len(note)} {self.entries} {self.rows}{beside}",
        )  # fmt: skip
        return "\n".join(lines).encode() + b"\n\n" + note


def full_tiles(first: int, size: int) -> list[TileId]:
    """Tiles that are full in the tree of ``size`` and were not in that of ``first``."""
    tiles, level = [], 0
    while size >> (TILE_HEIGHT * (level + 1)):
        shift = TILE_HEIGHT * (level + 1)
        tiles += [TileId(level, number, FULL_WIDTH) for number in range(first >> shift, size >> shift)]
        level += 1
    return tiles


def framed(entries: Sequence[bytes]) -> bytes:
    """Entries in the form of a C2SP tlog-tiles entry bundle."""
    if any(not 0 < len(entry) <= MOST_ENTRY for entry in entries):
        raise BatchError(f"an entry has 1 to {MOST_ENTRY} bytes")
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(2, "big"), entry))


def write_batch(
    before: Note,
    origin: str,
    first: int,
    root: bytes,
    entries: Sequence[bytes],
    rows: Sequence[Row],
    tiles: bytes,
    beside: Sequence[Beside] = (),
) -> list[bytes]:
    """The parts of the object, in order. The same batch gives the same bytes at every try."""
    body, lines = framed(entries), b"".join(row.line() for row in rows)
    last = b"".join(one.line() for one in beside)
    header = Header(origin, first, first + len(entries), root, before, len(body), len(lines), len(last))
    if len(rows) != len(entries) or not entries or len(tiles) != len(header.tiles) * FULL_BYTES:
        raise BatchError("a batch has one row for each entry, and exactly the tiles it completes")
    return [header.encoded(), body, tiles, lines, last]


class BatchReader:
    """Reads an object once, front to back: ``header``, then ``entries``, ``tiles``, ``rows``, ``beside``, then ``end``.

    Nothing is believed: every form that ``write_batch`` does not write raises BatchError. Memory: one entry.
    """

    def __init__(self, read: Read) -> None:
        self._source = read
        self._buffer = b""
        self._at = 0
        self.header = self._header()

    def entries(self) -> Iterator[bytes]:
        left = self.header.entries
        for _ in range(self.header.count):
            length = int.from_bytes(self._take(2), "big")
            left -= 2 + length
            if left < 0 or not length:
                raise BatchError("an entry of the batch does not end where its entries end")
            yield self._take(length)
        if left:
            raise BatchError("bytes are left over behind the entries of the batch")

    def tiles(self) -> Iterator[tuple[TileId, bytes]]:
        for tile in self.header.tiles:
            yield tile, self._take(FULL_BYTES)

    def rows(self) -> Iterator[Row]:
        left = self.header.rows
        for _ in range(self.header.count):
            line = self._line(min(left, MOST_HEADER))
            left -= len(line)
            yield Row.parse(line)
        if left:
            raise BatchError("bytes are left over behind the rows of the batch")

    def beside(self) -> Iterator[Beside]:
        left = self.header.beside
        while left:
            line = self._line(min(left, MOST_LINE))
            left -= len(line)
            yield Beside.parse(line, self.header.first, self.header.size)

    def end(self) -> None:
        if self._have(1):
            raise BatchError("bytes are left over behind the batch")

    def _header(self) -> Header:
        try:
            found = self._parsed_header()
        except BatchError:
            raise
        except (TrustError, UnicodeDecodeError) as error:
            raise BatchError(f"the head of the batch is malformed: {error}") from error
        if found.count <= 0:
            raise BatchError("a batch has at least one entry")
        return found

    def _parsed_header(self) -> Header:
        magic, origin, first, size, root, sizes, empty = (
            self._line(MOST_HEADER)[:-1].decode("utf-8") for _ in range(7)
        )
        match = _SIZES.fullmatch(sizes)
        if match is None or magic != (MAGIC_BESIDE if match[4] else MAGIC) or empty:
            raise BatchError("not a batch of ledger entries")
        note, entries, rows, beside = (from_decimal(part or "0") for part in match.groups())
        if note > MOST_NOTE:
            raise BatchError(f"a note has at most {MOST_NOTE} bytes")
        before = Note.parse(self._take(note).decode("utf-8"))
        return Header(
            check_name(origin), from_decimal(first), from_decimal(size), hash_from_base64(root), before, entries, rows,
            beside,
        )  # fmt: skip

    def _have(self, count: int) -> bool:
        """Whether ``count`` bytes are there; they are in the buffer then."""
        if len(self._buffer) - self._at >= count:
            return True
        parts, there = [self._buffer[self._at :]], len(self._buffer) - self._at
        while there < count:
            block = self._source(max(BLOCK, count - there))
            if not block:
                break
            parts.append(block)
            there += len(block)
        self._buffer, self._at = b"".join(parts), 0
        return there >= count

    def _take(self, count: int) -> bytes:
        if not self._have(count):
            raise BatchError("the batch ends too early")
        taken = self._buffer[self._at : self._at + count]
        self._at += count
        return taken

    def _line(self, most: int) -> bytes:
        self._have(most)
        end = self._buffer.find(b"\n", self._at, self._at + most)
        if end < 0:
            raise BatchError("a line of the batch does not end")
        return self._take(end + 1 - self._at)


def _fits(values: list[Any]) -> bool:
    id_, event_id, *records, actor_id, at = values
    whole = [value for value in (id_, actor_id, *records) if value is not None]
    return (
        all(type(value) is int and value >= 0 for value in whole)
        and id_ is not None
        and actor_id is not None
        and isinstance(event_id, str)
        and isinstance(at, str)
    )
