"""Reads of hand-overs and of the chain of custody. A hand-over the actor has no part in and cannot see is not found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Person
from casemgmt.core.errors import NotFound
from casemgmt.custody import signatures
from casemgmt.custody.models import CustodyEvent, Handover, HandoverItem
from casemgmt.custody.pipeline import Party
from casemgmt.custody.rules import Seen, result
from casemgmt.custody.signatures import Signed
from casemgmt.exhibits.models import Exhibit

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One exhibit of a hand-over. ``exhibit`` None: the reader does not see it any more (a receiver who refused).

    ``photos``: how many photographs the answer names; ``one_phone``: it was given on the giver's device.
    """

    item: HandoverItem
    exhibit: Exhibit | None
    offered: CustodyEvent | None
    answered: CustodyEvent | None
    offer_signed: Signed | None = None
    answer_signed: Signed | None = None
    photos: int = 0
    one_phone: bool = False

    @property
    def recorded(self) -> Seen:
        """The seal on record, against which an open offer is answered."""
        if self.exhibit is None:
            return Seen(None, "none")
        return Seen(self.exhibit.seal_no, self.exhibit.seal_state)


@dataclass(frozen=True, slots=True)
class Full:
    """A hand-over with its two people and its exhibits, in the order of their numbers."""

    handover: Handover
    giver: Party
    receiver: Party
    lines: Sequence[Line]

    @property
    def open_lines(self) -> Sequence[Line]:
        return [line for line in self.lines if line.item.state == "offered"]

    @property
    def offer_signed(self) -> Signed | None:
        """The giver's signature, which is one for all exhibits; None: signed in only."""
        return next((line.offer_signed for line in self.lines if line.offer_signed), None)

    @property
    def result(self) -> str:
        return result([line.item.state for line in self.lines])

    @property
    def answered_at(self) -> datetime | None:
        """When the last exhibit was answered; None while one waits."""
        if self.open_lines:
            return None
        return max((line.item.answered_at for line in self.lines if line.item.answered_at), default=None)


@dataclass(frozen=True, slots=True)
class Row:
    """A hand-over in a list. ``result`` as ``rules.result`` tells it."""

    handover: Handover
    giver: str
    receiver: str
    exhibits: int
    result: str


async def handover(db: AsyncSession, handover_id: int) -> Full:
    """Everything of one hand-over, or NotFound."""
    found = await db.get(Handover, handover_id)
    if found is None:
        raise NotFound
    items = (await db.scalars(select(HandoverItem).where(HandoverItem.handover_id == handover_id))).all()
    rows = await db.scalars(select(Exhibit).where(Exhibit.id.in_([i.exhibit_id for i in items])))
    exhibits = {row.id: row for row in rows}
    events: dict[tuple[int, bool], CustodyEvent] = {}
    for event in await db.scalars(select(CustodyEvent).where(CustodyEvent.handover_id == handover_id)):
        events[event.exhibit_id, event.kind == "offered"] = event
    people = await parties(db, [found.from_id, found.to_id])
    signed = await signatures.of_handover(db, handover_id)
    said = await _answers(db, exhibits, [e for (_, offered), e in events.items() if not offered])

    def line(item: HandoverItem) -> Line:
        offered, answered = (events.get((item.exhibit_id, half)) for half in (True, False))
        given, taken = (signed.get((e.exhibit_id, e.seq)) if e else None for e in (offered, answered))
        more = said.get(item.exhibit_id, {})
        photos = more.get("photos") or more.get("agreed", {}).get("photos") or ()
        return Line(
            item, exhibits.get(item.exhibit_id), offered, answered, offer_signed=given, answer_signed=taken,
            photos=len(photos), one_phone=more.get("one_phone") is True,
        )  # fmt: skip

    lines = [line(item) for item in sorted(items, key=lambda i: i.exhibit_id)]
    return Full(found, people[found.from_id], people[found.to_id], lines)


async def _answers(
    db: AsyncSession, exhibits: Mapping[int, Exhibit], events: Sequence[CustodyEvent]
) -> dict[int, dict[str, Any]]:
    """What the entries of these answers say, by exhibit; of an exhibit the reader does not see, nothing."""
    seen = [event for event in events if event.exhibit_id in exhibits]
    query = text(
        "select w.exhibit, e.body from unnest(cast(:ids as bigint[]), cast(:streams as text[]), cast(:seqs as int[]))"
        " w(exhibit, stream, seq) join ledger.entry e on e.stream = w.stream and e.stream_seq = w.seq"
    )
    streams = [f"exhibit:{exhibits[event.exhibit_id].number}" for event in seen]
    found = await db.execute(
        query, {"ids": [e.exhibit_id for e in seen], "streams": streams, "seqs": [e.seq for e in seen]}
    )
    return {row.exhibit: msgspec.json.decode(row.body)["data"] for row in found}


async def parties(db: AsyncSession, ids: Sequence[int]) -> dict[int, Party]:
    rows = await db.execute(select(Person.id, Person.name, Person.badge).where(Person.id.in_(ids)))
    return {row.id: Party(row.id, row.name, row.badge) for row in rows}


async def holding(
    db: AsyncSession, person_id: int, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Exhibit]:
    """What the person holds and has not offered to anybody, newest first."""
    query = select(Exhibit).where(Exhibit.holder_id == person_id, Exhibit.offered_to.is_(None))
    if before is not None:
        query = query.where(Exhibit.id < before)
    return (await db.scalars(query.order_by(Exhibit.id.desc()).limit(limit))).all()


async def waiting_for(
    db: AsyncSession, person_id: int, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Row]:
    """Hand-overs with an exhibit this person has to answer, newest first."""
    return await _open(db, HandoverItem.to_id == person_id, before, limit)


async def given_by(db: AsyncSession, person_id: int, *, before: int | None = None, limit: int = PAGE) -> Sequence[Row]:
    """Hand-overs this person offered, answered ones included, newest first."""
    query = select(Handover).where(Handover.from_id == person_id)
    return await _page(db, query, before, limit)


async def received_by(
    db: AsyncSession, person_id: int, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Row]:
    """Hand-overs offered to this person, answered ones included, newest first."""
    query = select(Handover).where(Handover.to_id == person_id)
    return await _page(db, query, before, limit)


async def open_offers(
    db: AsyncSession, person_id: int, *, before: int | None = None, limit: int = PAGE
) -> Sequence[Row]:
    """What this person offered and nobody has answered yet, newest first."""
    return await _open(db, HandoverItem.from_id == person_id, before, limit)


async def chain(db: AsyncSession, exhibit_id: int) -> Sequence[CustodyEvent]:
    """The custody events of an exhibit from the first. Of an exhibit the actor may not see there are none."""
    query = select(CustodyEvent).where(CustodyEvent.exhibit_id == exhibit_id).order_by(CustodyEvent.seq).limit(2000)
    return (await db.scalars(query)).all()


async def _page(db: AsyncSession, query: Select[Handover], before: int | None, limit: int) -> Sequence[Row]:
    if before is not None:
        query = query.where(Handover.id < before)
    return await _rows(db, (await db.scalars(query.order_by(Handover.id.desc()).limit(limit))).all())


async def _open(db: AsyncSession, whose: ColumnElement[bool], before: int | None, limit: int) -> Sequence[Row]:
    ids = select(HandoverItem.handover_id).where(whose, HandoverItem.state == "offered").distinct()
    if before is not None:
        ids = ids.where(HandoverItem.handover_id < before)
    found = (await db.scalars(ids.order_by(HandoverItem.handover_id.desc()).limit(limit))).all()
    rows = await db.scalars(select(Handover).where(Handover.id.in_(found)).order_by(Handover.id.desc()))
    return await _rows(db, rows.all())


async def _rows(db: AsyncSession, handovers: Sequence[Handover]) -> Sequence[Row]:
    ids = [h.id for h in handovers]
    states: dict[int, list[str]] = {i: [] for i in ids}
    query = select(HandoverItem.handover_id, HandoverItem.state).where(HandoverItem.handover_id.in_(ids))
    for row in await db.execute(query):
        states[row.handover_id].append(row.state)
    people = await parties(db, [p for h in handovers for p in (h.from_id, h.to_id)])
    return [
        Row(h, people[h.from_id].name, people[h.to_id].name, len(states[h.id]), result(states[h.id])) for h in handovers
    ]
