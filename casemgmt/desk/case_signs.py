"""The three signs of many exhibits at once, for a table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import names
from casemgmt.core.clock import utcnow
from casemgmt.core.parts import Sign
from casemgmt.desk import signs
from casemgmt.desk.history import CustodyEvent, broken_at
from casemgmt.evidence import queries as evidence_queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.ledger.models import Entry

_CHAINS = text(
    "select exhibit_id, seq, kind, actor_id, from_id, to_id, handover_id, seal_no, seal_state, reason, discrepancy,"
    " note, at, device_at, hash, prev from custody.event where exhibit_id = any(:exhibits) order by exhibit_id, seq"
).bindparams(bindparam("exhibits", type_=ARRAY(BIGINT)))


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
            signs.custody_sign(len(chain), broken_at(exhibit, chain, entries[exhibit.id]), now),
            signs.seal_sign(_last_look(chain, people)),
        ]
    return found_signs


def _last_look(chain: Sequence[CustodyEvent], people: dict[int, str]) -> signs.Look | None:
    for event in reversed(chain):
        if event.seal_state is not None and event.kind in ("registered", "accepted"):
            return signs.Look(event.seal_state, event.seal_no, people.get(event.actor_id, ""), event.at)
    return None


async def _chains(db: AsyncSession, ids: Sequence[int]) -> dict[int, list[CustodyEvent]]:
    chains: dict[int, list[CustodyEvent]] = {i: [] for i in ids}
    for row in await db.execute(_CHAINS, {"exhibits": ids}):
        values = dict(row._mapping)
        chains[values.pop("exhibit_id")].append(CustodyEvent(**values))
    return chains


async def _entries(db: AsyncSession, exhibits: Sequence[Exhibit]) -> dict[int, dict[int, Entry]]:
    by_stream = {f"exhibit:{exhibit.number}": exhibit.id for exhibit in exhibits}
    entries: dict[int, dict[int, Entry]] = {exhibit.id: {} for exhibit in exhibits}
    for entry in await db.scalars(select(Entry).where(Entry.stream.in_(by_stream))):
        entries[by_stream[entry.stream]][entry.stream_seq] = entry
    return entries
