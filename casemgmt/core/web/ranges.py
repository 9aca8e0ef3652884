"""Byte ranges of a request (RFC 9110, section 14): one range, validated by the entity tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class NotSatisfiable(Exception):
    """The range begins beyond the end: answer 416 with ``Content-Range: bytes */<size>``."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` (inclusive) to ``end`` (exclusive) of ``size``."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        return self.length == self.size

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def requested_span(size: int, etag: str, range_: str | None, if_range: str | None) -> tuple[Span, bool]:
    """What to send, and whether as a part (206). Raises NotSatisfiable.

    Several ranges, other units and malformed values are answered with the whole, as the standard allows; so is a
    range of another version (``If-Range`` with another tag, or with a date, which we do not compare).
    """
    whole = Span(0, size, size)
    given = _ONE.fullmatch((range_ or "").strip())
    if given is None or given.group() == "bytes=-" or (if_range is not None and if_range.strip() != etag):
        return whole, False
    if any(len(part) > 18 for part in given.groups()):
        raise NotSatisfiable
    first, last = given.groups()
    if not first:
        if int(last) == 0:
            raise NotSatisfiable
        return Span(max(0, size - int(last)), size, size), True
    if last and int(last) < int(first):
        return whole, False
    if int(first) >= size:
        raise NotSatisfiable
    return Span(int(first), min(int(last) + 1, size) if last else size, size), True
