"""What goes into a package: the files of the chosen exhibits, and every event about them with its proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from casemgmt.ledger.models import Entry
from casemgmt.packages import people
from casemgmt.packages.rules import Choice
from casemgmt.packages.withholding import Withheld, must_be_inside
from casemgmt.seizures.models import Seizure
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.contents import LedgerEvent, PayloadFile
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import Event
from casemgmt.trust.receipts import RECEIVED, file_row, payload_directory, payload_path


class Read:
    """A ledger entry as it was read."""

    def __init__(self, entry_id: int, body: bytes) -> None:
        self.id, self.body = entry_id, body
        self.event = Event.parse(body)

    @property
    def place(self) -> people.Place:
        return self.event.stream, self.event.seq


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything of one moment: all events of the streams, proved at one published checkpoint, and the files they
    received.

    ``rows`` are the stored files by storage key.
    """

    files: Sequence[PayloadFile]
    rows: Mapping[str, File]
    events: Sequence[LedgerEvent]
    policy: str
    checkpoint: Checkpoint

    @property
    def shown_files(self) -> list[PayloadFile]:
        return [file for file in self.files if file.withheld is None]

    @property
    def shown_entries(self) -> list[tuple[int, Event]]:
        """With their ledger indexes, in the ledger's order."""
        shown = [(entry.proof.index, entry.event) for entry in self.events if entry.withheld is None]
        return sorted(shown, key=lambda pair: pair[0])


@dataclass(frozen=True, slots=True)
class Sealing:
    """What is being sealed, and of whose case; ``agency`` is its name."""

    case: CaseFile
    agency: str
    choices: Sequence[Choice]
    gathered: Gathered


async def offered(db: AsyncSession, case: CaseFile) -> list[tuple[Seizure, Sequence[Exhibit]]]:
    """The seizures of the case that the actor may see, with their exhibits."""
    seizures = [entry.seizure for entry in await case_queries.seizures(db, case)]
    query = select(Exhibit).where(Exhibit.seizure_id.in_([s.id for s in seizures])).order_by(Exhibit.no)
    by_seizure: dict[int, list[Exhibit]] = {}
    for exhibit in await db.scalars(query):
        by_seizure.setdefault(exhibit.seizure_id, []).append(exhibit)
    return [(seizure, by_seizure.get(seizure.id, [])) for seizure in seizures]


async def gather(db: AsyncSession, choices: Sequence[Choice], withheld: Withheld) -> Gathered:
    """Raises NotSequencedYet while one of the events has no place in the published tree (QuorumNotMet while that is
    for want of witnesses), and Invalid for something withheld that is not inside."""
    inside = [choice for choice in choices if choice.chosen]
    # The checkpoint first: every leaf under it was there before the events are read.
    at = await proofs.latest_checkpoint(db)
    query = select(Entry.id, Entry.body).where(Entry.stream.in_(streams(inside)))
    rows = [Read(*row) for row in await db.execute(query.order_by(Entry.stream, Entry.stream_seq))]
    exhibits = {exhibit.id: exhibit.number for choice in inside for exhibit in choice.chosen}
    signatures = await people.signatures(db, exhibits)
    shown = [row.event for row in rows if withheld.entry(row.id) is None]
    keys = [Read(*row) for row in await people.key_entries(db, exhibits, shown)]
    places = await proofs.leaf_indexes(db, [row.id for row in [*rows, *keys]])
    if len(places) != len(rows) + len(keys):
        raise NotSequencedYet
    if any(place >= at.size for place in places.values()):
        at = await proofs.published_above(db, list(places.values()))
    proved = await proofs.inclusion(db, list(places.values()), at)
    events = [
        LedgerEvent(row.body, proved[places[row.id]], signatures.get(row.place), withheld.entry(row.id), row.event)
        for row in [*rows, *keys]
    ]
    files, stored = await _payload(db, inside, [row.event for row in rows], withheld)
    receipts = {
        row.id: stored[str(row.event.data["file"])].id
        for row in rows
        if row.event.type == RECEIVED and row.event.data.get("file") in stored
    }
    must_be_inside(withheld, [row.id for row in stored.values()], [row.id for row in rows], receipts)
    return Gathered(files, stored, events, await proofs.policy_text(db), Checkpoint.parse(at.note.text))


def streams(choices: Sequence[Choice]) -> list[str]:
    """Of which the package holds every entry."""
    inside = [choice for choice in choices if choice.chosen]
    return [
        *(f"seizure:{choice.seizure.number}" for choice in inside),
        *(f"exhibit:{exhibit.number}" for choice in inside for exhibit in choice.chosen),
    ]


async def _payload(
    db: AsyncSession, choices: Sequence[Choice], events: Sequence[Event], withheld: Withheld
) -> tuple[list[PayloadFile], dict[str, File]]:
    """Files in the order they were received, numbered within their directory; each by the event that received it."""
    chosen = {exhibit.id for choice in choices for exhibit in choice.chosen}
    query = select(File).where(File.seizure_id.in_([choice.seizure.id for choice in choices]))
    rows = {
        row.object_key: row for row in await db.scalars(query) if row.exhibit_id is None or row.exhibit_id in chosen
    }
    ordinals: Counter[str] = Counter()
    files: list[PayloadFile] = []
    stored: dict[str, File] = {}
    for event in events:
        row = rows.get(str(event.data.get("file"))) if event.type == RECEIVED else None
        if row is None:
            continue
        directory = payload_directory(event)
        ordinals[directory] += 1
        path = payload_path(event, ordinals[directory], extension(row.media_type))
        listed = file_row(path, event)
        if (listed.sha256, listed.size) != (row.sha256.hex(), row.size):
            raise PackageError(f"the record of file {row.object_key} differs from the event that received it")
        files.append(PayloadFile(listed, row.crc32, row.object_key, withheld.file(row.id)))
        stored[row.object_key] = row
    return files, stored


async def file_counts(db: AsyncSession, choices: Sequence[Choice]) -> dict[int, int]:
    """Files that would go in, by seizure."""
    counts: dict[int, int] = {}
    for choice in choices:
        if choice.chosen:
            of_chosen = or_(File.exhibit_id.is_(None), File.exhibit_id.in_([e.id for e in choice.chosen]))
            query = select(func.count()).where(File.seizure_id == choice.seizure.id, of_chosen)
            counts[choice.seizure.id] = (await db.execute(query)).scalar_one()
    return counts
