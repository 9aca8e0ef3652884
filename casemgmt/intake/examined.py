"""How far the photographs of a seizure are, by the checklist of an examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.formats import localise
from casemgmt.evidence import rules, showing
from casemgmt.evidence.models import File
from casemgmt.evidence.showing import Said
from casemgmt.exhibits.models import Exhibit
from casemgmt.reference.checklist import Progress
from casemgmt.reference.lists import PHOTO_POINTS, PhotoPoint
from casemgmt.seizures import queries
from casemgmt.seizures.models import Seizure


@dataclass(frozen=True, slots=True)
class Examined:
    """``progress`` None: nothing speaks for an examination. ``said`` by file id; ``pictures`` are what may be said to
    show one of ``points``."""

    progress: Progress | None
    said: dict[int, Said]
    pictures: Sequence[File]
    points: Sequence[PhotoPoint]


async def examined(db: AsyncSession, seizure: Seizure, exhibits: Sequence[Exhibit], files: Sequence[File]) -> Examined:
    pictures = [file for file in files if rules.is_picture(file.media_type)]
    said = await showing.of_files(db, pictures)
    day = localise(seizure.seized_at).date()
    conveyances = {row.kind for row in await queries.conveyances(db, seizure.id)}
    categories = {exhibit.category for exhibit in exhibits}
    progress = showing.progress(
        day, categories=categories, conveyances=conveyances, detection=seizure.detection, said=said
    )
    return Examined(progress, said, pictures, PHOTO_POINTS.choices(day))
