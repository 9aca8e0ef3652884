"""What an administrator does to the directory, and what people do to their own account."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Agency, AppointmentRow, Person, Principal, Unit
from casemgmt.accounts.rules import check_appointment
from casemgmt.accounts.schemas import NewAgency, NewAppointment, NewPerson, NewUnit
from casemgmt.accounts.signin import hash_password
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Forbidden, Invalid, NotFound
from casemgmt.core.i18n import N_, Text


async def _principal(db: AsyncSession, kind: str) -> int:
    return (await db.execute(insert(Principal).values(kind=kind).returning(Principal.id))).scalar_one()


async def _insert(db: AsyncSession, row: object, taken: dict[str, Text]) -> None:
    try:
        async with db.begin_nested():
            db.add(row)
            await db.flush()
    except IntegrityError as error:
        raise Invalid(taken) from error


def _must_administer(actor: Actor) -> None:
    if not actor.holds("administrator"):
        raise Forbidden


async def add_agency(db: AsyncSession, actor: Actor, data: NewAgency) -> Agency:
    _must_administer(actor)
    agency = Agency(
        id=await _principal(db, "agency"), code=data.code, kind=data.kind, name=data.name,
        valid_from=utcnow().date(), valid_to=None,
    )  # fmt: skip
    await _insert(db, agency, {"code": N_("There is an agency with this code already.")})
    await events.record(
        db, actor, "accounts:agency:added", f"agency:{agency.code}", {"code": agency.code, "name": agency.name}
    )
    return agency


async def add_unit(db: AsyncSession, actor: Actor, data: NewUnit) -> Unit:
    _must_administer(actor)
    if await db.get(Agency, data.agency_id) is None:
        raise Invalid({"agency_id": N_("Choose one of the given values.")})
    unit = Unit(
        id=await _principal(db, "unit"), agency_id=data.agency_id, code=data.code, name=data.name, place=data.place
    )
    await _insert(db, unit, {"code": N_("There is a unit with this code already.")})
    await events.record(db, actor, "accounts:unit:added", f"unit:{unit.code}", {"code": unit.code, "name": unit.name})
    return unit


async def add_person(db: AsyncSession, actor: Actor, data: NewPerson) -> Person:
    """The person cannot sign in before the first appointment begins."""
    _must_administer(actor)
    person = Person(
        id=await _principal(db, "person"), login=data.login, name=data.name, badge=data.badge, created_at=utcnow(),
    )  # fmt: skip
    row = insert(Person).values(id=person.id, login=person.login, name=person.name, badge=person.badge)
    try:
        async with db.begin_nested():
            await db.execute(row)
    except IntegrityError as error:
        raise Invalid({"login": N_("Somebody has this sign-in name already.")}) from error
    await _set_password(db, person.id, data.password)
    await events.record(
        db, actor, "accounts:person:added", f"person:{person.login}", {"login": person.login, "name": person.name}
    )
    return person


async def appoint(db: AsyncSession, actor: Actor, person_id: int, data: NewAppointment) -> int:
    """Give dated authority. Raises Invalid when kind and place do not go together. Returns the appointment's id."""
    _must_administer(actor)
    check_appointment(data)
    person = await _person(db, person_id)
    await db.execute(text("select seq from ledger.head(:s)"), {"s": f"person:{person.login}"})  # two clicks queue here
    if await db.scalar(_same_appointment(person_id, data)) is not None:
        raise Invalid({"kind": N_("This person holds this appointment already. End it first.")})
    since = datetime.combine(data.since, time(), UTC) if data.since else func.now()
    until = datetime.combine(data.until, time(), UTC) if data.until else None
    row = insert(AppointmentRow).values(
        person_id=person_id, kind=data.kind, unit_id=data.unit_id, agency_id=data.agency_id,
        valid=func.tstzrange(since, until),
    )  # fmt: skip
    try:
        async with db.begin_nested():
            new = (await db.execute(row.returning(AppointmentRow.id))).scalar_one()
    except IntegrityError as error:
        raise Invalid({"unit_id": N_("Choose one of the given values.")}) from error
    await events.record(
        db, actor, "accounts:appointment:made", f"person:{person.login}",
        {"kind": data.kind, "unit_id": data.unit_id, "agency_id": data.agency_id,
         "until": data.until.isoformat() if data.until else None},
    )  # fmt: skip
    return new


def _same_appointment(person_id: int, data: NewAppointment) -> Select[int]:
    """A current or coming appointment of the same kind in the same place: ending one must end the authority."""
    return select(AppointmentRow.id).where(
        AppointmentRow.person_id == person_id,
        AppointmentRow.kind == data.kind,
        AppointmentRow.unit_id.is_not_distinct_from(data.unit_id),
        AppointmentRow.agency_id.is_not_distinct_from(data.agency_id),
        func.coalesce(func.upper(AppointmentRow.valid), func.now() + timedelta(days=1)) > func.now(),
    )


async def end_appointment(db: AsyncSession, actor: Actor, person_id: int, appointment_id: int) -> None:
    """End authority now. What was done under it stays done."""
    _must_administer(actor)
    person = await _person(db, person_id)
    row = await db.scalar(
        select(AppointmentRow).where(AppointmentRow.id == appointment_id, AppointmentRow.person_id == person_id)
    )
    if row is None:
        raise NotFound
    valid: Range[datetime] = row.valid
    end = func.tstzrange(func.lower(AppointmentRow.valid), func.greatest(func.now(), func.lower(AppointmentRow.valid)))
    if valid.upper is not None and valid.upper <= utcnow():
        return
    await db.execute(update(AppointmentRow).where(AppointmentRow.id == appointment_id).values(valid=end))
    await events.record(
        db, actor, "accounts:appointment:ended", f"person:{person.login}", {"kind": row.kind, "unit_id": row.unit_id}
    )


async def reset_password(db: AsyncSession, actor: Actor, person_id: int, password: str) -> None:
    """A new password for a person (administrator) or oneself; every session of theirs ends."""
    person = await _person(db, person_id)
    if actor.id != person_id:
        _must_administer(actor)
    await _set_password(db, person_id, password)
    await events.record(
        db, actor, "accounts:password:set", f"person:{person.login}", {"by_self": actor.id == person_id}
    )


async def sign_out(db: AsyncSession, actor: Actor) -> None:
    await db.execute(text("select accounts.end_session(:t)"), {"t": actor.token})


async def sign_out_everywhere(db: AsyncSession, actor: Actor) -> None:
    await events.record(db, actor, "accounts:sessions:ended", f"person:{actor.login}", {})
    await db.execute(text("select accounts.end_sessions()"))


async def _set_password(db: AsyncSession, person_id: int, password: str) -> None:
    await db.execute(
        text("select accounts.reset_password(:p, :h)"), {"p": person_id, "h": await hash_password(password)}
    )


async def _person(db: AsyncSession, person_id: int) -> Person:
    person = await db.get(Person, person_id)
    if person is None:
        raise NotFound
    return person
