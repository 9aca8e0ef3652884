"""Which appointments make sense."""

from __future__ import annotations

from casemgmt.accounts.schemas import NewAppointment
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_

UNIT_KINDS = ("officer", "custodian", "investigator", "supervisor", "prosecutor", "expert")
KINDS = (*UNIT_KINDS, "auditor", "administrator")


def check_appointment(data: NewAppointment) -> None:
    """A unit for those who work in one, an agency for an auditor, neither for an administrator."""
    if data.kind not in KINDS:
        raise Invalid({"kind": N_("Choose one of the given values.")})
    if data.kind in UNIT_KINDS and (data.unit_id is None or data.agency_id is not None):
        raise Invalid({"unit_id": N_("This appointment belongs to a unit.")})
    if data.kind == "auditor" and (data.agency_id is None or data.unit_id is not None):
        raise Invalid({"agency_id": N_("An auditor is appointed to an agency.")})
    if data.kind == "administrator" and (data.unit_id is not None or data.agency_id is not None):
        raise Invalid({"kind": N_("An administrator belongs to no unit or agency here.")})
    if data.until and data.until <= (data.since or utcnow().date()):
        raise Invalid({"until": N_("The end must come after the beginning.")})
