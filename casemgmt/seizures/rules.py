"""What a seizure must be, and what may only be remarked on. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from casemgmt.core.actor import Actor
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_, Text
from casemgmt.reference import identifiers
from casemgmt.reference.fold import KeyKind
from casemgmt.reference.identifiers import Reason, Scheme, Status, Verdict
from casemgmt.reference.lists import CONVEYANCES, DETECTION_METHODS, DIRECTIONS, PARTICIPANT_ROLES, CodeList, ItemT
from casemgmt.seizures.schemas import NewConveyance, NewParticipant, NewSeizure

CLOCK_TOLERANCE = timedelta(minutes=15)  # how far a post's clock may run ahead of the server's
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

# What an event may correct. People are not here: their data is not written into events.
CORRECTABLE: dict[str, Text] = {
    "seized_at": N_("Time of seizure"),
    "place": N_("Place"),
    "direction": N_("Direction of movement"),
    "detection": N_("How it was found"),
    "ground": N_("Legal ground"),
    "circumstances": N_("Circumstances"),
    "conveyances": N_("Conveyance or container"),
    "exhibits": N_("Description of an exhibit"),
}

_CHOOSE = N_("Choose one of the given values.")


@dataclass(frozen=True, slots=True)
class Post:
    """The unit a seizure is born in, and its agency."""

    unit_id: int
    code: str
    name: str
    agency_id: int
    agency: str


def registering_post(actor: Actor) -> Post:
    """Where the actor is an officer, the oldest such appointment first. Raises Forbidden without one."""
    for a in actor.appointments:
        if a.kind == "officer" and a.unit_id is not None and a.agency_id is not None:
            return Post(a.unit_id, a.unit_code or "", a.unit or "", a.agency_id, a.agency or "")
    raise Forbidden(N_("Only an officer registers a seizure."))


def must_correct(actor: Actor, unit_id: int) -> None:
    if not actor.holds(("officer", "supervisor"), unit_id):
        raise Forbidden(N_("Only the unit that made the seizure corrects its record."))


def check(data: NewSeizure, now: datetime) -> dict[str, Text]:
    """What is wrong, by dotted field name; nothing is found wrong with numbers painted on things."""
    errors: dict[str, Text] = {}
    if not EARLIEST <= data.seized_at <= now + CLOCK_TOLERANCE:
        errors["seized_at"] = N_("The time of seizure lies in the future or far in the past.")
    day = data.seized_at.date()
    _choose(errors, "direction", DIRECTIONS, data.direction, day)
    _choose(errors, "detection", DETECTION_METHODS, data.detection, day)
    errors |= check_present(data.participants, data.conveyances, day)
    errors |= _check_position(data)
    return errors


def check_present(
    participants: Sequence[NewParticipant], conveyances: Sequence[NewConveyance], day: date
) -> dict[str, Text]:
    """What is wrong with who and what was there on ``day``, by dotted field name."""
    errors: dict[str, Text] = {}
    for i, person in enumerate(participants):
        _choose(errors, f"participants.{i}.role", PARTICIPANT_ROLES, person.role, day)
        role = PARTICIPANT_ROLES.items().get(person.role)
        if role is not None and role.needs_note and not person.note:
            errors[f"participants.{i}.note"] = N_("Say in which part this person was present.")
    for i, conveyance in enumerate(conveyances):
        _choose(errors, f"conveyances.{i}.kind", CONVEYANCES, conveyance.kind, day)
    return errors


def check_correction(field: str) -> None:
    if field not in CORRECTABLE:
        raise Invalid({"field": _CHOOSE})


def painted(kind: str, text: str) -> Verdict | None:
    """The kindest verdict of the checks that suit this conveyance; None when none does or nothing is painted on it."""
    schemes = CONVEYANCES.get(kind).identifiers
    verdicts = [identifiers.check(scheme, text) for scheme in schemes if text]
    order = (Status.OK, Status.MALFORMED, Status.UNKNOWN)
    return min(verdicts, key=lambda verdict: order.index(verdict.status), default=None)


def verdict_code(verdict: Verdict | None) -> str:
    """How a verdict is kept with the record: ``container:malformed:check_digit``, or ``unknown``."""
    return f"{verdict.scheme}:{verdict.status}:{verdict.reason}" if verdict else "unknown"


def verdict_of(code: str) -> Verdict | None:
    """The verdict behind a kept code."""
    parts = code.split(":")
    if len(parts) != 3:
        return None
    return Verdict(Scheme(parts[0]), Status(parts[1]), Reason(parts[2]), "")


def key_kind(conveyance_kind: str) -> KeyKind:
    """Under which keys the identifier of such a conveyance is found again."""
    schemes = CONVEYANCES.get(conveyance_kind).identifiers
    if Scheme.CONTAINER in schemes:
        return KeyKind.CONTAINER
    return KeyKind.PLATE if Scheme.PLATE in schemes else KeyKind.IDENTIFIER


def repeat_lock(actor_id: int, client_id: uuid.UUID) -> str:
    """What two sendings of the same registration wait for each other on."""
    return f"seizure:{actor_id}:{client_id}"


def _choose(errors: dict[str, Text], name: str, code_list: CodeList[ItemT], code: str | None, day: date) -> None:
    if code is not None and not code_list.may_choose(code, day):
        errors[name] = _CHOOSE


def _check_position(data: NewSeizure) -> dict[str, Text]:
    bounds: tuple[tuple[str, Decimal | None, int, int], ...] = (
        ("latitude", data.latitude, -90, 90),
        ("longitude", data.longitude, -180, 180),
        ("accuracy_m", data.accuracy_m, 0, 99_999_999),
    )
    wrong = N_("This must be a number in the allowed range.")
    errors = {
        name: wrong
        for name, value, low, high in bounds
        if value is not None and not (value.is_finite() and low <= value <= high)
    }
    if (data.latitude is None) != (data.longitude is None):
        errors.setdefault("latitude", N_("Give both latitude and longitude, or neither."))
    return errors
