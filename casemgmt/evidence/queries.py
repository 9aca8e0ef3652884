"""Reads of evidence files. A file of a record the actor may not see is not found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from casemgmt.core.errors import NotFound
from casemgmt.evidence.models import File, Fixity, Observation, Refusal, Showing

MOST = 500  # files shown of one record at once; more than any exhibit has had
BODIES_AT_ONCE = 20  # half a MiB each at most


async def file(db: AsyncSession, file_id: int) -> File:
    found = await db.get(File, file_id)
    if found is None:
        raise NotFound
    return found


async def file_sent_as(db: AsyncSession, person_id: int, client_id: UUID) -> File | None:
    """The file this person sent under this identifier, if it arrived."""
    return (
        await db.scalars(select(File).where(File.received_by == person_id, File.client_id == client_id))
    ).one_or_none()


async def files_of_exhibit(db: AsyncSession, exhibit_id: int, *, after: int = 0, limit: int = MOST) -> Sequence[File]:
    """In the order they were received."""
    query = select(File).where(File.exhibit_id == exhibit_id, File.id > after).order_by(File.id).limit(limit)
    return (await db.scalars(query)).all()


async def files_of_exhibits(db: AsyncSession, exhibit_ids: Collection[int]) -> dict[int, list[File]]:
    """Files by exhibit, each in the order received; exhibits without any are left out."""
    found: dict[int, list[File]] = {}
    if exhibit_ids:
        for row in await db.scalars(select(File).where(File.exhibit_id.in_(exhibit_ids)).order_by(File.id).limit(MOST)):
            found.setdefault(row.exhibit_id or 0, []).append(row)
    return found


async def files_of_seizure(db: AsyncSession, seizure_id: int, *, after: int = 0, limit: int = MOST) -> Sequence[File]:
    """Those of its exhibits included, in the order they were received."""
    query = select(File).where(File.seizure_id == seizure_id, File.id > after).order_by(File.id).limit(limit)
    return (await db.scalars(query)).all()


async def latest_fixity(db: AsyncSession, file_ids: Collection[int]) -> dict[int, Fixity]:
    """The newest check of each file, by file id; a file that was never checked again is left out."""
    if not file_ids:
        return {}
    query = (
        select(Fixity)
        .where(Fixity.file_id.in_(file_ids))
        .ext(distinct_on(Fixity.file_id))
        .order_by(Fixity.file_id, Fixity.id.desc())
    )
    return {row.file_id: row for row in await db.scalars(query)}


async def latest_showings(db: AsyncSession, file_ids: Collection[int]) -> dict[int, Showing]:
    """What was said last of what each file shows, after it was received; a file of which nothing was is left out."""
    if not file_ids:
        return {}
    query = (
        select(Showing)
        .where(Showing.file_id.in_(file_ids))
        .ext(distinct_on(Showing.file_id))
        .order_by(Showing.file_id, Showing.id.desc())
    )
    return {row.file_id: row for row in await db.scalars(query)}


async def refusals_of_seizure(db: AsyncSession, seizure_id: int, *, limit: int = 50) -> Sequence[Refusal]:
    """Newest first."""
    return (
        await db.scalars(
            select(Refusal).where(Refusal.seizure_id == seizure_id).order_by(Refusal.id.desc()).limit(limit)
        )
    ).all()


async def latest_observations(db: AsyncSession, file_ids: Collection[int]) -> dict[int, Observation]:
    """The newest look into each file, by file id, without its document; a file not looked into is left out."""
    if not file_ids:
        return {}
    query = (
        select(Observation)
        .where(Observation.file_id.in_(file_ids))
        .ext(distinct_on(Observation.file_id))
        .order_by(Observation.file_id, Observation.id.desc())
    )
    return {row.file_id: row for row in await db.scalars(query)}


async def observation_bodies(db: AsyncSession, file_ids: Sequence[int]) -> AsyncIterator[tuple[int, bytes]]:
    """File id and the exact bytes of the newest observation of each, in the order of ``file_ids``; a file that was not
    looked into is left out. Few documents are in memory at a time."""
    for first in range(0, len(file_ids), BODIES_AT_ONCE):
        page = file_ids[first : first + BODIES_AT_ONCE]
        query = (
            select(Observation.file_id, Observation.body)
            .where(Observation.file_id.in_(page))
            .ext(distinct_on(Observation.file_id))
            .order_by(Observation.file_id, Observation.id.desc())
        )
        found = {row.file_id: row.body for row in await db.execute(query)}
        for file_id in page:
            if file_id in found:
                yield file_id, found[file_id]


async def observation(db: AsyncSession, file_id: int) -> Observation:
    """The newest observation of a file the actor may see, its document loaded. Raises NotFound."""
    query = select(Observation).where(Observation.file_id == file_id).order_by(Observation.id.desc()).limit(1)
    found = (await db.scalars(query.options(undefer(Observation.body)))).one_or_none()
    if found is None:
        raise NotFound
    return found
