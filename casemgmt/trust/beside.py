"""What belongs to entries of a batch and no hash of the tree covers: signatures over them, and keys they enrol.

One line of canonical JSON for each, in the object of the batch. Format: docs/spec/ledger.md, The archive.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from casemgmt.trust.canonical import canonical_json, parse_canonical
from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import BatchError, EventError

MOST_LINE = 1 << 20
"""Bytes: a statement of 1,000 entries and a record of 64 KiB, both in hex, and room."""

Value = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Beside:
    """``entries``: the places in the tree it belongs to, ascending. ``members``: ``what`` (signature, key) and the
    rest, bytes in lower-case hex."""

    entries: tuple[int, ...]
    members: Mapping[str, Value]

    def line(self) -> bytes:
        return canonical_json({**self.members, "entries": list(self.entries)}) + b"\n"

    @classmethod
    def parse(cls, line: bytes, first: int, size: int) -> "Beside":
        """Raises BatchError for every form but that of ``line``, for entries ``first`` to ``size`` (exclusive)."""
        try:
            members = parse_canonical(line[:-1])
        except EventError as error:
            raise BatchError(f"not a line beside entries: {error}") from error
        if isinstance(members, dict):
            entries = members.pop("entries", None)
            if _places(entries, first, size) and isinstance(members.get("what"), str) and _plain(members):
                return cls(tuple(entries), members)
        raise BatchError(f"not a line beside entries: {shown(repr(line[:200]))}")


def _places(entries: object, first: int, size: int) -> bool:
    return (
        isinstance(entries, list)
        and all(type(place) is int for place in entries)
        and entries == sorted(set(entries))
        and bool(entries)
        and first <= entries[0]
        and entries[-1] < size
    )


def _plain(members: Mapping[str, object]) -> bool:
    return all(
        isinstance(value, str | int) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        for value in members.values()
    )
