"""Registering a seizure with its exhibits: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Invalid, SentBefore
from casemgmt.core.i18n import N_, Text
from casemgmt.exhibits import actions as exhibit_actions
from casemgmt.exhibits import queries as exhibit_queries
from casemgmt.exhibits import rules as exhibit_rules
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.intake.schemas import Registration
from casemgmt.seizures import actions as seizure_actions
from casemgmt.seizures import rules as seizure_rules
from casemgmt.seizures.models import Seizure


@dataclass(frozen=True, slots=True)
class Registered:
    """``repeated``: it was there before, and nothing was written."""

    seizure: Seizure
    exhibits: Sequence[Exhibit]
    repeated: bool


async def register(db: AsyncSession, actor: Actor, data: Registration, zone: tzinfo) -> Registered:
    """Register the seizure and its exhibits, or find those that this ``client_id`` registered before.

    Raises SentBefore when that was something else, and Invalid with everything that is wrong at once, under dotted
    names (``exhibits.0.quantity``).
    """
    if errors := check(data):
        raise Invalid(errors)
    seizure, new = await seizure_actions.register(db, actor, data, zone)
    if new:
        exhibits: Sequence[Exhibit] = await exhibit_actions.add(
            db, actor, seizure, data.exhibits, device_at=data.device_at
        )
    else:
        exhibits = await exhibit_queries.of_seizure(db, seizure.id)
        if [_said(item) for item in exhibits] != [_said(item) for item in data.exhibits]:
            raise SentBefore
    return Registered(seizure, exhibits, repeated=not new)


def _said(item: Exhibit | NewExhibit) -> tuple[object, ...]:
    """What an officer said of a thing. The seal is left out of what is compared: it changes with hand-overs."""
    return item.category, item.description, item.quantity, item.value


def check(data: Registration) -> dict[str, Text]:
    """What is wrong with the whole registration, by dotted field name."""
    errors = seizure_rules.check(data, utcnow())
    if not data.exhibits:
        errors["exhibits"] = N_("Say what was seized.")
    for i, item in enumerate(data.exhibits):
        for name, words in exhibit_rules.check(item, data.seized_at.date()).items():
            errors[f"exhibits.{i}.{name}"] = words
    return errors
