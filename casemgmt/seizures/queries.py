"""Reads of seizures. Row-level security decides what exists; a hidden seizure is not found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import column, literal, select, table, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.errors import NotFound
from casemgmt.seizures.models import Conveyance, Participant, Seizure
from casemgmt.seizures.scopes import Scope
from casemgmt.trust.events import Event

PAGE = 50
# The one view through which reach is read: my own rows of it.
MY_REACH = table("my_reach", column("seizure_id"), schema="access")


async def seizure(db: AsyncSession, seizure_id: int) -> Seizure:
    """The seizure, or NotFound when there is none the actor may see."""
    found = await db.get(Seizure, seizure_id)
    if found is None:
        raise NotFound
    return found


async def participants(db: AsyncSession, seizure_id: int) -> Sequence[Participant]:
    query = select(Participant).where(Participant.seizure_id == seizure_id).order_by(Participant.id).limit(200)
    return (await db.scalars(query)).all()


async def conveyances(db: AsyncSession, seizure_id: int) -> Sequence[Conveyance]:
    query = select(Conveyance).where(Conveyance.seizure_id == seizure_id).order_by(Conveyance.id).limit(200)
    return (await db.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Corrected:
    """One correction: the right words for ``field``, by whom, when and why."""

    field: str
    words: str
    reason: str
    by: str
    at: datetime


_CORRECTIONS = text(
    "select body, at from ledger.entry where stream = :stream and type = 'seizures:seizure:corrected'"
    " order by stream_seq"
)


async def corrections(db: AsyncSession, seizure: Seizure) -> list[Corrected]:
    """Oldest first; the last one of a field is what holds."""
    found = []
    for row in await db.execute(_CORRECTIONS, {"stream": f"seizure:{seizure.number}"}):
        event = Event.parse(bytes(row.body))
        data, by = event.data, event.actor
        found.append(Corrected(data["field"], data["words"], data["reason"], by["name"], row.at))
    return found


async def in_scope(
    db: AsyncSession, actor: Actor, scope: Scope, *, after: int | None = None, limit: int = PAGE
) -> tuple[Sequence[Seizure], bool]:
    """Newest first, and whether there are more. ``after`` is the id of the last seizure of the page before."""
    query = select(Seizure).order_by(Seizure.seized_at.desc(), Seizure.id.desc()).limit(limit + 1)
    if scope.unit_id is not None:
        query = query.where(Seizure.unit_id == scope.unit_id)
    elif scope.agency_id is not None:
        query = query.where(Seizure.agency_id == scope.agency_id)
    else:
        query = query.join(MY_REACH, MY_REACH.c.seizure_id == Seizure.id)
        query = query.where(Seizure.unit_id.not_in(actor.unit_ids)).distinct()
    if after is not None:
        last = await seizure(db, after)
        place = tuple_(literal(last.seized_at, Seizure.seized_at.type), literal(last.id))
        query = query.where(tuple_(Seizure.seized_at, Seizure.id) < place)
    rows = (await db.scalars(query)).all()
    return rows[:limit], len(rows) > limit


async def numbers(db: AsyncSession, ids: set[int]) -> dict[int, str]:
    """Numbers by id, for those the actor may see."""
    if not ids:
        return {}
    rows = await db.execute(select(Seizure.id, Seizure.number).where(Seizure.id.in_(ids)))
    return {row.id: row.number for row in rows}
