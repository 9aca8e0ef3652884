"""What becomes of two signed records (docs/spec/agreement.md), decided without I/O from what the database says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from casemgmt.core.events import Head
from casemgmt.core.i18n import N_, Text
from casemgmt.custody import rules
from casemgmt.custody.facts import Thing
from casemgmt.custody.pipeline import Party
from casemgmt.custody.rules import Seen
from casemgmt.custody.schemas import Decision
from casemgmt.reference import numbers
from casemgmt.reference.lists import CATEGORIES, DISPUTE_REASONS, HANDOVER_PURPOSES, REFUSAL_REASONS
from casemgmt.trust.agreement import Answer, Item, Offer

LATEST = timedelta(days=30)  # from the offer until it arrives
DAY = timedelta(days=1)  # between offer and answer, and of a phone's clock ahead of the server's
CLOCKS = timedelta(minutes=5)  # two clocks that are right differ by no more


class Why(msgspec.Struct, frozen=True, omit_defaults=False):
    """One thing an agreement waits for or is disputed about. ``exhibit`` None: it is not about one of them."""

    code: str
    exhibit: str | None = None


class EnrolledKey(msgspec.Struct, frozen=True):
    key: str
    id: int
    person_id: int
    kind: str
    revoked: bool


class Agreed(msgspec.Struct, frozen=True):
    """A registered exhibit. ``held``: the giver had it on record at some time; ``got_at``: when they got it last, by
    the clock of the phone where that was agreed without a network. ``noted``: it says the dispute already."""

    thing: Thing
    category: str
    held: bool
    got_at: datetime | None
    noted: bool


class Facts(msgspec.Struct, frozen=True):
    """What ``custody.agreed_facts`` tells. ``unit_code`` None: the giver may not hold exhibits. ``after``: agreements
    that settled, of those the offer names. ``answered``: this offer took effect before."""

    id: int
    client_id: str
    arrived: datetime
    offer: bytes
    offer_signature: bytes
    offer_spki: bytes
    answer: bytes
    answer_signature: bytes
    answer_spki: bytes
    giver: Party
    receiver: Party
    unit_code: str | None
    receiver_holds: bool
    keys: Sequence[EnrolledKey]
    exhibits: Sequence[Agreed]
    after: Sequence[str]
    answered: bool
    disputed: Sequence[Why] | None
    seq: int
    hash: bytes | None

    @property
    def head(self) -> Head:
        return Head(self.seq, self.hash)

    def exhibit(self, number: str) -> Agreed | None:
        return next((e for e in self.exhibits if e.thing.number == number), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Neither: it takes effect."""

    disputed: Sequence[Why] = ()
    waits: Sequence[Why] = ()


def in_words(why: Why) -> Text:
    found = DISPUTE_REASONS.items().get(why.code)
    return N_(found.label) if found else N_("This cannot be done.")


def check_codes(offer: Offer, answer: Answer) -> Text | None:
    """What stands in the records that no list and no numbering has, as it was on the day; None when all is known."""
    if not HANDOVER_PURPOSES.may_choose(offer.purpose, offer.at.date()):
        return N_("The purpose is not one of the list.")
    if not all(_is_number(item.exhibit) for item in offer.items):
        return N_("An exhibit's number is wrong.")
    if any(str(item.get("what")) not in CATEGORIES.items() for item in offer.items):
        return N_("An exhibit is of a kind that is not on the list.")
    for item in answer.items:
        reason = item.get("reason")
        if reason is None:
            continue
        if not REFUSAL_REASONS.may_choose(reason, answer.at.date()):
            return N_("The reason of a refusal is not one of the list.")
        if REFUSAL_REASONS.get(reason).needs_note and not str(item.get("note") or "").strip():
            return N_("This reason needs a sentence.")
    return None


def decide(facts: Facts, offer: Offer, answer: Answer) -> Verdict:
    """A dispute comes before waiting: what cannot come right is said at once."""
    wrong = [*_wrong_with_it(facts, offer, answer)]
    for item in offer.items:
        if (found := facts.exhibit(item.exhibit)) is not None:
            wrong += [Why(code, item.exhibit) for code in _wrong_with(found, item, facts, offer, answer)]
    return Verdict(disputed=wrong) if wrong else Verdict(waits=[*_waits(facts, offer)])


def giver_sees(item: Item, recorded: Seen) -> Seen:
    return rules.giver_sees(recorded, item.get("seal"))


def receiver_sees(item: Item, recorded: Seen) -> Seen | None:
    """None where a refusal says nothing of the seal."""
    said = Decision(
        exhibit="", decision=item.get("decision"), seal=item.get("seal") or "", seal_state=item.get("seal_state") or ""
    )
    looked = said.decision == "accepted" or said.seal or said.seal_state
    return rules.receiver_sees(recorded, said) if looked else None


def _wrong_with_it(facts: Facts, offer: Offer, answer: Answer) -> Iterator[Why]:
    """What is wrong with the agreement as a whole."""
    if facts.answered:
        yield Why("answered_twice")
    for record, person in ((offer, facts.giver), (answer, facts.receiver)):
        key = next((k for k in facts.keys if k.key == record.key), None)
        if key is not None and (key.person_id != person.id or key.kind != "pin"):
            yield Why("key_other")
        elif key is not None and key.revoked:
            yield Why("key_revoked")
        if (record.by.name, record.by.badge) != (person.name, person.badge):
            yield Why("person_differs")
    if facts.unit_code is None or not facts.receiver_holds:
        yield Why("may_not_hold")
    offered, answered, arrived = (moment.astimezone(UTC) for moment in (offer.at, answer.at, facts.arrived))
    if arrived - offered > LATEST or abs(answered - offered) > DAY or max(offered, answered) - arrived > DAY:
        yield Why("late")


def _wrong_with(found: Agreed, item: Item, facts: Facts, offer: Offer, answer: Answer) -> Iterator[str]:
    """What is wrong with one exhibit of it."""
    if found.category != item.get("what"):
        yield "what_differs"
    unsettled = _unsettled(item, facts)
    if found.thing.holder_id != facts.giver.id:
        if found.held and not unsettled:
            yield "moved"
        return
    if found.got_at is not None and offer.at < found.got_at - CLOCKS and not unsettled:
        yield "older"
    reply = answer.item(item.exhibit)
    if reply is not None and reply.get("decision") == "accepted" and not str(reply.get("discrepancy") or "").strip():
        seen = receiver_sees(reply, found.thing.recorded)
        if seen is not None and rules.needs_discrepancy(found.thing.recorded, seen):
            yield "seal_unsaid"


def _waits(facts: Facts, offer: Offer) -> Iterator[Why]:
    known = {key.key for key in facts.keys}
    if {_hash(facts.offer_spki), _hash(facts.answer_spki)} - known:
        yield Why("key_unknown")
    for item in offer.items:
        found = facts.exhibit(item.exhibit)
        if found is None:
            yield Why("exhibit_unknown", item.exhibit)
        elif found.thing.holder_id != facts.giver.id or _unsettled(item, facts):
            yield Why("giver_before", item.exhibit)
        elif found.thing.offered_to is not None:
            yield Why("on_offer", item.exhibit)


def _unsettled(item: Item, facts: Facts) -> bool:
    """Whether the offer names an agreement before this one that has not taken effect."""
    return item.get("after") is not None and item.get("after") not in facts.after


def _hash(spki: bytes) -> str:
    return hashlib.sha256(spki).hexdigest()


def _is_number(text: str) -> bool:
    try:
        found = numbers.parse(text)
    except numbers.TypingError:
        return False
    return found.kind is numbers.Kind.EXHIBIT and str(found) == text
