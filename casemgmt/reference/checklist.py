"""The photo checklist of an examination: when it is offered, and what is still missing. It warns and never blocks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from casemgmt.reference.lists import CATEGORIES, CONVEYANCES, DETECTION_METHODS, PHOTO_POINTS, PhotoPoint


@dataclass(frozen=True, slots=True)
class Progress:
    """Points of the list that photographs are said to show, and those that none is, each in the list's order."""

    shown: tuple[PhotoPoint, ...]
    missing: tuple[PhotoPoint, ...]

    @property
    def total(self) -> int:
        return len(self.shown) + len(self.missing)


def is_examination(categories: Collection[str], conveyances: Collection[str], detection: str | None) -> bool:
    """Does what was seized, what carried it or how it was found speak for an examination? Unknown codes do not."""
    return (
        _has_hold(conveyances)
        or any(item.examined for item in CATEGORIES.items().values() if item.code in categories)
        or any(item.examined for item in DETECTION_METHODS.items().values() if item.code == detection)
    )


def points(on: date, conveyances: Collection[str], said: Collection[str | None] = ()) -> list[PhotoPoint]:
    """What is to be shown on that day; nothing is unloaded without a conveyance that has a hold, or a photograph that
    is said to show one (``said``)."""
    of_holds = {point.code for point in PHOTO_POINTS.items().values() if point.hold}
    has_hold = _has_hold(conveyances) or not of_holds.isdisjoint(said)
    return [point for point in PHOTO_POINTS.choices(on) if has_hold or not point.hold]


def progress(asked: Collection[PhotoPoint], said: Collection[str | None]) -> Progress:
    """``said``: what the photographs are said to show."""
    return Progress(
        tuple(point for point in asked if point.code in said), tuple(point for point in asked if point.code not in said)
    )


def _has_hold(conveyances: Collection[str]) -> bool:
    return any(item.examined for item in CONVEYANCES.items().values() if item.code in conveyances)
