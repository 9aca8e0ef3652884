"""What the macros of ``components/records.html`` take: the shape of each part of a page.

Texts are already in the reader's language, or ``i18n.Text``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from casemgmt.core.i18n import Text

Words = str | Text
Kind = Literal["ok", "warn", "bad", "info"]
SignState = Literal["ok", "warn", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place in the header's menu."""

    href: str
    label: Words


@dataclass(frozen=True, slots=True)
class Flash:
    """One sentence about what has just been done, shown once on the next page."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One truth about the evidence. Three of them stand side by side and are never summed up.

    ``unknown`` means nobody has looked; it is never written as ``ok``. ``short`` is the word
    for a narrow table cell.
    """

    name: Words
    state: SignState
    sentence: Words
    checked_at: datetime | None = None
    short: Words | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a timeline. Kind ``gap`` is a time in which nobody is recorded as holder."""

    at: datetime
    text: Words
    who: Words | None = None
    kind: Literal["ok", "warn", "bad", "info", "gap"] = "info"
    href: str | None = None
    detail: Words | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a task list, with its state in words."""

    text: Words
    state: Words
    kind: Kind = "info"
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    href: str
    text: Words
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Pager:
    """The way to the neighbouring pages. There is no total: counting everything costs too much."""

    number: int
    previous_href: str | None = None
    next_href: str | None = None
    summary: Words | None = None


def pager(path: str, query: Mapping[str, str], number: int, *, has_next: bool) -> Pager:
    """A pager that keeps the filters of the address and changes only ``page`` (from 1)."""

    def href(page: int) -> str:
        return f"{path}?{urlencode({**query, 'page': page})}"

    return Pager(
        number,
        previous_href=href(number - 1) if number > 1 else None,
        next_href=href(number + 1) if has_next else None,
    )
