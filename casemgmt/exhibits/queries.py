"""Reads of exhibits. Row-level security decides what exists; a hidden exhibit is not found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.errors import NotFound
from casemgmt.core.i18n import N_, PN_
from casemgmt.exhibits.models import Exhibit
from casemgmt.seizures.queries import MY_REACH
from casemgmt.seizures.scopes import Scope, scopes_of

PAGE = 50
HELD = Scope("held", N_("I hold"))
OFFERED = Scope("offered", PN_("list of exhibits", "Offered to me"))
KEEPERS = ("officer", "custodian", "investigator", "supervisor", "expert")


def exhibit_scopes(actor: Actor) -> list[Scope]:
    """The tabs of the list of exhibits: what I hold and am offered first, for those who may hold anything."""
    return [*([HELD, OFFERED] if actor.holds(KEEPERS) else []), *scopes_of(actor)]


async def exhibit(db: AsyncSession, exhibit_id: int) -> Exhibit:
    """The exhibit, or NotFound when there is none the actor may see."""
    found = await db.get(Exhibit, exhibit_id)
    if found is None:
        raise NotFound
    return found


async def of_seizure(db: AsyncSession, seizure_id: int) -> Sequence[Exhibit]:
    query = select(Exhibit).where(Exhibit.seizure_id == seizure_id).order_by(Exhibit.no).limit(500)
    return (await db.scalars(query)).all()


async def by_ids(db: AsyncSession, ids: Collection[int]) -> Sequence[Exhibit]:
    """Those of them the actor may see."""
    if not ids:
        return []
    return (await db.scalars(select(Exhibit).where(Exhibit.id.in_(ids)).order_by(Exhibit.id))).all()


async def in_scope(
    db: AsyncSession, actor: Actor, scope: Scope, *, after: int | None = None, limit: int = PAGE
) -> tuple[Sequence[Exhibit], bool]:
    """Newest first, and whether there are more. ``after`` is the id of the last exhibit of the page before."""
    query = select(Exhibit).order_by(Exhibit.id.desc()).limit(limit + 1)
    if scope == HELD:
        query = query.where(Exhibit.holder_id == actor.id)
    elif scope == OFFERED:
        query = query.where(Exhibit.offered_to == actor.id)
    elif scope.unit_id is not None:
        query = query.where(Exhibit.unit_id == scope.unit_id)
    elif scope.agency_id is not None:
        query = query.where(Exhibit.agency_id == scope.agency_id)
    else:
        query = query.join(MY_REACH, MY_REACH.c.seizure_id == Exhibit.seizure_id)
        query = query.where(Exhibit.unit_id.not_in(actor.unit_ids)).distinct()
    if after is not None:
        query = query.where(Exhibit.id < after)
    rows = (await db.scalars(query)).all()
    return rows[:limit], len(rows) > limit
