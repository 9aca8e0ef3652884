"""Settling what two phones agreed without a network: into a hand-over, into a dispute, or it goes on waiting.

The same for one of the two people who brings it, and for the worker later. Everything that decides is read and locked
in one transaction, and written in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import structlog

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.events import Head
from casemgmt.custody import agreement_rules as rules
from casemgmt.custody.agreement_rules import Agreed, Facts, Why
from casemgmt.custody.pipeline import Answered, Offered, Party, Terms, body
from casemgmt.custody.rules import RECEIVERS, Seen
from casemgmt.reference import numbers
from casemgmt.trust.agreement import Answer, Item, Offer, check_pair, parse_answer, parse_offer
from casemgmt.trust.errors import TrustError
from casemgmt.trust.passkey import PublicKey

log = structlog.get_logger()

THE_INSTALLATION = Actor(token=b"", id=0, login="", name="casemgmt", badge="", csrf="", appointments=())
"""Nobody's order: docs/spec/event.md."""

_FACTS = "select custody.agreed_facts($1, $2)"
_SERIAL = "select custody.agreed_serial($1, $2)"
_POSTPONE = "select custody.postpone($1, $2::jsonb)"
_SETTLE = "select custody.settle($1, $2, $3, $4, $5, $6, $7, $8)"
_DISPUTE = "select custody.dispute($1, $2::jsonb, $3, $4, $5, $6)"
# Of a chain that arrived together the older part is looked at first.
_DUE = """
    select w.agreement_id from custody.agreement_waiting w join custody.agreement a on a.id = w.agreement_id
     where w.due <= now() order by a.offered_at, a.id limit $1
"""
_decoder = msgspec.json.Decoder(Facts)


class DoesNotFit(Exception):
    """A record that is kept does not fit its signature any more: somebody changed the database. Nothing is done."""


@dataclass(frozen=True, slots=True)
class Records:
    """The two records as they are kept, read and verified anew."""

    offer: Offer
    answer: Answer

    @classmethod
    def of(cls, facts: Facts) -> Records:
        try:
            offer, answer = parse_offer(facts.offer), parse_answer(facts.answer)
            check_pair(offer, answer)
            offer.check_signature(facts.offer_signature, PublicKey(facts.offer_spki))
            answer.check_signature(facts.answer_signature, PublicKey(facts.answer_spki))
        except TrustError as error:
            raise DoesNotFit(f"agreement {facts.id}: {error}") from error
        return cls(offer, answer)

    @property
    def named(self) -> dict[str, Any]:
        """How every event of it names it."""
        return {"agreement": self.offer.id, "offer": self.offer.sha256, "answer": self.answer.sha256}


async def settle_waiting(connection: asyncpg.Connection[Any], limit: int) -> int:
    """Look at agreements that are due, in rounds while any of them settles, since others may wait for it.

    ``connection`` is the sequencer role's, outside a transaction. Returns how many were decided.
    """
    decided, looked = 0, 0
    while looked < limit:
        due = await connection.fetch(_DUE, limit - looked)
        if not due:
            break
        for row in due:
            looked += 1
            try:
                async with connection.transaction():
                    decided += await settle(connection, row["agreement_id"])
            except (asyncpg.PostgresError, DoesNotFit) as error:
                log.error("custody.agreement_not_settled", agreement=row["agreement_id"], error=str(error))  # noqa: TRY400
                await connection.execute(_POSTPONE, row["agreement_id"], "[]")
    return decided


async def settle(connection: Any, agreement_id: int) -> bool:
    """Decide on one agreement in the running transaction; False when it was decided before, or goes on waiting.

    ``connection`` is asyncpg's, entered as one of the two people or of the sequencer role. Raises DoesNotFit.
    """
    found = await connection.fetchval(_FACTS, agreement_id, list(RECEIVERS))
    if found is None:
        return False
    facts = _decoder.decode(found)
    records = Records.of(facts)
    if facts.disputed is not None:
        await _note(connection, facts, records, facts.disputed, first=False)
        return False
    verdict = rules.decide(facts, records.offer, records.answer)
    if verdict.disputed:
        await _note(connection, facts, records, verdict.disputed, first=True)
        return True
    if verdict.waits:
        await connection.execute(_POSTPONE, agreement_id, _json(verdict.waits))
        return False
    await _settle(connection, facts, records)
    return True


async def _settle(connection: Any, facts: Facts, records: Records) -> None:
    year, offer = utcnow().year, records.offer
    serial = await connection.fetchval(_SERIAL, facts.id, year)
    number = numbers.make(numbers.Kind.HANDOVER, year=year, unit=facts.unit_code or "", serial=serial)
    terms = Terms(
        number=number, giver=facts.giver, receiver=facts.receiver, purpose=offer.purpose, place=offer.place
    )  # fmt: skip
    entry = events.build(
        "custody:agreement:settled", f"agreement:{offer.id}", facts.head, THE_INSTALLATION,
        records.named | {"handover": number},
    )  # fmt: skip
    offered = [_offered(e, facts.giver, terms, records) for e in facts.exhibits]
    answered = [
        _answered(e, facts.receiver, terms, records, Head(e.thing.last_seq + 1, events.leaf_hash(before)))
        for e, before in zip(facts.exhibits, offered, strict=True)
    ]
    await connection.fetchval(
        _SETTLE, facts.id, number, uuid.uuid4(), entry,
        _ids(offered), offered, _ids(answered), answered,
    )  # fmt: skip


def _offered(exhibit: Agreed, giver: Party, terms: Terms, records: Records) -> bytes:
    thing, offer = exhibit.thing, records.offer
    item = _item(offer, thing.number)
    seen = rules.giver_sees(item, thing.recorded)
    more = {
        "seal": {"giver": seen.number, "receiver": None, "state": seen.state},
        "note": offer.note, "reason": None, "discrepancy": None,
    }  # fmt: skip
    one = Offered(thing.id, thing.number, thing.head, seen)
    return body(_acting(giver), terms, "offered", one, _means(offer), more | _agreed(offer, item))


def _answered(exhibit: Agreed, receiver: Party, terms: Terms, records: Records, head: Head) -> bytes:
    thing, answer = exhibit.thing, records.answer
    item = _item(answer, thing.number)
    given = rules.giver_sees(_item(records.offer, thing.number), thing.recorded)
    seen = rules.receiver_sees(item, thing.recorded) or Seen(None, "")
    more = {
        "seal": {"giver": given.number, "receiver": seen.number, "state": seen.state or None},
        "note": item.get("note") or "", "reason": item.get("reason"), "discrepancy": item.get("discrepancy"),
    }  # fmt: skip
    kind = str(item.get("decision"))
    one = Answered(exhibit_id=thing.id, number=thing.number, head=head, kind=kind, giver_seal=given)
    return body(_acting(receiver), terms, kind, one, _means(answer), more | _agreed(answer, item))


async def _note(connection: Any, facts: Facts, records: Records, why: Sequence[Why], *, first: bool) -> None:
    """The dispute, on the agreement and on every exhibit that does not say it yet."""
    said = msgspec.to_builtins(why)
    entry = None
    if first:
        stream, data = f"agreement:{records.offer.id}", records.named | {"why": said}
        entry = events.build("custody:agreement:disputed", stream, facts.head, THE_INSTALLATION, data)
    between = {"from": facts.giver.named(), "to": facts.receiver.named(), "why": said}
    bodies = [
        events.build(
            "custody:exhibit:disputed", f"exhibit:{e.thing.number}", e.thing.head, THE_INSTALLATION,
            {"exhibit": e.thing.number, **records.named, **between},
        )
        for e in facts.exhibits if not e.noted
    ]  # fmt: skip
    await connection.fetchval(_DISPUTE, facts.id, _json(why), uuid.uuid4(), entry, _ids(bodies), bodies)


def _agreed(record: Offer | Answer, item: Item) -> dict[str, Any]:
    return {"agreement": record.id, "agreed": dict(item.said), "device_at": events.timestamp(record.at)}


def _means(record: Offer | Answer) -> Mapping[str, str]:
    return {"means": "pin", "key": record.key, "record": record.sha256}


def _item(record: Offer | Answer, number: str) -> Item:
    found = record.item(number)
    if found is None:  # facts.exhibits are those the record names
        raise LookupError(number)
    return found


def _acting(person: Party) -> Actor:
    """Who signed, as the event names them. It opens nothing."""
    return Actor(token=b"", id=person.id, login="", name=person.name, badge=person.badge, csrf="", appointments=())


def _ids(bodies: Sequence[bytes]) -> list[uuid.UUID]:
    return [uuid.uuid4() for _ in bodies]


def _json(why: Sequence[Why]) -> str:
    return msgspec.json.encode(why).decode()
