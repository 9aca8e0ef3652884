"""What happened to an exhibit and to a seizure, read for their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.sentences import sentence
from casemgmt.core.codes import Codes
from casemgmt.core.parts import Moment
from casemgmt.custody.models import CustodyEvent
from casemgmt.desk.signs import Look
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.rules import ChainBreak, Link, find_break
from casemgmt.ledger.models import Entry
from casemgmt.seizures.models import Seizure

SHOWN = 50  # events of a seizure on its page


async def custody_entries(db: AsyncSession, exhibit: Exhibit) -> dict[int, Entry]:
    """The ledger's entries of the exhibit's chain, by number."""
    query = select(Entry).where(Entry.stream == f"exhibit:{exhibit.number}")
    return {entry.stream_seq: entry for entry in await db.scalars(query)}


def broken_at(exhibit: Exhibit, chain: Sequence[CustodyEvent], entries: Mapping[int, Entry]) -> ChainBreak | None:
    """Recompute the chain from the ledger's bytes; None when it is whole."""
    links = [Link(event.seq, event.hash, event.prev) for event in chain]
    bodies = {seq: entry.body for seq, entry in entries.items()}
    return find_break(exhibit.number, (exhibit.last_seq, exhibit.last_hash), links, bodies)


def last_look(chain: Sequence[CustodyEvent], people: Mapping[int, str]) -> Look | None:
    """What a person saw of the seal last, those included who refused the exhibit for it. ``people``: names by id."""
    for event in reversed(chain):
        if event.seal_state is not None:
            return Look(event.seal_state, event.seal_no, people.get(event.actor_id, ""), event.at)
    return None


def disputes(chain: Sequence[CustodyEvent]) -> dict[str, int]:
    """How many disputes of the chain are not resolved (``disputed``), and how many are (``resolved``)."""
    said = {kind: {e.agreement_id for e in chain if e.kind == kind} for kind in ("disputed", "resolved")}
    return {"disputed": len(said["disputed"] - said["resolved"]), "resolved": len(said["resolved"])}


async def seizure_events(db: AsyncSession, seizure: Seizure, codes: Codes) -> tuple[list[Moment], bool]:
    """The newest events about a seizure that the actor may see, newest first, and whether there are older ones."""
    query = select(Entry).where(Entry.seizure_id == seizure.id).order_by(Entry.id.desc()).limit(SHOWN + 1)
    entries = (await db.scalars(query)).all()
    moments = []
    for entry in entries[:SHOWN]:
        body = msgspec.json.decode(entry.body)
        said = sentence(entry.type, body["data"])
        href = f"/events/{codes.encode('event', entry.id)}"
        moments.append(
            Moment(entry.at, said.text, body["actor"]["name"], kind=said.kind, href=href, detail=said.detail or None)
        )
    return moments, len(entries) > SHOWN
