"""What a hand-over is decided on, read in one round trip: who and what stands in the database as the actor sees it.

The two SQL functions enter as the actor's session themselves and read under its row-level security.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import msgspec

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.events import Head
from casemgmt.custody.pipeline import Party
from casemgmt.custody.rules import RECEIVERS, Seen


class Thing(msgspec.Struct, frozen=True):
    """An exhibit as it stands now. ``last_hash`` is the hash its next event must name."""

    id: int
    number: str
    holder_id: int
    offered_to: int | None
    last_seq: int
    last_hash: bytes
    seal_no: str | None
    seal_state: str

    @property
    def head(self) -> Head:
        return Head(self.last_seq, self.last_hash)

    @property
    def recorded(self) -> Seen:
        return Seen(self.seal_no, self.seal_state)


class OfferFacts(msgspec.Struct, frozen=True):
    """``earlier``: the hand-over of this ``client_id`` when it was sent before, and whether it was the ``same`` one
    (to the same person, of the same exhibits); then nothing else was read.

    ``receiver`` None: nobody who may hold an exhibit. ``serial`` None: no unit was given.
    """

    earlier: int | None = None
    same: bool = True
    receiver: Party | None = None
    exhibits: Sequence[Thing] = ()
    serial: int | None = None


class Item(msgspec.Struct, frozen=True):
    """One exhibit of a hand-over. ``exhibit`` None: the actor does not see it any more.

    ``seal_no`` and ``seal_state`` are the seal as the giver offered it.
    """

    exhibit_id: int
    state: str
    exhibit: Thing | None
    seal_no: str | None
    seal_state: str | None


class AnswerFacts(msgspec.Struct, frozen=True):
    """A hand-over as it was offered, with its exhibits as they stand."""

    number: str
    giver: Party
    receiver: Party
    purpose: str
    place: str
    latitude: Decimal | None
    longitude: Decimal | None
    accuracy_m: Decimal | None
    items: Sequence[Item]


_OFFER = msgspec.json.Decoder(OfferFacts)
_ANSWER = msgspec.json.Decoder(AnswerFacts)


async def of_offer(
    database: Database, actor: Actor, client_id: UUID, to_id: int, exhibit_ids: Sequence[int], *,
    unit_id: int | None, year: int,
) -> OfferFacts:  # fmt: skip
    """What is to be known before these exhibits are offered to that person.

    Takes the next serial number of hand-overs of the unit; when nothing comes of the offer it is not used again.
    """
    found = await database.call(
        "select custody.offer_facts($1,$2,$3,$4,$5,$6,$7)",
        actor.token, client_id, to_id, list(RECEIVERS), exhibit_ids, unit_id, year,
    )  # fmt: skip
    return _OFFER.decode(found)


async def of_answer(database: Database, actor: Actor, handover_id: int) -> AnswerFacts:
    """What is to be known before a hand-over is answered. Raises NotFound for one the actor has no sight of."""
    return _ANSWER.decode(await database.call("select custody.answer_facts($1,$2)", actor.token, handover_id))
