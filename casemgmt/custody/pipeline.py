"""The event pipeline of custody: given everything that is known, build the bodies and make one round trip.

No read happens here. ``build_…`` makes the exact bytes, ``send_…`` writes them. The functions ``custody.offer`` and
``custody.answer`` compare the number and hash each body was built on with the exhibit's own, and that comparison is
the lock: of two callers the second gets a Conflict and nothing of its call is kept. Exhibits go in the order of their
ids, so that two calls over the same ones cannot block each other for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.custody.rules import Seen


@dataclass(frozen=True, slots=True)
class Party:
    """A person as events name one."""

    id: int
    name: str
    badge: str

    def named(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "badge": self.badge}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a hand-over says of itself. The place and its numbers are claims of the giver's device."""

    number: str
    giver: Party
    receiver: Party
    purpose: str
    place: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """One exhibit to offer: its chain as the giver was shown it, and the seal as the giver sees it."""

    exhibit_id: int
    number: str
    head: events.Head
    giver_seal: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One exhibit on offer and what becomes of it. ``kind``: accepted, refused or withdrawn. ``photos``: hexadecimal
    SHA-256 of files of the exhibit."""

    exhibit_id: int
    number: str
    head: events.Head
    kind: str
    giver_seal: Seen
    receiver_seal: Seen | None = None
    reason: str | None = None
    discrepancy: str | None = None
    note: str | None = None
    photos: Sequence[str] = ()


Means = Mapping[str, str]
"""By what means an event is signed, as its body says it (docs/spec/signature.md)."""

SESSION: Means = {"means": "session"}


def by_key(fingerprint: bytes, kind: str = "passkey") -> Means:
    """Signed with the key of this fingerprint, ``kind`` passkey or pin: only for bodies whose signature is written with
    them."""
    return {"means": kind, "key": fingerprint.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCall:
    """An offer ready to be written: its exhibits in order, and the exact bytes of their events."""

    client_id: UUID
    terms: Terms
    note: str
    device_at: datetime | None
    exhibits: Sequence[Offered]
    bodies: Sequence[bytes]

    def columns(self) -> dict[str, Any]:
        """What ``custody.offer`` takes, by the names of its request table."""
        terms = self.terms
        return {
            "client_id": self.client_id, "number": terms.number, "to_id": terms.receiver.id, "purpose": terms.purpose,
            "place": terms.place, "note": self.note, "latitude": terms.latitude, "longitude": terms.longitude,
            "accuracy_m": terms.accuracy_m, "device_at": self.device_at,
            "exhibits": [e.exhibit_id for e in self.exhibits], "expected": [e.head.seq for e in self.exhibits],
            "prevs": [e.head.hash for e in self.exhibits], "events": [uuid4() for _ in self.exhibits],
            "bodies": list(self.bodies), "seals": [e.giver_seal.number for e in self.exhibits],
            "seal_states": [e.giver_seal.state for e in self.exhibits],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall:
    """An answer ready to be written."""

    handover_id: int
    device_at: datetime | None
    exhibits: Sequence[Answered]
    bodies: Sequence[bytes]

    def columns(self) -> dict[str, Any]:
        """What ``custody.answer`` takes, by the names of its request table."""
        seen = [e.receiver_seal or Seen(None, "") for e in self.exhibits]
        return {
            "handover_id": self.handover_id, "device_at": self.device_at,
            "exhibits": [e.exhibit_id for e in self.exhibits], "kinds": [e.kind for e in self.exhibits],
            "expected": [e.head.seq for e in self.exhibits], "prevs": [e.head.hash for e in self.exhibits],
            "events": [uuid4() for _ in self.exhibits], "bodies": list(self.bodies),
            "seals": [s.number for s in seen], "seal_states": [s.state or None for s in seen],
            "reasons": [e.reason for e in self.exhibits], "discrepancies": [e.discrepancy for e in self.exhibits],
            "notes": [e.note for e in self.exhibits],
        }  # fmt: skip


_OFFER = "select custody.offer($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)"
_ANSWER = "select custody.answer($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)"


def build_offer(
    actor: Actor,
    client_id: UUID,
    terms: Terms,
    exhibits: Sequence[Offered],
    *,
    note: str = "",
    device_at: datetime | None = None,
    means: Means = SESSION,
) -> OfferCall:
    """The events of an offer, built on the chains as the giver was shown them."""
    exhibits = sorted(exhibits, key=lambda e: e.exhibit_id)
    bodies = [
        body(actor, terms, "offered", e, means, {
            "seal": {"giver": e.giver_seal.number, "receiver": None, "state": e.giver_seal.state},
            "note": note, "reason": None, "discrepancy": None, "device_at": _moment(device_at),
        })
        for e in exhibits
    ]  # fmt: skip
    return OfferCall(client_id=client_id, terms=terms, note=note, device_at=device_at, exhibits=exhibits, bodies=bodies)


def build_answer(
    actor: Actor,
    handover_id: int,
    terms: Terms,
    exhibits: Sequence[Answered],
    *,
    device_at: datetime | None = None,
    means: Means = SESSION,
    one_phone: bool = False,
) -> AnswerCall:
    """The events of an answer. ``one_phone``: given on the giver's device, in a session for it alone."""
    exhibits = sorted(exhibits, key=lambda e: e.exhibit_id)
    seen = [e.receiver_seal or Seen(None, "") for e in exhibits]
    bodies = [
        body(actor, terms, e.kind, e, means, {
            "seal": {"giver": e.giver_seal.number, "receiver": s.number, "state": s.state or None},
            "note": e.note or "", "reason": e.reason, "discrepancy": e.discrepancy, "device_at": _moment(device_at),
            **({"photos": list(e.photos)} if e.photos else {}), **({"one_phone": True} if one_phone else {}),
        })
        for e, s in zip(exhibits, seen, strict=True)
    ]  # fmt: skip
    return AnswerCall(handover_id=handover_id, device_at=device_at, exhibits=exhibits, bodies=bodies)


async def send_offer(database: Database, actor: Actor, call: OfferCall) -> int:
    """Offer the exhibits; the hand-over's id. The same ``client_id`` again returns the first one's id.

    Raises Conflict when an exhibit has moved on, is on offer already or is not the actor's.
    """
    found: int = await database.record(_OFFER, actor.token, *call.columns().values())
    return found


async def send_answer(database: Database, actor: Actor, call: AnswerCall) -> None:
    """Accept, refuse or withdraw, all of them or none.

    Raises Conflict when one of them is not on offer any more, Forbidden when the decision is not the actor's to make
    or a seal that differs comes without words.
    """
    await database.record(_ANSWER, actor.token, *call.columns().values())


def body(
    actor: Actor, terms: Terms, kind: str, exhibit: Offered | Answered, means: Means, more: dict[str, Any]
) -> bytes:
    """The exact bytes of one event of a hand-over; ``more`` is what differs between its kinds."""
    data = {
        "exhibit": exhibit.number,
        "handover": terms.number,
        "from": terms.giver.named(),
        "to": terms.receiver.named(),
        "purpose": terms.purpose,
        "place": {
            "claimed": terms.place,
            "latitude": _decimal(terms.latitude),
            "longitude": _decimal(terms.longitude),
            "accuracy_m": _decimal(terms.accuracy_m),
        },
        "signature": dict(means),
        **more,
    }
    return events.build(f"custody:handover:{kind}", f"exhibit:{exhibit.number}", exhibit.head, actor, data)


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _moment(value: datetime | None) -> str | None:
    return None if value is None else events.timestamp(value)
