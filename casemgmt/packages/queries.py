"""Reads of packages. A package is found by those who see its case and everything inside; for others there is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Agency, Person
from casemgmt.cases.models import CaseFile
from casemgmt.core.errors import NotFound
from casemgmt.evidence.models import File
from casemgmt.ledger.models import Entry
from casemgmt.packages.models import Package, Part
from casemgmt.trust.contents import GUIDES, LEDGER, POLICY, REPORTS
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF

DOWNLOADED = "packages:package:downloaded"
MOST = 100

_ABOUT = cast(func.convert_from(Entry.body, "UTF8"), JSONB)[("data", "package")].astext


@dataclass(frozen=True, slots=True)
class Sealed:
    """A package as a list shows it."""

    package: Package
    sealed_by: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Content:
    """One evidence file of a package. ``path`` is below the package's own directory."""

    path: str
    size: int
    sha256: bytes
    file: File


@dataclass(frozen=True, slots=True)
class Told:
    """An event about the package: who, when, and its ``data``."""

    entry_id: int
    at: datetime
    who: str
    type: str
    data: dict[str, Any]


async def package(db: AsyncSession, package_id: int) -> Package:
    found = await db.get(Package, package_id)
    if found is None:
        raise NotFound
    return found


async def package_sent_as(db: AsyncSession, person_id: int, client_id: UUID) -> Package | None:
    """The package this person sealed under this identifier."""
    query = select(Package).where(Package.sealed_by == person_id, Package.client_id == client_id)
    return (await db.scalars(query)).one_or_none()


async def packages_of_case(db: AsyncSession, case_id: int) -> Sequence[Sealed]:
    """Newest first, those the actor may see whole; at most 100."""
    proof = select(Part.ord).where(Part.package_id == Package.id, Part.ord == 0)
    query = (
        select(Package, Person.name, proof.exists())
        .join(Person, Person.id == Package.sealed_by)
        .where(Package.case_id == case_id)
        .order_by(Package.id.desc())
        .limit(MOST)
    )
    return [Sealed(*row) for row in await db.execute(query)]


async def is_complete(db: AsyncSession, package: Package) -> bool:
    query = select(Part.ord).where(Part.package_id == package.id, Part.path == f"{package.number}/{SEAL_PROOF}")
    return await db.scalar(query) is not None


async def seal_event(db: AsyncSession, package: Package) -> bytes:
    """The exact bytes of the event that sealed the package."""
    path = f"{package.number}/{SEAL_EVENT}"
    query = select(Part.data).where(Part.package_id == package.id, Part.path == path, Part.data.is_not(None))
    return bytes((await db.execute(query)).scalar_one() or b"")


async def document(db: AsyncSession, package: Package, path: str) -> bytes:
    """A document of the package by its path below the package's directory; nothing when it is not there."""
    query = select(Part.data).where(Part.package_id == package.id, Part.path == f"{package.number}/{path}")
    return bytes((await db.execute(query)).scalar_one_or_none() or b"")


async def tools(db: AsyncSession, package: Package) -> Sequence[tuple[str, str]]:
    """Paths below the package's directory and SHA-256 (hex) of the page and the scripts that check it."""
    query = select(Part.path, Part.sha256).where(
        Part.package_id == package.id, Part.path.like(f"{package.number}/{GUIDES}%"), ~Part.path.like("%.md")
    )
    return [(path.partition("/")[2], sha256.hex()) for path, sha256 in await db.execute(query.order_by(Part.path))]


async def any_proof(db: AsyncSession, package: Package) -> str:
    """One of the proofs of its entries: all of them carry the same checkpoint."""
    query = select(Part.data).where(
        Part.package_id == package.id, Part.path.like(f"{package.number}/{LEDGER}%.tlog-proof")
    )
    return bytes((await db.execute(query.limit(1))).scalar_one() or b"").decode()


async def reports(db: AsyncSession, package: Package) -> Sequence[str]:
    """Paths of the custody report below the package's directory, one for each language."""
    query = select(Part.path).where(Part.package_id == package.id, Part.path.like(f"{package.number}/{REPORTS}%"))
    return [path.partition("/")[2] for path in await db.scalars(query.order_by(Part.path))]


async def policy(db: AsyncSession, package: Package) -> str:
    """The trust policy inside: what its proofs have to satisfy."""
    return (await document(db, package, POLICY)).decode()


async def agency_of(db: AsyncSession, case: CaseFile) -> str:
    """Name of the agency whose case it is."""
    return str((await db.execute(select(Agency.name).where(Agency.id == case.agency_id))).scalar_one())


async def contents(db: AsyncSession, package: Package) -> Sequence[Content]:
    """The evidence files, in the order of the archive."""
    query = (
        select(Part.path, Part.size, Part.sha256, File)
        .join(File, File.id == Part.file_id)
        .where(Part.package_id == package.id)
        .order_by(Part.ord)
    )
    start = len(package.number) + 1
    return [Content(path[start:], size, sha256, file) for path, size, sha256, file in await db.execute(query)]


async def told(db: AsyncSession, package: Package) -> Sequence[Told]:
    """What the ledger says about the package after its sealing, oldest first: exhibits left out, downloads."""
    query = (
        select(Entry.id, Entry.at, Person.name, Entry.type, Entry.body)
        .join(Person, Person.id == Entry.actor_id)
        .where(Entry.case_id == package.case_id, Entry.type.like("packages:package:%"), package.number == _ABOUT)
        .order_by(Entry.id)
        .limit(MOST)
    )
    return [Told(*row[:4], json.loads(row.body)["data"]) for row in await db.execute(query)]


_ALLOWED = text(
    "select exists (select from ledger.entry e where e.id = :entry and e.type = :type and e.actor_id = :actor"
    " and e.at > now() - make_interval(days => 7)"
    " and convert_from(e.body, 'UTF8')::jsonb #>> '{data,package}' = :number)"
)


async def may_fetch(db: AsyncSession, package: Package, person_id: int, entry_id: int) -> bool:
    """Did this person give a reason for downloading this package within the last seven days, in that event?"""
    values = {"entry": entry_id, "type": DOWNLOADED, "actor": person_id, "number": package.number}
    return bool((await db.execute(_ALLOWED, values)).scalar_one())
