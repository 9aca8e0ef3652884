"""The numbers that events give away: a restored database must not give them a second time."""

from __future__ import annotations

from collections.abc import Iterable

from casemgmt.reference import numbers
from casemgmt.trust.events import Event

Serial = tuple[str, str, int, int]
"""Unit code, kind as ``accounts.serial`` names it, year, serial."""

RESERVED = "seizures:numbers:reserved"

_IN_DATA = {None: ("handover", "package"), RESERVED: ("last",)}

Block = tuple[str, int, int, int, str]
"""Unit code, year, first serial, count, device: numbers of seizures that a device gives by itself."""


def serials_in(events: Iterable[Event]) -> list[Serial]:
    """The highest serial of every unit, kind and year that the events name."""
    highest: dict[tuple[str, str, int], int] = {}
    for event in events:
        names = _IN_DATA.get(event.type, _IN_DATA[None])
        texts = [event.stream.partition(":")[2], *(event.data.get(name) for name in names)]
        for text in texts:
            try:
                number = numbers.parse(str(text))
            except numbers.TypingError:
                continue
            kind = numbers.Kind.SEIZURE if number.kind is numbers.Kind.EXHIBIT else number.kind
            place = (number.unit, kind.value, number.year)
            highest[place] = max(highest.get(place, 0), number.serial)
    return [(unit, kind, year, serial) for (unit, kind, year), serial in highest.items()]


def reserved_block(event: Event) -> Block | None:
    """The block that this event reserved; None when it reserved none."""
    if event.type != RESERVED:
        return None
    try:
        first, last = (numbers.parse(str(event.data.get(name))) for name in ("first", "last"))
    except numbers.TypingError:
        return None
    return first.unit, first.year, first.serial, last.serial - first.serial + 1, str(event.data.get("device"))
