"""What a case may become, who may work on it, and which reasons need words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from casemgmt.core.actor import Actor, Appointment
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_
from casemgmt.reference.lists import CASE_STATUSES, CodeList, Reasoned

OPENS_CASES = ("investigator", "supervisor")
"""Appointments that may open a case in their unit."""

MEMBER_ROLES = ("lead", "member")


class _Case(Protocol):
    # properties, so that a mapped row and a plain value both fit
    @property
    def unit_id(self) -> int: ...
    @property
    def status(self) -> str: ...


def next_statuses(status: str) -> tuple[str, ...]:
    return CASE_STATUSES.get(status).next


def check_transition(now: str, wanted: str) -> None:
    if wanted not in next_statuses(now):
        raise Invalid({"status": N_("The case cannot go there from its present status.")})


def check_reason(reasons: CodeList[Reasoned], code: str, note: str, *, field: str = "reason") -> None:
    """A code of the list, with a sentence beside it where the code alone says nothing."""
    if not reasons.may_choose(code, utcnow().date()):
        raise Invalid({field: N_("Choose one of the given values.")})
    if reasons.get(code).needs_note and not note:
        raise Invalid({"note": N_("Say in words what it is.")})


def may_lead(actor: Actor, case: _Case, roles: Collection[str]) -> bool:
    """Team, status, referral: the case's leads and the supervisors of its unit.

    ``roles`` are the actor's own in the case.
    """
    return "lead" in roles or actor.holds("supervisor", case.unit_id)


def may_work(actor: Actor, case: _Case, roles: Collection[str]) -> bool:
    """Seizures and links: the whole team and the supervisors of its unit."""
    return bool(roles) or actor.holds("supervisor", case.unit_id)


def must_lead(actor: Actor, case: _Case, roles: Collection[str]) -> None:
    if not may_lead(actor, case, roles):
        raise Forbidden(N_("Only who leads this case, or a supervisor of its unit, may do this."))


def must_work(actor: Actor, case: _Case, roles: Collection[str]) -> None:
    if not may_work(actor, case, roles):
        raise Forbidden(N_("Only the case's team, or a supervisor of its unit, may do this."))


def opening_post(actor: Actor, unit_id: int | None) -> Appointment:
    """The appointment under which the actor opens a case, in ``unit_id`` if given."""
    for held in actor.appointments:
        if held.kind in OPENS_CASES and unit_id in (None, held.unit_id):
            return held
    raise Forbidden(N_("Cases are opened by an investigator or a supervisor, in their own unit."))
