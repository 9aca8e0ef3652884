"""Small pictures of photographs for the custody report, and what was read in files, as it was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import islice

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.evidence.models import File
from casemgmt.evidence.previews import PICTURES, preview
from casemgmt.evidence.queries import observation_bodies
from casemgmt.inspection.pool import NotLooking
from casemgmt.packages.gathering import Gathered
from casemgmt.packages.workshop import Workshop
from casemgmt.storage.contract import StoreError
from casemgmt.trust.contents import PayloadFile
from casemgmt.trust.receipts import EXHIBITS

MOST_PICTURES = 30
SECONDS = 10.0
"""Bounds of all pictures of one report. What does not get one is named in the report with its hash all the same."""

MOST_OBSERVED = 64 << 20  # bytes of observations in one package

log = structlog.get_logger()


async def pictures(workshop: Workshop, gathered: Gathered) -> dict[str, bytes]:
    """JPEGs by the path of the photograph in the package: the first of every exhibit, then the second, and so on."""
    inspectors, store = workshop.inspectors, workshop.store
    if inspectors is None or store is None:
        return {}
    made: dict[str, bytes] = {}

    async def one(path: str, file: File) -> None:
        try:
            picture = await preview(inspectors, store, file)
        except (StoreError, NotLooking) as error:
            log.warning("packages.no_preview", file=file.id, error=str(error))
            return
        if picture is not None:
            made[path] = picture

    chosen = [one(file.row.path, row) for file, row in islice(_in_turn(gathered), MOST_PICTURES)]
    try:
        await asyncio.wait_for(asyncio.gather(*chosen), SECONDS)
    except TimeoutError:
        log.warning("packages.previews_late", made=len(made), wanted=len(chosen))
    return made


async def observations(db: AsyncSession, gathered: Gathered) -> dict[str, bytes]:
    """By the path of the file in the package: those an entry that is shown names, as far as there is room."""
    named = {event.data.get("observation") for _, event in gathered.shown_entries}
    paths: Mapping[int, str] = {gathered.rows[f.key].id: f.row.path for f in gathered.shown_files}
    found: dict[str, bytes] = {}
    total = 0
    async for file_id, body in observation_bodies(db, list(paths)):
        total += len(body)
        if total > MOST_OBSERVED:
            break
        if sha256(body).hexdigest() in named:
            found[paths[file_id]] = body
    return found


def _in_turn(gathered: Gathered) -> Iterator[tuple[PayloadFile, File]]:
    """Photographs of exhibits, one of each in turn."""
    by_exhibit: dict[str, list[tuple[PayloadFile, File]]] = {}
    for file in gathered.shown_files:
        row = gathered.rows[file.key]
        if row.media_type in PICTURES and file.row.path.startswith(EXHIBITS):
            by_exhibit.setdefault(file.row.path.rpartition("/")[0], []).append((file, row))
    for place in range(max(map(len, by_exhibit.values()), default=0)):
        yield from (files[place] for files in by_exhibit.values() if place < len(files))
