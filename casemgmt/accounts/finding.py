"""Who is meant by what somebody typed: a sign-in name, a badge number or a full name."""

from __future__ import annotations

from sqlalchemy import Exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import AppointmentRow, Person
from casemgmt.core.codes import Codes
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import N_


async def appointed_person(db: AsyncSession, codes: Codes, text: str, *, field: str = "person") -> Person:
    """The one person meant by ``text`` (opaque code, sign-in name, badge or full name) who holds an appointment now.

    Raises Invalid beside ``field`` when it is nobody or more than one. The directory is open to everyone signed
    in, so the words may say which of the two.
    """
    text = " ".join(text.split())
    for condition in (Person.login == text.lower(), Person.badge == text, func.lower(Person.name) == text.lower()):
        found = (await db.scalars(select(Person).where(condition, _appointed()).limit(2))).all()
        if len(found) == 1:
            return found[0]
        if found:
            raise Invalid({field: N_("Several people are called this. Give the sign-in name.")})
    try:
        by_code = await db.scalar(select(Person).where(Person.id == codes.decode("person", text), _appointed()))
    except NotFound:
        by_code = None
    if by_code is None:
        raise Invalid({field: N_("Nobody with this name, badge or sign-in name holds an appointment now.")})
    return by_code


def _appointed() -> Exists:
    return (
        select(AppointmentRow.id)
        .where(AppointmentRow.person_id == Person.id, AppointmentRow.valid.contains(func.now()))
        .where(AppointmentRow.kind != "administrator")
        .exists()
    )
