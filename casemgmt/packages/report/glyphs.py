"""Which characters the shipped fonts can show. What they cannot is written as its code: nothing vanishes from a page,
and a PDF/A must not hold a character without a shape."""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import cache

from casemgmt import fonts

FACES = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf")

_LONG_WORD = re.compile(r"\S{25,}")
_PIECE = 8
_DIRECTING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")
_BLANK = frozenset("\t\u00a0\u2007\u202f\u3000")

Shown = str | list[list[str]]
"""A text for the page: plain, or lines of pieces between which a line may break."""


def shown(text: str) -> Shown:
    """``text`` as it is printed: unknown, directing and control characters as ``[U+202E]``, long words in pieces."""
    lines = ["".join(_shown(c) for c in line) for line in re.split(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", text)]
    if len(lines) == 1 and not _LONG_WORD.search(lines[0]):
        return lines[0]
    return [_pieces(line) for line in lines]


def _shown(character: str) -> str:
    if character in _BLANK:
        return " "
    if ord(character) in shapes() and character not in _DIRECTING and unicodedata.category(character)[0] != "C":
        return character
    return f"[U+{ord(character):04X}]"


def _pieces(line: str) -> list[str]:
    found, at = [], 0
    for word in _LONG_WORD.finditer(line):
        found.append(line[at : word.start()])
        found += [word[0][i : i + _PIECE] for i in range(0, len(word[0]), _PIECE)]
        at = word.end()
    return [piece for piece in [*found, line[at:]] if piece]


@cache
def shapes() -> frozenset[int]:
    """Code points that every face of the text font has."""
    return frozenset.intersection(*map(covered, FACES))


def covered(font: str) -> frozenset[int]:
    """Code points the font has a shape for, from its ``cmap`` table (format 4 and 12)."""
    data = (fonts.FOLDER / font).read_bytes()
    tables = struct.unpack_from(">H", data, 4)[0]
    records = (struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    found: set[int] = set()
    for i in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 4 + 8 * i + 4)[0]
        kind = struct.unpack_from(">H", data, at)[0]
        if kind == 4:
            found.update(_segments(data, at))
        elif kind == 12:
            for j in range(struct.unpack_from(">I", data, at + 12)[0]):
                first, last, _ = struct.unpack_from(">III", data, at + 16 + 12 * j)
                found.update(range(first, last + 1))
    return frozenset(found)


def _segments(data: bytes, at: int) -> set[int]:
    count = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + 2 * count)
    return {code for first, last in zip(starts, ends, strict=True) for code in range(first, last + 1) if code < 0xFFFF}
