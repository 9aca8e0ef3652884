"""Handing over: an offer by who holds the exhibits, an answer by who was offered them, or the offer taken back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor, Appointment
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, Forbidden, Invalid, NotFound
from casemgmt.core.events import Head
from casemgmt.core.i18n import N_, Text
from casemgmt.custody import queries, rules
from casemgmt.custody.models import Handover
from casemgmt.custody.pipeline import Answered, Offered, Party, Terms, send_answer, send_offer
from casemgmt.custody.queries import Full
from casemgmt.custody.schemas import Answer, Decision, NewOffer
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.queries import by_ids
from casemgmt.reference import numbers

_MOVED_ON = N_("An exhibit has moved on since this page was opened. Nothing was done; look again.")
_ANSWERED = N_("This was answered or withdrawn a moment ago. Nothing was done; look again.")
_NEXT_SERIAL = text("select accounts.next_serial(:unit, 'handover', :year)")


async def offer(database: Database, actor: Actor, data: NewOffer, codes: Codes) -> int:
    """Offer exhibits the actor holds to one person; the hand-over's id. Until it is accepted the actor holds them.

    The same ``client_id`` again returns the first hand-over. Raises NotFound for an exhibit the actor does not see,
    Forbidden for one they do not hold, Conflict for one that has moved on since the page was shown, Invalid.
    """
    async with database.begin(actor) as db:
        earlier = await queries.offer_sent_as(db, actor.id, data.client_id)
        if earlier is not None:
            return earlier.id
        ready = await _prepare(db, actor, data, codes)
    try:
        return await send_offer(
            database, actor, data.client_id, ready.terms, ready.exhibits, note=data.note, device_at=data.device_time
        )
    except Conflict as error:
        raise Conflict(_MOVED_ON) from error


async def answer(database: Database, actor: Actor, handover_id: int, data: Answer, codes: Codes) -> None:
    """Accept or refuse each exhibit (the receiver), or withdraw (the giver): all of the answer or nothing.

    Raises NotFound for a hand-over the actor has no sight of, Forbidden for one that is not theirs to answer, Invalid
    with the field, Conflict when an exhibit is not on offer any more.
    """
    async with database.begin(actor) as db:
        full = await queries.handover(db, handover_id)
    decided = _decide(actor, full, data, codes)
    try:
        await send_answer(database, actor, handover_id, _terms(full), decided, device_at=data.device_time)
    except Conflict as error:
        raise Conflict(_ANSWERED) from error


@dataclass(frozen=True, slots=True)
class _Ready:
    terms: Terms
    exhibits: list[Offered]


async def _prepare(db: AsyncSession, actor: Actor, data: NewOffer, codes: Codes) -> _Ready:
    unit = _home(actor)
    exhibits = await _held(db, actor, data, codes)
    recorded = [rules.Seen(e.seal_no, e.seal_state) for e in exhibits]
    now = utcnow()
    wrong = rules.check_offer(data, now.date(), recorded)
    to = await _receiver(db, actor, data, codes, wrong)
    if wrong or to is None:
        raise Invalid(wrong)
    serial = (await db.execute(_NEXT_SERIAL, {"unit": unit.unit_id, "year": now.year})).scalar_one()
    number = numbers.make(numbers.Kind.HANDOVER, year=now.year, unit=unit.unit_code or "", serial=serial)
    terms = Terms(
        number=number, giver=Party(actor.id, actor.name, actor.badge), receiver=to, purpose=data.purpose,
        place=data.place, latitude=data.place_latitude, longitude=data.place_longitude, accuracy_m=data.place_accuracy,
    )  # fmt: skip
    offered = [
        Offered(e.id, e.number, Head(item.seq, bytes.fromhex(item.prev)), rules.giver_sees(seal, item.seal))
        for e, item, seal in zip(exhibits, data.exhibits, recorded, strict=True)
    ]
    return _Ready(terms, offered)


def _home(actor: Actor) -> Appointment:
    if actor.home is None or not actor.holds(rules.RECEIVERS):
        raise Forbidden
    return actor.home


async def _held(db: AsyncSession, actor: Actor, data: NewOffer, codes: Codes) -> list[Exhibit]:
    """The exhibits in the order of the offer, each held by the actor and as the page showed it."""
    ids = [codes.decode("exhibit", item.exhibit) for item in data.exhibits]
    seen = {e.id: e for e in await by_ids(db, ids)}
    if len(seen) != len(set(ids)):
        raise NotFound
    exhibits = [seen[i] for i in ids]
    if any(e.holder_id != actor.id for e in exhibits):
        raise Forbidden(N_("You do not hold every one of these exhibits."))
    for e, item in zip(exhibits, data.exhibits, strict=True):
        if (e.last_seq, e.last_hash.hex()) != (item.seq, item.prev) or e.offered_to is not None:
            raise Conflict(_MOVED_ON)
    return exhibits


async def _receiver(
    db: AsyncSession, actor: Actor, data: NewOffer, codes: Codes, wrong: dict[str, Text]
) -> Party | None:
    try:
        person_id = codes.decode("person", data.to)
    except NotFound:
        person_id = 0
    if person_id == actor.id:
        wrong["to"] = N_("You hold it already. Choose another person.")
        return None
    found = await queries.receiver(db, person_id)
    if found is None:
        wrong["to"] = N_("Choose who receives it.")
    return found


def _decide(actor: Actor, full: Full, data: Answer, codes: Codes) -> list[Answered]:
    lines = {line.item.exhibit_id: line for line in full.lines}
    wrong: dict[str, Text] = {}
    decided: dict[int, Answered] = {}
    for i, item in enumerate(data.items):
        exhibit_id = codes.decode("exhibit", item.exhibit)
        line = lines.get(exhibit_id)
        if line is None:
            raise NotFound
        _check_whose(actor, full.handover, item)
        if line.item.state != "offered" or line.exhibit is None:
            raise Conflict(_ANSWERED)
        if exhibit_id in decided:
            wrong[f"items.{i}.exhibit"] = N_("An exhibit is named twice.")
        faults = rules.check_decision(item, line.recorded, utcnow().date())
        wrong |= {f"items.{i}.{name}": words for name, words in faults.items()}
        decided[exhibit_id] = _answered(line, line.exhibit, item)
    if wrong:
        raise Invalid(wrong)
    return list(decided.values())


def _check_whose(actor: Actor, handover: Handover, item: Decision) -> None:
    """The giver withdraws; the receiver accepts or refuses; nobody else answers."""
    mine = handover.from_id if item.decision == "withdrawn" else handover.to_id
    if actor.id != mine:
        raise Forbidden(N_("Only the receiver accepts or refuses, and only the giver withdraws."))


def _answered(line: queries.Line, exhibit: Exhibit, item: Decision) -> Answered:
    given = line.offered
    looked = item.decision == "accepted" or item.seal or item.seal_state
    return Answered(
        exhibit_id=exhibit.id,
        number=exhibit.number,
        head=Head(exhibit.last_seq, exhibit.last_hash),
        kind=item.decision,
        giver_seal=rules.Seen(given.seal_no, given.seal_state or "none") if given else line.recorded,
        receiver_seal=rules.receiver_sees(line.recorded, item) if looked else None,
        reason=item.reason or None,
        discrepancy=item.discrepancy.strip() or None,
        note=item.note.strip() or None,
    )


def _terms(full: Full) -> Terms:
    h = full.handover
    return Terms(
        number=h.number, giver=full.giver, receiver=full.receiver, purpose=h.purpose, place=h.place,
        latitude=h.latitude, longitude=h.longitude, accuracy_m=h.accuracy_m,
    )  # fmt: skip
