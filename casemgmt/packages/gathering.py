"""What goes into a package: the files of the chosen exhibits, and every event about them with its proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases import queries as case_queries
from casemgmt.cases.models import CaseFile
from casemgmt.evidence.models import File
from casemgmt.evidence.rules import extension
from casemgmt.exhibits.models import Exhibit
from casemgmt.ledger import proofs
from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.ledger.models import Entry, Leaf
from casemgmt.packages.rules import Choice
from casemgmt.seizures.models import Seizure
from casemgmt.trust.contents import LedgerEvent, PayloadFile
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import Event
from casemgmt.trust.receipts import RECEIVED, file_row, payload_directory, payload_path


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything of one moment: all events of the streams, proved at one checkpoint, and the files they received."""

    files: Sequence[PayloadFile]
    file_ids: dict[str, int]
    events: Sequence[LedgerEvent]
    policy: str


async def offered(db: AsyncSession, case: CaseFile) -> list[tuple[Seizure, Sequence[Exhibit]]]:
    """The seizures of the case that the actor may see, with their exhibits."""
    seizures = [entry.seizure for entry in await case_queries.seizures(db, case)]
    query = select(Exhibit).where(Exhibit.seizure_id.in_([s.id for s in seizures])).order_by(Exhibit.no)
    by_seizure: dict[int, list[Exhibit]] = {}
    for exhibit in await db.scalars(query):
        by_seizure.setdefault(exhibit.seizure_id, []).append(exhibit)
    return [(seizure, by_seizure.get(seizure.id, [])) for seizure in seizures]


async def gather(db: AsyncSession, choices: Sequence[Choice]) -> Gathered:
    """Raises NotSequencedYet while one of the events has no place in the tree, or (QuorumNotMet) none that witnesses of
    the policy have cosigned."""
    inside = [choice for choice in choices if choice.chosen]
    streams = [f"seizure:{choice.seizure.number}" for choice in inside]
    streams += [f"exhibit:{exhibit.number}" for choice in inside for exhibit in choice.chosen]
    query = (
        select(Entry.body, Leaf.leaf_index)
        .outerjoin(Leaf, Leaf.entry_id == Entry.id)
        .where(Entry.stream.in_(streams))
        .order_by(Entry.stream, Entry.stream_seq)
    )
    rows = (await db.execute(query)).all()
    if any(row.leaf_index is None for row in rows):
        raise NotSequencedYet
    at = await proofs.published_above(db, [row.leaf_index for row in rows])
    proved = await proofs.inclusion(db, [row.leaf_index for row in rows], at)
    events = [LedgerEvent(row.body, proved[row.leaf_index]) for row in rows]
    files, file_ids = await _payload(db, inside, events)
    return Gathered(files, file_ids, events, await proofs.policy_text(db))


async def _payload(
    db: AsyncSession, choices: Sequence[Choice], events: Sequence[LedgerEvent]
) -> tuple[list[PayloadFile], dict[str, int]]:
    """Files in the order they were received, numbered within their directory; each by the event that received it."""
    chosen = {exhibit.id for choice in choices for exhibit in choice.chosen}
    query = select(File).where(File.seizure_id.in_([choice.seizure.id for choice in choices]))
    rows = {
        row.object_key: row for row in await db.scalars(query) if row.exhibit_id is None or row.exhibit_id in chosen
    }
    ordinals: Counter[str] = Counter()
    files: list[PayloadFile] = []
    ids: dict[str, int] = {}
    for event in map(Event.parse, (event.body for event in events)):
        row = rows.get(str(event.data.get("file"))) if event.type == RECEIVED else None
        if row is None:
            continue
        directory = payload_directory(event)
        ordinals[directory] += 1
        path = payload_path(event, ordinals[directory], extension(row.media_type))
        listed = file_row(path, event)
        if (listed.sha256, listed.size) != (row.sha256.hex(), row.size):
            raise PackageError(f"the record of file {row.object_key} differs from the event that received it")
        files.append(PayloadFile(listed, row.crc32, row.object_key))
        ids[row.object_key] = row.id
    return files, ids


async def file_counts(db: AsyncSession, choices: Sequence[Choice]) -> dict[int, int]:
    """Files that would go in, by seizure."""
    counts: dict[int, int] = {}
    for choice in choices:
        if choice.chosen:
            of_chosen = or_(File.exhibit_id.is_(None), File.exhibit_id.in_([e.id for e in choice.chosen]))
            query = select(func.count()).where(File.seizure_id == choice.seizure.id, of_chosen)
            counts[choice.seizure.id] = (await db.execute(query)).scalar_one()
    return counts
