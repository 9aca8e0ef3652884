"""What of the chosen exhibits could be withheld: every file and every ledger entry, as lines of a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.sentences import sentence
from casemgmt.evidence.models import File
from casemgmt.ledger.models import Entry
from casemgmt.packages.gathering import streams
from casemgmt.packages.rules import Choice
from casemgmt.packages.withholding import Withheld

MOST = 300
"""Lines on one page; a form has room for that many. Of more, a package of fewer exhibits is withheld from."""

Kind = Literal["file", "entry"]


@dataclass(frozen=True, slots=True)
class Line:
    """``about`` is the number of the exhibit or seizure; ``words`` the name of the file, or the entry as a sentence."""

    kind: Kind
    id: int
    about: str
    words: str
    at: datetime


async def lines(db: AsyncSession, choices: Sequence[Choice]) -> tuple[list[Line], bool]:
    """In the order things happened, files first; and whether there are more."""
    files = await _files(db, choices)
    entries = await _entries(db, choices)
    every = [*files, *entries]
    return every[:MOST], len(every) > MOST


async def chosen(db: AsyncSession, choices: Sequence[Choice], withheld: Withheld) -> list[tuple[Line, str]]:
    """The lines that are withheld, each with the code of its reason."""
    found, _ = await lines(db, choices)
    codes = {("file", key): code for key, code in withheld.files.items()}
    codes |= {("entry", key): code for key, code in withheld.entries.items()}
    return [(line, codes[line.kind, line.id]) for line in found if (line.kind, line.id) in codes]


async def _files(db: AsyncSession, choices: Sequence[Choice]) -> list[Line]:
    numbers = {exhibit.id: exhibit.number for choice in choices for exhibit in choice.chosen}
    seizures = {choice.seizure.id: choice.seizure.number for choice in choices if choice.chosen}
    query = (
        select(File)
        .where(File.seizure_id.in_(seizures), or_(File.exhibit_id.is_(None), File.exhibit_id.in_(numbers)))
        .order_by(File.id)
        .limit(MOST + 1)
    )
    rows = await db.scalars(query)
    return [
        Line("file", row.id, numbers[row.exhibit_id] if row.exhibit_id else seizures[row.seizure_id],
             row.original_name, row.received_at)
        for row in rows
    ]  # fmt: skip


async def _entries(db: AsyncSession, choices: Sequence[Choice]) -> list[Line]:
    query = (
        select(Entry.id, Entry.stream, Entry.type, Entry.at, Entry.body)
        .where(Entry.stream.in_(streams(choices)))
        .order_by(Entry.id)
        .limit(MOST + 1)
    )
    return [
        Line("entry", row.id, row.stream.partition(":")[2], _words(row.type, row.body), row.at)
        for row in await db.execute(query)
    ]


def _words(type_: str, body: bytes) -> str:
    told = sentence(type_, json.loads(body)["data"])
    return f"{told.text}. {told.detail}" if told.detail else told.text
