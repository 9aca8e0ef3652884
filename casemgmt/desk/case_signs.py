"""The three signs of many exhibits at once, for a table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import names
from casemgmt.core.clock import utcnow
from casemgmt.core.parts import Sign
from casemgmt.custody.models import CustodyEvent
from casemgmt.desk import signs
from casemgmt.desk.history import broken_at, disputes, last_look
from casemgmt.evidence import queries as evidence_queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.ledger.models import Entry


async def signs_of(db: AsyncSession, exhibits: Sequence[Exhibit]) -> dict[int, list[Sign]]:
    """Signs by exhibit id; each chain of custody is recomputed from the ledger's bytes. For one page of exhibits."""
    ids = [exhibit.id for exhibit in exhibits]
    files = await evidence_queries.files_of_exhibits(db, ids)
    fixity = await evidence_queries.latest_fixity(db, [file.id for found in files.values() for file in found])
    checks = {i: signs.Check(check.outcome, check.at) for i, check in fixity.items()}
    chains = await _chains(db, ids)
    entries = await _entries(db, exhibits)
    people = await names(db, {event.actor_id for chain in chains.values() for event in chain})
    now, found_signs = utcnow(), {}
    for exhibit in exhibits:
        chain = chains[exhibit.id]
        found_signs[exhibit.id] = [
            signs.file_sign([file.id for file in files.get(exhibit.id, [])], checks),
            signs.custody_sign(len(chain), broken_at(exhibit, chain, entries[exhibit.id]), now, **disputes(chain)),
            signs.seal_sign(last_look(chain, people)),
        ]
    return found_signs


async def _chains(db: AsyncSession, ids: Sequence[int]) -> dict[int, list[CustodyEvent]]:
    chains: dict[int, list[CustodyEvent]] = {i: [] for i in ids}
    query = select(CustodyEvent).where(CustodyEvent.exhibit_id.in_(ids)).order_by(CustodyEvent.seq)
    for event in await db.scalars(query):
        chains[event.exhibit_id].append(event)
    return chains


async def _entries(db: AsyncSession, exhibits: Sequence[Exhibit]) -> dict[int, dict[int, Entry]]:
    by_stream = {f"exhibit:{exhibit.number}": exhibit.id for exhibit in exhibits}
    entries: dict[int, dict[int, Entry]] = {exhibit.id: {} for exhibit in exhibits}
    for entry in await db.scalars(select(Entry).where(Entry.stream.in_(by_stream))):
        entries[by_stream[entry.stream]][entry.stream_seq] = entry
    return entries
