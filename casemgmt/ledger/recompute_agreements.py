"""What two phones agreed, as it is kept, held against the entries: its records, who brought it, and what became of it.

One agreement at a time is in memory. The exhibits' own entries are held against the records with the rest of custody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from casemgmt.ledger.findings import BYTES, ENTRY, MOST_FAULTS, Findings
from casemgmt.trust.agreement import check_pair, parse_answer, parse_offer
from casemgmt.trust.errors import EventError, TrustError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import PublicKey

BATCH = 500

_AGREEMENTS = """
select a.id, a.client_id::text as name, a.offer, a.offer_signature, a.offer_spki, a.answer, a.answer_signature, a.answer_spki,
       a.offered_at, a.answered_at, a.from_id, a.to_id,
       (select array_agg(i.exhibit || ' ' || i.decision order by i.exhibit) from custody.agreement_item i where i.agreement_id = a.id) as items,
       (select array_agg(b.person_id order by b.person_id) from custody.agreement_bringing b where b.agreement_id = a.id) as brought,
       (select jsonb_object_agg(o.kind, jsonb_build_object('handover', h.number, 'why', o.why, 'by', o.person_id,
               'outcome', o.outcome, 'words', o.words))
          from custody.agreement_outcome o left join custody.handover h on h.id = o.handover_id where o.agreement_id = a.id) as outcomes,
       (select array_agg(l.body order by l.stream_seq) from ledger.entry l
         where l.stream = 'agreement:' || a.client_id) as bodies
  from custody.agreement a order by a.id"""  # noqa: E501
_WITHOUT_ROW = """
select l.stream, l.stream_seq from ledger.entry l where l.stream like 'agreement:%' and not l.recovered
   and not exists (select from custody.agreement a where l.stream = 'agreement:' || a.client_id
     and convert_from(l.body, 'UTF8')::jsonb #>> '{data,offer}' = encode(sha256(a.offer), 'hex')
     and convert_from(l.body, 'UTF8')::jsonb #>> '{data,answer}' = encode(sha256(a.answer), 'hex'))
 order by l.id limit $1"""


async def check_agreements(connection: asyncpg.Connection[Any], found: Findings) -> None:
    """Every agreement against its own signatures and against the entries of its stream."""
    async for row in connection.cursor(_AGREEMENTS, prefetch=BATCH):
        what = f"agreement {row['name']}"
        try:
            _check_records(row)
        except TrustError as error:
            found.add(f"{what} is not what the two people signed: {error}", by=BYTES)
        if wrong := _different(row):
            found.add(f"{what} says something else than its entries: {wrong}", by=ENTRY)
    for row in await connection.fetch(_WITHOUT_ROW, MOST_FAULTS):
        found.add(f"event {row['stream_seq']} of {row['stream']} is of an agreement that is not there", by=ENTRY)


def _check_records(row: Mapping[str, Any]) -> None:
    offer, answer = parse_offer(row["offer"]), parse_answer(row["answer"])
    check_pair(offer, answer)
    offer.check_signature(row["offer_signature"], PublicKey(row["offer_spki"]))
    answer.check_signature(row["answer_signature"], PublicKey(row["answer_spki"]))


def _different(row: Mapping[str, Any]) -> str:
    written, said = _as_written(row), _as_said(row)
    return ", ".join(what for what in sorted(written) if written[what] != said[what])


def _as_written(row: Mapping[str, Any]) -> dict[str, object]:
    outcomes = msgspec.json.decode(row["outcomes"]) if row["outcomes"] else {}
    settled, disputed, resolved = (outcomes.get(kind) for kind in ("settled", "disputed", "resolved"))
    return {
        "who brought it": row["brought"] or [],
        "the hand-over": settled and settled["handover"],
        "the dispute": disputed and disputed["why"],
        "its end": resolved and [resolved["by"], resolved["outcome"], resolved["words"]],
        "the two people": [row["from_id"], row["to_id"]],
        "the exhibits": [item.rpartition(" ")[0] for item in row["items"] or []],
    }


def _as_said(row: Mapping[str, Any]) -> dict[str, object]:
    events = _events(row)
    brought = [event for event in events if event.type == "custody:agreement:brought"]
    first = brought[0].data if brought else {}
    settled, disputed, resolved = (
        next((event for event in events if event.type == f"custody:agreement:{kind}"), None)
        for kind in ("settled", "disputed", "resolved")
    )
    return {
        "who brought it": sorted(_id(event.actor) for event in brought),
        "the hand-over": settled and settled.data.get("handover"),
        "the dispute": disputed and disputed.data.get("why"),
        "its end": resolved and [_id(resolved.actor), resolved.data.get("outcome"), resolved.data.get("words")],
        "the two people": [_id(first.get("from")), _id(first.get("to"))],
        "the exhibits": sorted(str(number) for number in first.get("exhibits") or []),
    }


def _events(row: Mapping[str, Any]) -> Sequence[Event]:
    """Of this pair: one identifier may have had several."""
    wanted = [hashlib.sha256(row[half]).hexdigest() for half in ("offer", "answer")]
    found = []
    for body in row["bodies"] or []:
        try:
            event = Event.parse(body)
        except EventError:  # reported by the pass over the tree
            continue
        if [event.data.get("offer"), event.data.get("answer")] == wanted:
            found.append(event)
    return found


def _id(who: object) -> int:
    found = who.get("id") if isinstance(who, Mapping) else None
    return found if isinstance(found, int) else -1
