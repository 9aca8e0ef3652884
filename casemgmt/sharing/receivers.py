"""Whom a grant is for: a person, a unit or an agency, as chosen in a form or named by a program."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.finding import appointed_person
from casemgmt.accounts.models import Agency, Person, Unit
from casemgmt.core.codes import Codes
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import N_
from casemgmt.sharing import rules
from casemgmt.sharing.schemas import NewGrant

_MODELS: dict[str, type[Agency] | type[Unit] | type[Person]] = {"agency": Agency, "unit": Unit, "person": Person}


@dataclass(frozen=True, slots=True)
class Receiver:
    kind: str
    id: int
    name: str


async def receiver_of(db: AsyncSession, codes: Codes, data: NewGrant) -> Receiver:
    """Raises Invalid beside the field that names nobody, or when both name somebody."""
    rules.check_receiver(data)
    if data.person:
        person = await appointed_person(db, codes, data.person)
        return Receiver("person", person.id, person.name)
    kind, _, code = data.to.partition(":")
    model = _MODELS.get(kind)
    if model is None:
        raise Invalid({"to": N_("Choose one of the given values.")})
    try:
        found: Agency | Unit | Person | None = await db.get(model, codes.decode(kind, code))
    except NotFound:
        found = None
    if found is None:
        raise Invalid({"to": N_("Choose one of the given values.")})
    return Receiver(kind, found.id, found.name)
