"""Searching: what matches, among what the actor may see.

Every search starts from what the actor may see and only then looks at what matches (``access.find_key``,
``find_case_key``, ``find_text``), so that neither the answer nor the time it takes tells of a hidden record. A number
typed in full is looked up the same way, and not by the unique index on numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, TEXT
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.models import CaseFile
from casemgmt.exhibits.models import Exhibit
from casemgmt.reference import numbers
from casemgmt.reference.fold import KeyKind, Match, QueryKey, query_keys, search_keys
from casemgmt.reference.numbers import Kind
from casemgmt.seizures.models import Seizure

RecordT = TypeVar("RecordT", CaseFile, Seizure, Exhibit)

MOST = 50
_LONGEST = 200
_CANDIDATES = 500  # per key; of more than that the newest are not all found, and the page says "50+" anyway
_SHORTEST_BEGINNING = 3  # letters of a last word that is searched as the beginning of one
_AFTER_ANY = "\U0010ffff"
_AFTER_ITSELF = "\x01"
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Group(Generic[RecordT]):
    """At most ``MOST`` records of one kind, newest first, and whether there are more."""

    rows: Sequence[RecordT]
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    cases: Group[CaseFile]
    seizures: Group[Seizure]
    exhibits: Group[Exhibit]

    @property
    def nothing(self) -> bool:
        return not (self.cases.rows or self.seizures.rows or self.exhibits.rows)


class Exact(NamedTuple):
    """The one record whose number was typed; ``kind`` is the kind of its opaque code."""

    kind: str
    id: int


def clean(typed: str) -> str:
    """What was typed without what no keyboard types: control characters, halves of characters, pages of text."""
    return " ".join("".join(c if c.isprintable() else " " for c in typed[: 4 * _LONGEST]).split())[:_LONGEST]


class _Index(NamedTuple):
    find: TextClause
    narrow: TextClause


def _index(find: str, table: str, record: str) -> _Index:
    """The statements for one table of keys; the names are this module's own."""
    ranges = [bindparam("los", type_=ARRAY(TEXT)), bindparam("his", type_=ARRAY(TEXT))]
    found = text(
        f"select distinct f.id from unnest(:los, :his) k(lo, hi) cross join lateral {find}(k.lo, k.hi, :most) f(id)"  # noqa: S608
    ).bindparams(*ranges)
    narrowed = text(
        f"select distinct t.{record} from {table} t, unnest(:los, :his) k(lo, hi)"  # noqa: S608
        f' where t.{record} = any(:ids) and t.key >= k.lo collate "C" and t.key < k.hi collate "C"'
    ).bindparams(*ranges, bindparam("ids", type_=ARRAY(BIGINT)))
    return _Index(found, narrowed)


_SEIZURES = _index("access.find_key", "access.search_key", "seizure_id")
_CASES = _index("access.find_case_key", "access.case_key", "case_id")


async def search(db: AsyncSession, typed: str) -> Found:
    """Cases, seizures and exhibits that answer to what was typed. Never an error, whatever it is."""
    wanted = clean(typed)
    keys = query_keys(wanted)
    case_ids = await _ids(db, _CASES, keys)
    seizure_ids = await _ids(db, _SEIZURES, keys)
    cases = select(CaseFile).where(CaseFile.id.in_(case_ids)).order_by(CaseFile.id.desc()).limit(MOST + 1)
    seizures = select(Seizure).where(Seizure.id.in_(seizure_ids)).order_by(Seizure.id.desc()).limit(MOST + 1)
    return Found(
        _group((await db.scalars(cases)).all() if case_ids else []),
        _group((await db.scalars(seizures)).all() if seizure_ids else []),
        _group(await _by_words(db, wanted)),
    )


def _group(rows: Sequence[RecordT]) -> Group[RecordT]:
    return Group(rows[:MOST], len(rows) > MOST)


async def _ids(db: AsyncSession, index: _Index, keys: Sequence[QueryKey]) -> set[int]:
    """Records that answer any route. Of a route's terms the longest finds, the others narrow down."""
    found: set[int] = set()
    for _, of_route in groupby(keys, key=lambda k: k.route):
        terms: dict[int, list[QueryKey]] = {}
        for key in of_route:
            terms.setdefault(key.term, []).append(key)
        first, *others = sorted(terms.values(), key=lambda term: -max(len(k.key) for k in term))
        rows = await db.scalars(index.find, {**_ranges(first), "most": _CANDIDATES})
        ids = set(rows.all())
        for term in others:
            if ids:
                ids = set((await db.scalars(index.narrow, {**_ranges(term), "ids": sorted(ids)})).all())
        found |= ids
    return found


def _ranges(term: Collection[QueryKey]) -> dict[str, list[str]]:
    """The half-open ranges of text that hold what these keys match."""
    ends = [key.key + (_AFTER_ANY if key.match is Match.PREFIX else _AFTER_ITSELF) for key in term]
    return {"los": [key.key for key in term], "his": ends}


_TO_QUERY = text("select q::text from plainto_tsquery('simple', :words) q where numnode(q) > 0")
_BY_WORDS = text("select f from access.find_text(cast(:query as tsquery), :before, :most) f")


async def _by_words(db: AsyncSession, wanted: str) -> Sequence[Exhibit]:
    """Exhibits whose description, kind, number or seal has all the words, the last one perhaps only begun."""
    query = await db.scalar(_TO_QUERY, {"words": wanted})
    if query is None:
        return []
    if len(wanted.rsplit(maxsplit=1)[-1]) >= _SHORTEST_BEGINNING:
        query += ":*"
    ids = (await db.scalars(_BY_WORDS, {"query": query, "before": _NEWEST, "most": MOST + 1})).all()
    if not ids:
        return []
    return (await db.scalars(select(Exhibit).where(Exhibit.id.in_(ids)).order_by(Exhibit.id.desc()))).all()


_MY_HANDOVERS = text(
    "select m.id from (select id, number from custody.handover where to_id = access.reader()"
    " union all select id, number from custody.handover where from_id = access.reader() offset 0) m"
    " where m.number = :number limit 1"
)
_MY_PACKAGES = text(
    "select p.id from (select r.case_id from access.my_case_reach r offset 0) c"
    " cross join lateral (select x.id, x.number from packages.package x where x.case_id = c.case_id offset 0) p"
    " where p.number = :number limit 1"
)


async def exact(db: AsyncSession, typed: str) -> Exact | None:
    """The record whose whole number was typed, if the actor may see it."""
    try:
        number = numbers.parse(clean(typed))
    except numbers.TypingError:
        return None
    match number.kind:
        case Kind.HANDOVER:
            found = await db.scalar(_MY_HANDOVERS, {"number": str(number)})
        case Kind.PACKAGE:
            found = await db.scalar(_MY_PACKAGES, {"number": str(number)})
        case Kind.CASE_FILE:
            ids = await _ids(db, _CASES, _whole(str(number)))
            found = await db.scalar(select(CaseFile.id).where(CaseFile.id.in_(ids), CaseFile.number == str(number)))
            return Exact("case", found) if found is not None else None
        case Kind.SEIZURE:
            ids = await _ids(db, _SEIZURES, _whole(str(number)))
            found = await db.scalar(select(Seizure.id).where(Seizure.id.in_(ids), Seizure.number == str(number)))
        case Kind.EXHIBIT:
            ids = await _ids(db, _SEIZURES, _whole(str(number.seizure)))
            found = await db.scalar(
                select(Exhibit.id).where(Exhibit.seizure_id.in_(ids), Exhibit.number == str(number))
            )
    return Exact(str(number.kind), found) if found is not None else None


def _whole(number: str) -> list[QueryKey]:
    digits = numbers.parse(number).digits
    keys = sorted(k for k in search_keys(KeyKind.NUMBER, number) if k.endswith(digits))
    return [QueryKey("number", 0, key, Match.EXACT) for key in keys]
