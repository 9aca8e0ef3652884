"""The numbers that events give away: a restored database must not give them a second time."""

from __future__ import annotations

from collections.abc import Iterable

from casemgmt.reference import numbers
from casemgmt.trust.events import Event

Serial = tuple[str, str, int, int]
"""Unit code, kind as ``accounts.serial`` names it, year, serial."""

_IN_DATA = ("handover", "package")


def serials_in(events: Iterable[Event]) -> list[Serial]:
    """The highest serial of every unit, kind and year that the events name."""
    highest: dict[tuple[str, str, int], int] = {}
    for event in events:
        texts = [event.stream.partition(":")[2], *(event.data.get(name) for name in _IN_DATA)]
        for text in texts:
            try:
                number = numbers.parse(str(text))
            except numbers.TypingError:
                continue
            kind = numbers.Kind.SEIZURE if number.kind is numbers.Kind.EXHIBIT else number.kind
            place = (number.unit, kind.value, number.year)
            highest[place] = max(highest.get(place, 0), number.serial)
    return [(unit, kind, year, serial) for (unit, kind, year), serial in highest.items()]
