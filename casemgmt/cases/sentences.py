"""Events in words. A type that is not known here is shown by its name, never left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casemgmt.core.i18n import N_, Text, current_locale, gettext
from casemgmt.reference.lists import (
    CASE_STATUSES,
    DISPUTE_OUTCOMES,
    GRANT_PURPOSES,
    HANDOVER_PURPOSES,
    LINK_REASONS,
    PHOTO_POINTS,
    REFUSAL_REASONS,
    CodeList,
    Item,
    UnknownCodeError,
)

Kind = Literal["ok", "warn", "bad", "info"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """``detail`` is what the people involved wrote or chose; empty when nothing."""

    text: str
    detail: str = ""
    kind: Kind = "info"


_SENTENCES: dict[str, Text] = {
    "seizures:seizure:registered": N_("Seizure %(seizure)s registered"),
    "seizures:seizure:corrected": N_("Record of seizure %(seizure)s corrected"),
    "seizures:seizure:supplemented": N_("People or conveyances added to seizure %(seizure)s"),
    "seizures:seizure:marked": N_("Need-to-know of seizure %(seizure)s changed"),
    "custody:exhibit:registered": N_("Exhibit %(exhibit)s registered"),
    "custody:handover:offered": N_("Exhibit %(exhibit)s offered to %(to)s"),
    "custody:handover:accepted": N_("Exhibit %(exhibit)s accepted by %(to)s"),
    "custody:handover:refused": N_("Exhibit %(exhibit)s refused by %(to)s"),
    "custody:handover:withdrawn": N_("Offer of exhibit %(exhibit)s withdrawn"),
    "custody:exhibit:disputed": N_("Custody of exhibit %(exhibit)s disputed: %(from)s and %(to)s agreed otherwise"),
    "custody:exhibit:resolved": N_("Dispute about exhibit %(exhibit)s resolved"),
    "custody:agreement:brought": N_("Agreement of %(from)s and %(to)s without a network brought to the server"),
    "custody:agreement:settled": N_("Agreement without a network became hand-over %(handover)s"),
    "custody:agreement:disputed": N_("Agreement without a network disputed"),
    "custody:agreement:resolved": N_("Dispute about an agreement without a network resolved"),
    "evidence:file:received": N_("File received: %(name)s"),
    "evidence:file:described": N_("Said what a photograph shows"),
    "evidence:file:refused": N_("File refused: %(name)s"),
    "evidence:file:downloaded": N_("File downloaded: %(name)s"),
    "evidence:file:observed": N_("Claims inside a file read"),
    "cases:case:opened": N_("Case %(case)s opened"),
    "cases:case:status": N_("Status changed from “%(from)s” to “%(to)s”"),
    "cases:member:added": N_("%(person)s joined the team"),
    "cases:member:left": N_("%(person)s left the team"),
    "cases:seizure:added": N_("Seizure %(seizure)s put into the case"),
    "cases:seizure:removed": N_("Seizure %(seizure)s taken out of the case"),
    "cases:link:made": N_("Linked to another case"),
    "sharing:grant:given": N_("%(record)s shared with %(to)s"),
    "sharing:grant:ended": N_("Sharing of %(record)s with %(to)s ended"),
    "sharing:referral:made": N_("Case referred to %(to)s"),
    "packages:package:sealed": N_("Evidence package %(package)s sealed"),
    "packages:package:narrowed": N_("Exhibits left out of evidence package %(package)s"),
    "packages:package:withheld": N_("Parts withheld from evidence package %(package)s"),
    "packages:package:downloaded": N_("Evidence package %(package)s downloaded"),
}

_KINDS: dict[str, Kind] = {
    "custody:handover:accepted": "ok",
    "custody:handover:refused": "bad",
    "custody:exhibit:disputed": "bad",
    "custody:exhibit:resolved": "warn",
    "custody:agreement:settled": "ok",
    "custody:agreement:disputed": "bad",
    "custody:agreement:resolved": "warn",
    "evidence:file:refused": "bad",
    "packages:package:sealed": "ok",
    "sharing:grant:ended": "warn",
}

_HANDOVER_KINDS = ("offered", "accepted", "refused", "withdrawn")

# Values that are codes of a list, by type and name.
_CODES: dict[tuple[str, str], CodeList[Any]] = {
    ("cases:case:status", "from"): CASE_STATUSES,
    ("cases:case:status", "to"): CASE_STATUSES,
    ("cases:link:made", "reason"): LINK_REASONS,
    **{(f"custody:handover:{kind}", "purpose"): HANDOVER_PURPOSES for kind in _HANDOVER_KINDS},
    ("custody:handover:refused", "reason"): REFUSAL_REASONS,
    ("custody:exhibit:resolved", "outcome"): DISPUTE_OUTCOMES,
    ("custody:agreement:resolved", "outcome"): DISPUTE_OUTCOMES,
    ("evidence:file:described", "shows"): PHOTO_POINTS,
    ("sharing:grant:given", "purpose"): GRANT_PURPOSES,
}

_DETAILS = ("title", "purpose", "reason", "discrepancy", "note", "outcome", "words", "description", "shows")


def sentence(type_: str, data: Mapping[str, Any]) -> Sentence:
    """The event of this type with this data, in the reader's language."""
    message = _SENTENCES.get(type_)
    if message is None:
        return Sentence(type_)
    said = _Said(type_, data)
    details = ". ".join(filter(None, (said.of(name) for name in _DETAILS if name in data)))
    kind: Kind = "warn" if data.get("discrepancy") else _KINDS.get(type_, "info")
    return Sentence(current_locale().translations.gettext(message.message) % said, details, kind)


class _Said(dict[str, str]):
    """The values of an event by name, as words; a name the event lacks is a dash."""

    def __init__(self, type_: str, data: Mapping[str, Any]) -> None:
        super().__init__()
        self._type, self._data = type_, data

    def __missing__(self, name: str) -> str:
        return self.of(name) or "–"

    def of(self, name: str) -> str:
        value = self._data.get(name)
        if isinstance(value, Mapping):  # a person, a unit or an agency
            return str(value.get("name", ""))
        if not isinstance(value, str):
            return ""
        code_list = _CODES.get((self._type, name))
        return _label(code_list, value) if code_list is not None else value


def _label(code_list: CodeList[Any], code: str) -> str:
    try:
        item: Item = code_list.get(code)
    except UnknownCodeError:
        return code
    return gettext(item.label)
