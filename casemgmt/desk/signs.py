"""The three separate signs of an exhibit. Each speaks for itself and only of what somebody really checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from casemgmt.core.i18n import N_, PN_, gettext, ngettext
from casemgmt.core.parts import Sign
from casemgmt.exhibits.rules import ChainBreak

_FILES, _CUSTODY, _SEAL = N_("File unchanged"), N_("Custody unbroken"), N_("Seal intact")
_FILES_SHORT, _CUSTODY_SHORT, _SEAL_SHORT = PN_("sign", "Files"), PN_("sign", "Custody"), PN_("sign", "Seal")


@dataclass(frozen=True, slots=True)
class Check:
    """The newest re-reading of a file: ``unchanged``, ``changed``, ``missing`` or ``unreadable``."""

    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """The last time a person recorded what they saw of the seal."""

    state: str
    number: str | None
    by: str
    at: datetime


def file_sign(file_ids: Sequence[int], checks: Mapping[int, Check]) -> Sign:
    """Unchanged only when every file was read again since receipt: a hash made then proves nothing later."""
    if not file_ids:
        return Sign(_FILES, "unknown", gettext("There are no files yet."), short=_FILES_SHORT)
    found = [checks[i] for i in file_ids if i in checks]
    by_outcome = {outcome: sum(c.outcome == outcome for c in found) for outcome in ("changed", "missing", "unreadable")}
    latest = max((c.at for c in found), default=None)
    if lost := by_outcome["changed"] + by_outcome["missing"]:
        words = ngettext(
            "%(num)s file is not the one that was received.", "%(num)s files are not the ones that were received.", lost
        )
        return Sign(_FILES, "bad", words, latest, _FILES_SHORT)
    if by_outcome["unreadable"]:
        return Sign(_FILES, "warn", gettext("The store could not be read at the last check."), latest, _FILES_SHORT)
    if len(found) < len(file_ids):
        words = gettext(
            "Hash recorded at receipt; %(count)s of %(all)s files not re-read yet.",
            count=len(file_ids) - len(found), all=len(file_ids),
        )  # fmt: skip
        return Sign(_FILES, "unknown", words, short=_FILES_SHORT)
    words = ngettext(
        "%(num)s file was read again and has the recorded hash.",
        "%(num)s files were read again and have the recorded hashes.",
        len(found),
    )
    return Sign(_FILES, "ok", words, min(c.at for c in found), _FILES_SHORT)


def custody_sign(
    events: int, broken: ChainBreak | None, now: datetime, *, disputed: int = 0, resolved: int = 0
) -> Sign:
    """From the chain recomputed for this page; ``events`` is how many it has, ``disputed`` and ``resolved`` how many
    agreements about it did not take effect: never unbroken without a word about them."""
    if broken is not None:
        words = gettext("The chain does not hold at event %(number)s: %(why)s", number=broken.seq, why=broken.why)
        return Sign(_CUSTODY, "bad", words, now, _CUSTODY_SHORT)
    if disputed:
        words = ngettext(
            "%(num)s agreement that two people signed says otherwise than the record, and nobody has resolved it.",
            "%(num)s agreements that people signed say otherwise than the record, and nobody has resolved them.",
            disputed,
        )
        return Sign(_CUSTODY, "warn", words, now, _CUSTODY_SHORT)
    words = ngettext(
        "%(num)s event, recomputed from the ledger just now.",
        "%(num)s events without a gap, recomputed from the ledger just now.",
        events,
    )
    if resolved:
        more = ngettext(
            "%(num)s dispute about it was resolved by a supervisor.",
            "%(num)s disputes about it were resolved by a supervisor.",
            resolved,
        )
        return Sign(_CUSTODY, "warn", f"{words} {more}", now, _CUSTODY_SHORT)
    return Sign(_CUSTODY, "ok", words, now, _CUSTODY_SHORT)


def seal_sign(look: Look | None) -> Sign:
    """What a person saw last. Nobody's look is shown as nobody's look."""
    if look is None or look.state == "none":
        return Sign(_SEAL, "unknown", gettext("No seal is recorded."), short=_SEAL_SHORT)
    values = {"number": look.number or "–", "name": look.by}
    match look.state:
        case "intact":
            words = gettext("Seal %(number)s was intact when %(name)s last recorded it.", **values)
            return Sign(_SEAL, "ok", words, look.at, _SEAL_SHORT)
        case "differs":
            words = gettext("%(name)s saw another seal number than was recorded: %(number)s.", **values)
        case "missing":
            words = gettext("%(name)s recorded that the seal is missing.", **values)
        case _:
            words = gettext("%(name)s recorded that seal %(number)s is damaged.", **values)
    return Sign(_SEAL, "bad", words, look.at, _SEAL_SHORT)
