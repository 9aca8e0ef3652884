"""What a photograph is said to show: a point of the photo checklist, claimed with the file or by a later event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_
from casemgmt.evidence import queries, rules
from casemgmt.evidence.models import File, Showing
from casemgmt.evidence.places import ask_again
from casemgmt.evidence.schemas import NewFile, NewShowing
from casemgmt.reference import checklist
from casemgmt.reference.checklist import Progress


@dataclass(frozen=True, slots=True)
class Said:
    """``shows``: a photo point, None when nothing or none of them was said; ``by`` and ``at``: whose word it is."""

    shows: str | None
    by: int
    at: datetime


async def of_files(db: AsyncSession, files: Sequence[File]) -> dict[int, Said]:
    """What was said last of each file, by file id."""
    later = await queries.latest_showings(db, [file.id for file in files])
    return {
        file.id: Said(row.shows, row.said_by, row.at)
        if (row := later.get(file.id))
        else Said(file.shows, file.received_by, file.received_at)
        for file in files
    }


async def say(db: AsyncSession, actor: Actor, file: File, data: NewShowing) -> Said:
    """Say it in an event of its own; what was said before stays on record. The same again writes nothing.

    Raises Forbidden unless the actor may add a file there; Invalid for a point of no list or a file that is no picture.
    """
    place = await ask_again(
        db, actor, NewFile(client_id=file.client_id, seizure_id=file.seizure_id, exhibit_id=file.exhibit_id)
    )
    if not rules.is_picture(file.media_type):
        raise Invalid({"shows": N_("Only a photograph or a film shows something.")})
    if data.shows is not None and (wrong := rules.wrong_point(data.shows)):
        raise Invalid(wrong)
    before = (await of_files(db, [file]))[file.id]
    if before.shows == data.shows:
        return before
    row = insert(Showing).values(file_id=file.id, shows=data.shows, device_at=data.device_at).returning(Showing.at)
    at = (await db.execute(row)).scalar_one()
    said = {
        "file": file.object_key, "sha256": file.sha256.hex(), "seizure": place.seizure, "exhibit": place.exhibit,
        "shows": data.shows,
        "claimed": {"device_at": events.timestamp(data.device_at) if data.device_at else None},
    }  # fmt: skip
    await events.record(
        db, actor, "evidence:file:described", f"seizure:{place.seizure}", said, seizure_id=file.seizure_id
    )
    return Said(data.shows, actor.id, at)


def progress(
    day: date, *, categories: set[str], conveyances: set[str], detection: str | None, said: Mapping[int, Said]
) -> Progress | None:
    """How far the photo checklist of a seizure is; None where nothing speaks for an examination and no photograph is
    said to show any of it."""
    shown = {one.shows for one in said.values()} - {None}
    if not shown and not checklist.is_examination(categories, conveyances, detection):
        return None
    return checklist.progress(checklist.points(day, conveyances, shown), shown)
