"""A supervisor says in words what became of a dispute. Nothing moves by it: what has to move is handed over again."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, Forbidden, Invalid
from casemgmt.core.i18n import N_, Text
from casemgmt.custody import agreement_queries, agreements
from casemgmt.custody.agreement_models import Agreement
from casemgmt.custody.agreement_queries import Agreed
from casemgmt.custody.facts import Thing
from casemgmt.custody.schemas import Code, Words
from casemgmt.reference.lists import DISPUTE_OUTCOMES

_FACTS = "select custody.dispute_facts($1)"
_RESOLVE = "select custody.resolve($1, $2, $3, $4, $5)"
_things = msgspec.json.Decoder(list[Thing])


class Resolution(msgspec.Struct, kw_only=True):
    outcome: Code = ""
    words: Words = ""


def may_resolve(actor: Actor, found: Agreed) -> bool:
    """A supervisor of the giver's or the receiver's unit who is neither of the two."""
    row: Agreement = found.agreement
    units = {row.from_unit, row.to_unit} - {None}
    return actor.id not in (row.from_id, row.to_id) and any(actor.holds("supervisor", unit) for unit in units)


def check(data: Resolution) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    if not DISPUTE_OUTCOMES.may_choose(data.outcome, utcnow().date()):
        wrong["outcome"] = N_("Choose what became of it.")
    if not data.words.strip():
        wrong["words"] = N_("Say in words what you found and who you asked.")
    return wrong


async def resolve(database: Database, actor: Actor, agreement_id: int, data: Resolution) -> None:
    """Raises NotFound for one the actor does not see, Forbidden, Conflict when there is nothing to resolve, Invalid."""
    async with database.begin(actor) as db:
        found = await agreement_queries.agreement(db, agreement_id)
    if not may_resolve(actor, found):
        raise Forbidden(N_("Only a supervisor of one of the two units, who is neither of the two, resolves this."))
    if found.state != "disputed":
        raise Conflict(N_("There is nothing to resolve: it is not disputed, or somebody resolved it a moment ago."))
    if wrong := check(data):
        raise Invalid(wrong)
    row, words = found.agreement, data.words.strip()
    said = {
        "agreement": str(row.client_id), "offer": row.offer_sha256.hex(), "answer": row.answer_sha256.hex(),
        "outcome": data.outcome, "words": words,
    }  # fmt: skip
    async with database.begin_raw(actor) as connection:
        things = _things.decode(await connection.fetchval(_FACTS, agreement_id))
        between = {"from": found.giver.named(), "to": found.receiver.named()}
        bodies = [_body(actor, thing, said | between) for thing in things]
        ids = [uuid.uuid4() for _ in bodies]
        await connection.fetchval(_RESOLVE, agreement_id, data.outcome, words, ids, bodies)
        await agreements.record(connection, actor, "custody:agreement:resolved", str(row.client_id), said)


def _body(actor: Actor, thing: Thing, said: dict[str, Any]) -> bytes:
    stream, data = f"exhibit:{thing.number}", {"exhibit": thing.number, **said}
    return events.build("custody:exhibit:resolved", stream, thing.head, actor, data)
