"""Who seals packages, and which exhibits go in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from casemgmt.cases.models import CaseFile
from casemgmt.core.actor import Actor, Appointment
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_
from casemgmt.exhibits.models import Exhibit
from casemgmt.seizures.models import Seizure

SEALS = ("investigator", "supervisor", "prosecutor")
"""Appointments that may seal a package of what they see of a case."""

SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """A seizure of the case with those of its exhibits that go in, and those that do not."""

    seizure: Seizure
    chosen: Sequence[Exhibit]
    left_out: Sequence[Exhibit]


def sealing_post(actor: Actor, case: CaseFile) -> Appointment:
    """The appointment whose unit numbers the package: the case's unit, or else the actor's first. Raises Forbidden."""
    posts = [a for a in actor.appointments if a.kind in SEALS and a.unit_id is not None]
    if not posts:
        raise Forbidden
    return next((post for post in posts if post.unit_id == case.unit_id), posts[0])


def choose(
    offered: Sequence[tuple[Seizure, Sequence[Exhibit]]], wanted: Collection[int] | None, reason: str
) -> list[Choice]:
    """What of the case goes in. ``wanted`` are exhibit ids, None for all. Raises Invalid."""
    known = {exhibit.id for _, exhibits in offered for exhibit in exhibits}
    if wanted is None:
        wanted = known
    if not known >= set(wanted):
        raise Invalid({"exhibits": N_("Choose among the exhibits of this case.")})
    if not wanted:
        raise Invalid({"exhibits": N_("Choose at least one exhibit.")})
    if len(wanted) < len(known) and len(reason.strip()) < SHORTEST_REASON:
        raise Invalid({"reason": N_("Say why exhibits are left out.")})
    return [
        Choice(seizure, [e for e in exhibits if e.id in wanted], [e for e in exhibits if e.id not in wanted])
        for seizure, exhibits in offered
    ]
