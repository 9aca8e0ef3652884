"""Who may share what, for how long, and what a referral may take along."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from casemgmt.cases.rules import check_reason, next_statuses
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_, Text
from casemgmt.reference.lists import GRANT_PURPOSES
from casemgmt.sharing.schemas import NewGrant

REFERRED = "referred"


def must_supervise(actor: Actor, unit_id: int) -> None:
    """A record is shared by a supervisor of the unit that owns it."""
    if not actor.holds("supervisor", unit_id):
        raise Forbidden(N_("Only a supervisor of the unit that owns this record decides who else sees it."))


def check_receiver(data: NewGrant) -> None:
    if bool(data.to) == bool(data.person):
        raise Invalid({"to": N_("Choose a unit or an agency, or name one person.")})


def check_grant(data: NewGrant, today: date, *, of_case: bool) -> None:
    errors: dict[str, Text] = {}
    try:
        check_reason(GRANT_PURPOSES, data.purpose, data.note, field="purpose")
    except Invalid as error:
        errors |= error.fields
    if data.until is None and not data.endless:
        errors["until"] = N_("Give the last day, or say that it has no end.")
    elif data.until is not None and data.endless:
        errors["until"] = N_("It has either a last day or no end, not both.")
    elif data.until is not None and data.until < today:
        errors["until"] = N_("The last day has passed already.")
    if data.with_seizures and not of_case:
        errors["with_seizures"] = N_("Only a case is shared with its seizures.")
    if errors:
        raise Invalid(errors)


def end_of(day: date | None, zone: tzinfo) -> datetime | None:
    """The moment a grant with this last day ends: the midnight after it in ``zone``. None has no end."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), zone)


def check_can_refer(status: str) -> None:
    """A case goes to the prosecutor from an open investigation; more may follow while it is there."""
    if status != REFERRED and REFERRED not in next_statuses(status):
        raise Invalid({"unit": N_("A case in this status cannot be referred. Change its status first.")})
