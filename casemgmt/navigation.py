"""Which places the header offers to whom."""

from __future__ import annotations

from casemgmt.core.actor import Actor
from casemgmt.core.i18n import N_
from casemgmt.core.parts import NavItem

_SHIFT = NavItem("/", N_("My shift"))
_REGISTER = NavItem("/seizures/new", N_("New seizure"))
_SEIZURES = NavItem("/seizures", N_("Seizures"))
_EXHIBITS = NavItem("/exhibits", N_("Exhibits"))
_CASES = NavItem("/cases", N_("Cases"))
_HANDOVERS = NavItem("/hand-overs", N_("Hand-overs"))
_PEOPLE = NavItem("/people", N_("People"))
_UNITS = NavItem("/units", N_("Units"))
_LEDGER = NavItem("/ledger", N_("Ledger"))


def navigation(actor: Actor) -> tuple[NavItem, ...]:
    """An administrator administers and sees no evidence; everybody else sees their work."""
    if actor.holds("administrator"):
        return (_PEOPLE, _UNITS, _LEDGER)
    items = [_SHIFT]
    if actor.holds("officer"):
        items.append(_REGISTER)
    items += [_SEIZURES, _EXHIBITS]
    if actor.holds(("officer", "custodian", "expert", "investigator", "supervisor")):
        items.append(_HANDOVERS)
    if actor.holds(("investigator", "supervisor", "prosecutor", "auditor")):
        items.append(_CASES)
    if actor.holds("auditor"):
        items.append(_LEDGER)
    return tuple(items)
