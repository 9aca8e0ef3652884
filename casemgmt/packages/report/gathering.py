"""What a report needs beside the sealed bytes, read as the sealing person sees it: who was present, and whether files
were read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence.models import File
from casemgmt.ledger import timestamps
from casemgmt.packages.report import reading
from casemgmt.packages.report.model import Certificate, Person, Present, Report, Stamp
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.models import Seizure
from casemgmt.trust.contents import LedgerEvent, PayloadFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """What is about to be sealed. ``previews`` are JPEGs by path in the package; ``left_out`` exhibits by the number of
    their seizure; ``seizures`` those of the package."""

    number: str
    case_number: str
    case_title: str
    made_at: datetime
    made_by: Person
    agency: str
    zone: tzinfo
    seizures: Sequence[Seizure]
    files: Sequence[PayloadFile]
    events: Sequence[LedgerEvent]
    policy: str
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    previews: Mapping[str, bytes] = field(default_factory=dict)
    certificate: Certificate | None = None
    authorities: Sequence[str] = ()
    demonstration: bool = False


async def report_of(db: AsyncSession, sealing: Sealing) -> Report:
    """The report of a package, as its sealer may see it. Raises TrustError for records that do not prove themselves."""
    people = {seizure.number: await _present(db, seizure) for seizure in sealing.seizures}
    checked = await _checked(db, [file.key for file in sealing.files])
    found = reading.read(sealing.events)
    ledger = reading.ledger(sealing.events, sealing.policy)
    return Report(
        number=sealing.number, case_number=sealing.case_number, case_title=sealing.case_title, made_at=sealing.made_at,
        made_by=sealing.made_by, agency=sealing.agency, zone=sealing.zone,
        seizures=reading.seizures(found, people, sealing.left_out),
        exhibits=reading.exhibits(found, sealing.files, sealing.previews),
        files=reading.files(found, sealing.files, checked),
        ledger=replace(ledger, stamp=await _stamp(db, ledger.size)), certificate=sealing.certificate,
        authorities=sealing.authorities, demonstration=sealing.demonstration,
    )  # fmt: skip


async def _stamp(db: AsyncSession, size: int) -> Stamp | None:
    """The newest timestamp that covers what the package proves."""
    found = await timestamps.up_to(db, size)
    return None if found is None else Stamp(size=found.size, time=found.time, authority=found.authority)


async def _present(db: AsyncSession, seizure: Seizure) -> list[Present]:
    """Names and parts; documents and addresses of members of the public stay where they can be erased."""
    return [
        Present(role=row.role, name=row.name, refused_signature=row.refused_signature, note=row.note)
        for row in await seizure_queries.participants(db, seizure.id)
    ]


async def _checked(db: AsyncSession, keys: Sequence[str]) -> dict[str, str]:
    """Outcomes of the last re-reading by storage key."""
    rows = await db.execute(select(File.id, File.object_key).where(File.object_key.in_(keys)))
    by_id = {row.id: row.object_key for row in rows}
    fixity = await evidence_queries.latest_fixity(db, list(by_id))
    return {by_id[file_id]: check.outcome for file_id, check in fixity.items()}
