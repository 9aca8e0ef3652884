"""Handing over: an offer by who holds the exhibits, an answer by who was offered them, or the offer taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from casemgmt.core.actor import Actor, Appointment
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, Forbidden, Invalid, NotFound, SentBefore
from casemgmt.core.i18n import N_, Text
from casemgmt.custody import facts, rules
from casemgmt.custody.facts import AnswerFacts, Item, Thing
from casemgmt.custody.pipeline import (
    SESSION,
    AnswerCall,
    Answered,
    Means,
    OfferCall,
    Offered,
    Party,
    Terms,
    build_answer,
    build_offer,
    send_answer,
    send_offer,
)
from casemgmt.custody.schemas import Answer, Decision, NewOffer
from casemgmt.evidence.queries import files_of_exhibits
from casemgmt.reference import numbers

_MOVED_ON = N_("An exhibit has moved on since this page was opened. Nothing was done; look again.")
_ANSWERED = N_("This was answered or withdrawn a moment ago. Nothing was done; look again.")


@dataclass(frozen=True, slots=True)
class PlannedOffer:
    """An offer that may be made: everything is checked, nothing is written but its number is taken."""

    data: NewOffer
    terms: Terms
    exhibits: Sequence[Offered]

    def built(self, actor: Actor, means: Means = SESSION) -> OfferCall:
        data = self.data
        return build_offer(
            actor, data.client_id, self.terms, self.exhibits, note=data.note, device_at=data.device_time, means=means
        )


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    """An answer that may be given: everything is checked, nothing is written."""

    handover_id: int
    data: Answer
    terms: Terms
    exhibits: Sequence[Answered]

    def built(self, actor: Actor, means: Means = SESSION, *, one_phone: bool = False) -> AnswerCall:
        return build_answer(
            actor, self.handover_id, self.terms, self.exhibits,
            device_at=self.data.device_time, means=means, one_phone=one_phone,
        )  # fmt: skip


async def offer(database: Database, actor: Actor, data: NewOffer, codes: Codes) -> int:
    """Offer exhibits the actor holds to one person, signed in only; the hand-over's id. Until it is accepted the actor
    holds them.

    The same ``client_id`` again returns the first hand-over. Raises NotFound for an exhibit the actor does not see,
    Forbidden for one they do not hold, Conflict for one that has moved on since the page was shown, SentBefore when
    the first was another hand-over, Invalid.
    """
    planned = await plan_offer(database, actor, data, codes)
    if isinstance(planned, int):
        return planned
    with moved_on():
        return await send_offer(database, actor, planned.built(actor))


async def plan_offer(database: Database, actor: Actor, data: NewOffer, codes: Codes) -> PlannedOffer | int:
    """Everything ``offer`` asks before it writes; the id of the hand-over when this ``client_id`` made one before."""
    ids = [codes.decode("exhibit", item.exhibit) for item in data.exhibits]
    to_id, now, home = _person(data.to, codes), utcnow(), _home(actor)
    found = await facts.of_offer(
        database, actor, data.client_id, to_id, ids, unit_id=home.unit_id if home else None, year=now.year
    )
    if not found.same:
        raise SentBefore
    if found.earlier is not None:
        return found.earlier
    if home is None or found.serial is None:
        raise Forbidden
    exhibits = _held(actor, data, ids, found.exhibits)
    wrong = rules.check_offer(data, now.date(), [e.recorded for e in exhibits])
    wrong |= _check_receiver(actor, to_id, found.receiver)
    if wrong or found.receiver is None:
        raise Invalid(wrong)
    number = numbers.make(numbers.Kind.HANDOVER, year=now.year, unit=home.unit_code or "", serial=found.serial)
    offered = [
        Offered(e.id, e.number, e.head, rules.giver_sees(e.recorded, item.seal))
        for e, item in zip(exhibits, data.exhibits, strict=True)
    ]
    return PlannedOffer(data, _offered_terms(actor, data, found.receiver, number), offered)


async def answer(
    database: Database, actor: Actor, handover_id: int, data: Answer, codes: Codes, *, one_phone: bool = False
) -> None:
    """Accept or refuse each exhibit (the receiver), or withdraw (the giver), signed in only: all of it or nothing.
    ``one_phone``: on the giver's device, which the events say.

    Raises NotFound for a hand-over the actor has no sight of, Forbidden for one that is not theirs to answer, Invalid
    with the field, Conflict when an exhibit is not on offer any more.
    """
    planned = await plan_answer(database, actor, handover_id, data, codes)
    with answered_before():
        await send_answer(database, actor, planned.built(actor, one_phone=one_phone))


async def plan_answer(database: Database, actor: Actor, handover_id: int, data: Answer, codes: Codes) -> PlannedAnswer:
    """Everything ``answer`` asks before it writes."""
    found = await facts.of_answer(database, actor, handover_id)
    planned = PlannedAnswer(handover_id, data, _recorded_terms(found), _decide(actor, found, data, codes))
    await _check_photos(database, actor, planned)
    return planned


async def _check_photos(database: Database, actor: Actor, planned: PlannedAnswer) -> None:
    """An answer names only photographs that are kept as files of the same exhibit."""
    named = {item.exhibit_id: set(item.photos) for item in planned.exhibits if item.photos}
    if not named:
        return
    async with database.begin(actor) as db:
        files = await files_of_exhibits(db, named)
    for i, item in enumerate(planned.exhibits):
        if set(item.photos) - {file.sha256.hex() for file in files.get(item.exhibit_id, ())}:
            raise Invalid(
                {f"items.{i}.photos": N_("A photograph is not among the files of this exhibit. Take it again.")}
            )


@contextmanager
def moved_on() -> Iterator[None]:
    """The database's conflict in the words of an offer."""
    with _worded(_MOVED_ON):
        yield


@contextmanager
def answered_before() -> Iterator[None]:
    """The database's conflict in the words of an answer."""
    with _worded(_ANSWERED):
        yield


@contextmanager
def _worded(words: Text) -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        if type(error) is Conflict and error.message is Conflict.default:
            raise Conflict(words) from error
        raise


def _home(actor: Actor) -> Appointment | None:
    """The appointment an offer is numbered under; None for somebody who may not hold exhibits."""
    return actor.home if actor.holds(rules.RECEIVERS) else None


def _held(actor: Actor, data: NewOffer, ids: Sequence[int], found: Sequence[Thing]) -> list[Thing]:
    """The exhibits in the order of the offer, each held by the actor and as the page showed it."""
    seen = {e.id: e for e in found}
    if len(seen) != len(set(ids)):
        raise NotFound
    exhibits = [seen[i] for i in ids]
    if any(e.holder_id != actor.id for e in exhibits):
        raise Forbidden(N_("You do not hold every one of these exhibits."))
    for e, item in zip(exhibits, data.exhibits, strict=True):
        if (e.last_seq, e.last_hash.hex()) != (item.seq, item.prev) or e.offered_to is not None:
            raise Conflict(_MOVED_ON)
    return exhibits


def _person(code: str, codes: Codes) -> int:
    """The id behind the code; 0, which nobody has, for anything else."""
    try:
        return codes.decode("person", code)
    except NotFound:
        return 0


def _check_receiver(actor: Actor, to_id: int, receiver: Party | None) -> dict[str, Text]:
    if to_id == actor.id:
        return {"to": N_("You hold it already. Choose another person.")}
    return {} if receiver else {"to": N_("Choose who receives it.")}


def _offered_terms(actor: Actor, data: NewOffer, receiver: Party, number: str) -> Terms:
    return Terms(
        number=number, giver=Party(actor.id, actor.name, actor.badge), receiver=receiver, purpose=data.purpose,
        place=data.place, latitude=data.place_latitude, longitude=data.place_longitude, accuracy_m=data.place_accuracy,
    )  # fmt: skip


def _decide(actor: Actor, found: AnswerFacts, data: Answer, codes: Codes) -> list[Answered]:
    lines = {item.exhibit_id: item for item in found.items}
    wrong: dict[str, Text] = {}
    decided: dict[int, Answered] = {}
    for i, item in enumerate(data.items):
        exhibit_id = codes.decode("exhibit", item.exhibit)
        line = lines.get(exhibit_id)
        if line is None:
            raise NotFound
        _check_whose(actor, found, item)
        if line.state != "offered" or line.exhibit is None:
            raise Conflict(_ANSWERED)
        if exhibit_id in decided:
            wrong[f"items.{i}.exhibit"] = N_("An exhibit is named twice.")
        faults = rules.check_decision(item, line.exhibit.recorded, utcnow().date())
        wrong |= {f"items.{i}.{name}": words for name, words in faults.items()}
        decided[exhibit_id] = _answered(line, line.exhibit, item)
    if wrong:
        raise Invalid(wrong)
    return list(decided.values())


def _check_whose(actor: Actor, found: AnswerFacts, item: Decision) -> None:
    """The giver withdraws; the receiver accepts or refuses; nobody else answers."""
    mine = found.giver.id if item.decision == "withdrawn" else found.receiver.id
    if actor.id != mine:
        raise Forbidden(N_("Only the receiver accepts or refuses, and only the giver withdraws."))


def _answered(line: Item, exhibit: Thing, item: Decision) -> Answered:
    looked = item.decision == "accepted" or item.seal or item.seal_state
    return Answered(
        exhibit_id=exhibit.id,
        number=exhibit.number,
        head=exhibit.head,
        kind=item.decision,
        giver_seal=rules.Seen(line.seal_no, line.seal_state or "none"),
        receiver_seal=rules.receiver_sees(exhibit.recorded, item) if looked else None,
        reason=item.reason or None,
        discrepancy=item.discrepancy.strip() or None,
        note=item.note.strip() or None,
        photos=tuple(item.photos),
    )


def _recorded_terms(found: AnswerFacts) -> Terms:
    return Terms(
        number=found.number, giver=found.giver, receiver=found.receiver, purpose=found.purpose, place=found.place,
        latitude=found.latitude, longitude=found.longitude, accuracy_m=found.accuracy_m,
    )  # fmt: skip
