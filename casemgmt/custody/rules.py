"""The practice of handing over, as functions without I/O: who may give and take, what a seal that differs demands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from casemgmt.core.i18n import N_, Text
from casemgmt.custody.schemas import Decision, NewOffer
from casemgmt.reference.fold import latin_readings
from casemgmt.reference.lists import HANDOVER_PURPOSES, REFUSAL_REASONS, SEAL_STATES

RECEIVERS = ("custodian", "officer", "expert", "investigator", "supervisor")
"""Appointments under which a person may hold an exhibit."""

_CHOOSE = N_("Choose one of the given values.")


@dataclass(frozen=True, slots=True)
class Seen:
    """A seal as somebody saw it. ``state`` is a code of ``seal_states``; ``number`` None: none was read."""

    number: str | None
    state: str


def read_seal(text: str | None) -> str | None:
    """A typed seal number with single spaces; None for an empty one."""
    return " ".join((text or "").split()) or None


def same_seal(recorded: str | None, seen: str | None) -> bool:
    """Whether two people read the same seal: Cyrillic and Latin look-alikes and separators do not matter.

    ``В-1001`` typed on a Russian keyboard is ``B 1001``; the letter O is not the digit 0.
    """
    if recorded == seen:
        return True
    if recorded is None or seen is None:
        return False
    return (latin_readings(recorded)[0] or recorded) == (latin_readings(seen)[0] or seen)


def giver_sees(recorded: Seen, text: str) -> Seen:
    """The seal as the giver offers it: the record's state, unless they read another number than the record has."""
    number = read_seal(text)
    if same_seal(recorded.number, number):
        return recorded
    return Seen(number, "missing" if number is None else "differs")


def check_offer(data: NewOffer, day: date, recorded: list[Seen]) -> dict[str, Text]:
    """What is wrong with an offer, by field name. ``recorded`` are the seals on record, in the offer's order."""
    wrong: dict[str, Text] = {}
    if not HANDOVER_PURPOSES.may_choose(data.purpose, day):
        wrong["purpose"] = _CHOOSE if data.purpose else N_("Choose the purpose.")
    if len({item.exhibit for item in data.exhibits}) != len(data.exhibits):
        wrong["exhibits"] = N_("An exhibit is named twice.")
    wrong |= _check_place(data)
    for i, (item, seal) in enumerate(zip(data.exhibits, recorded, strict=True)):
        if not same_seal(seal.number, read_seal(item.seal)) and not data.note.strip():
            wrong[f"exhibits.{i}.seal"] = N_("This is not the seal on record. Say in the note what happened to it.")
    return wrong


def _check_place(data: NewOffer) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    if (data.place_latitude is None) != (data.place_longitude is None):
        wrong["place_latitude"] = N_("A place needs both its latitude and its longitude.")
    for name, value, least, most in (
        ("place_latitude", data.place_latitude, -90, 90),
        ("place_longitude", data.place_longitude, -180, 180),
        ("place_accuracy", data.place_accuracy, 0, 10_000_000),
    ):
        if value is not None and not (isinstance(value, Decimal) and value.is_finite() and least <= value <= most):
            wrong[name] = N_("This is not a place on Earth.")
    return wrong


def receiver_sees(recorded: Seen, data: Decision) -> Seen:
    """The seal as the receiver describes it, held against the record."""
    number = read_seal(data.seal)
    if same_seal(recorded.number, number):
        number = recorded.number
    if data.seal_state in {"damaged", "missing"}:
        return Seen(number, data.seal_state)
    if recorded.number is None and number is None:
        return Seen(None, "none")
    return Seen(number, "intact" if number == recorded.number else "differs")


def needs_discrepancy(recorded: Seen, seen: Seen) -> bool:
    """Whether accepting demands words about the seal. The SQL function ``custody.answer`` holds the same rule."""
    return seen.number != recorded.number or seen.state not in {"intact", "none"}


def check_decision(data: Decision, recorded: Seen, day: date) -> dict[str, Text]:
    """What is missing before an exhibit can be accepted, refused or withdrawn, by field name."""
    if data.decision == "accepted":
        return _check_acceptance(data, recorded)
    if data.decision == "refused":
        return _check_refusal(data, day)
    return {} if data.decision else {"decision": N_("Say whether you accept or refuse it.")}


def _check_acceptance(data: Decision, recorded: Seen) -> dict[str, Text]:
    if recorded.number is not None:
        if not _observed(data.seal_state):
            return {"seal_state": N_("Say how the seal looks: intact, damaged or missing.")}
        if data.seal_state != "missing" and read_seal(data.seal) is None:
            return {"seal": N_("Write the number you read on the seal.")}
    if needs_discrepancy(recorded, receiver_sees(recorded, data)) and not data.discrepancy.strip():
        return {"discrepancy": N_("The seal is not as on record. Describe what you see, or refuse the exhibit.")}
    return {}


def _check_refusal(data: Decision, day: date) -> dict[str, Text]:
    if not REFUSAL_REASONS.may_choose(data.reason, day):
        return {"reason": N_("Choose why you refuse it.")}
    if REFUSAL_REASONS.get(data.reason).needs_note and not data.note.strip():
        return {"note": N_("This reason needs a sentence.")}
    if data.seal_state and not _observed(data.seal_state):
        return {"seal_state": _CHOOSE}
    return {}


def _observed(state: str) -> bool:
    found = SEAL_STATES.items().get(state)
    return found is not None and found.observed


def result(states: list[str]) -> str:
    """What became of a hand-over as a whole: ``offered`` while any exhibit waits, then ``accepted``, ``refused``,
    ``withdrawn`` or, when they differ, ``mixed``."""
    if "offered" in states:
        return "offered"
    return states[0] if len(set(states)) == 1 else "mixed"
