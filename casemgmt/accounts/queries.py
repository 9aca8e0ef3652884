"""Reads of the directory. Everyone signed in may look up who works where."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Agency, AppointmentRow, Person, Unit
from casemgmt.core.actor import Actor
from casemgmt.core.errors import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person as somebody to choose: with the post that makes them eligible."""

    id: int
    name: str
    badge: str
    kind: str
    unit_id: int
    unit: str
    agency: str


async def person(db: AsyncSession, person_id: int) -> Person:
    found = await db.get(Person, person_id)
    if found is None:
        raise NotFound
    return found


async def unit(db: AsyncSession, unit_id: int) -> Unit:
    found = await db.get(Unit, unit_id)
    if found is None:
        raise NotFound
    return found


async def names(db: AsyncSession, ids: Collection[int | None]) -> dict[int, str]:
    """Names of people, units and agencies by principal id; unknown ids are left out."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    found: dict[int, str] = {}
    for model in (Person, Unit, Agency):
        rows = await db.execute(select(model.id, model.name).where(model.id.in_(wanted)))
        found.update({row.id: row.name for row in rows})
    return found


async def colleagues(
    db: AsyncSession, kinds: Collection[str], *, besides: int | None = None, search: str = "", limit: int = 200
) -> Sequence[Colleague]:
    """People who hold one of ``kinds`` now, by agency, unit and name; at most ``limit``."""
    query = (
        select(
            Person.id,
            Person.name,
            Person.badge,
            AppointmentRow.kind,
            Unit.id.label("unit_id"),
            Unit.name.label("unit"),
            Agency.name.label("agency"),
        )
        .join(AppointmentRow, AppointmentRow.person_id == Person.id)
        .join(Unit, Unit.id == AppointmentRow.unit_id)
        .join(Agency, Agency.id == Unit.agency_id)
        .where(AppointmentRow.kind.in_(kinds), AppointmentRow.valid.contains(func.now()))
        .order_by(Agency.name, Unit.name, Person.name)
        .limit(limit)
    )
    if besides is not None:
        query = query.where(Person.id != besides)
    if search:
        query = query.where(or_(Person.name.icontains(search, autoescape=True), Person.badge == search))
    return [Colleague(**row._mapping) for row in await db.execute(query)]


async def agencies(db: AsyncSession) -> Sequence[Agency]:
    return (await db.scalars(select(Agency).order_by(Agency.name).limit(500))).all()


async def units(db: AsyncSession, *, after: int = 0, limit: int = 500) -> Sequence[tuple[Unit, str]]:
    """Units with their agency's name, in the order of their ids."""
    query = (
        select(Unit, Agency.name)
        .join(Agency, Agency.id == Unit.agency_id)
        .where(Unit.id > after)
        .order_by(Unit.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await db.execute(query)]


async def people(db: AsyncSession, *, search: str = "", after: int = 0, limit: int = PAGE) -> Sequence[Person]:
    query = select(Person).where(Person.id > after).order_by(Person.id).limit(limit)
    if search:
        query = query.where(
            or_(Person.name.icontains(search, autoescape=True), Person.login == search.lower(), Person.badge == search)
        )
    return (await db.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class Held:
    """An appointment with its place and dates, past ones included."""

    row: AppointmentRow
    place: str
    current: bool


async def appointments(db: AsyncSession, person_id: int) -> Sequence[Held]:
    query = (
        select(AppointmentRow, func.coalesce(Unit.name, Agency.name, ""), AppointmentRow.valid.contains(func.now()))
        .outerjoin(Unit, Unit.id == AppointmentRow.unit_id)
        .outerjoin(Agency, Agency.id == AppointmentRow.agency_id)
        .where(AppointmentRow.person_id == person_id)
        .order_by(AppointmentRow.id)
        .limit(200)
    )
    return [Held(*row) for row in await db.execute(query)]


async def units_of(db: AsyncSession, actor: Actor, *, limit: int = 200) -> Sequence[Unit]:
    """Units the actor works in, and those of the agencies they audit, by name."""
    audited = [a.agency_id for a in actor.appointments if a.kind == "auditor" and a.agency_id is not None]
    query = select(Unit).where(or_(Unit.id.in_(actor.unit_ids), Unit.agency_id.in_(audited)))
    return (await db.scalars(query.order_by(Unit.name, Unit.id).limit(limit))).all()
