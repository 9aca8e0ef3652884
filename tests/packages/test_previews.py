"""Small pictures in the report: real ones of real photographs, none of what is withheld or no picture, all in time."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from litestar import Litestar
from sqlalchemy import select

from casemgmt.core.db import Database
from casemgmt.inspection.pool import EDGE, Inspectors
from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.packages import gathering, previews, rules, sealing
from casemgmt.packages.gathering import Gathered
from casemgmt.packages.models import Part
from casemgmt.packages.ordering import Order
from casemgmt.packages.withholding import NOTHING
from casemgmt.packages.workshop import Workshop
from casemgmt.signing.opening import Signing
from casemgmt.trust.contents import Why
from tests.cast import World
from tests.inspection import photos
from tests.packages.conftest import Clients, Scene, sequenced

__all__ = ["sequenced"]


@pytest.fixture
async def inspectors() -> AsyncIterator[Inspectors]:
    pool = Inspectors()
    yield pool
    await pool.close()


@pytest.fixture
async def photographed(scene: Scene, world: World, api: Clients) -> Scene:
    """The scene, whose photographs cannot be decoded, with two that can on its first exhibit."""
    place = f"exhibits/{scene.exhibit_code(0, 0)}"
    for picture in (photos.camera(), photos.plain()):
        headers = {"X-File-Name": "=photo.jpg", "Content-Type": "image/jpeg"}
        headers["X-SHA256"] = hashlib.sha256(picture).hexdigest()
        answer = await api(world.aida).put(f"/api/v1/{place}/files/{uuid.uuid4()}", content=picture, headers=headers)
        assert answer.status_code == 201, answer.text
    return scene


async def gathered_of(scene: Scene, world: World, database: Database) -> Gathered:
    """As sealing gathers, when the ledger has caught up."""
    while True:
        async with database.begin(world.saule.actor) as db:
            choices = rules.choose(await gathering.offered(db, scene.case), None, "")
            with suppress(NotSequencedYet):
                return await gathering.gather(db, choices, NOTHING)
        await asyncio.sleep(0.05)


async def pictures_of_the_report(workshop: Workshop, scene: Scene, world: World, folder: Path) -> list[str]:
    """The lines ``pdfimages`` prints of the sealed report, one for each picture."""
    package = await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()))
    async with workshop.database.begin(world.saule.actor) as db:
        query = select(Part.data).where(Part.package_id == package.id, Part.path.like("%custody-report.en.pdf"))
        report = (await db.scalars(query)).one()
    (folder / "report.pdf").write_bytes(report or b"")
    done = subprocess.run(["pdfimages", "-list", "report.pdf"], cwd=folder, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if " image " in line]


async def test_photographs_stand_in_the_report_small_and_others_are_named_without(
    photographed: Scene, world: World, database: Database, app: Litestar, inspectors: Inspectors, sequenced: None,
    tmp_path: Path,
) -> None:  # fmt: skip
    workshop = Workshop(database, Signing(None, None), UTC, store=app.state.store, inspectors=inspectors)
    found = await pictures_of_the_report(workshop, photographed, world, tmp_path)
    assert len(found) == 2
    assert all(max(int(side) for side in line.split()[3:5]) <= EDGE for line in found)


async def test_without_looking_processes_the_report_has_no_pictures_and_is_made(
    photographed: Scene, world: World, database: Database, sequenced: None, tmp_path: Path
) -> None:
    workshop = Workshop(database, Signing(None, None), UTC)
    assert await pictures_of_the_report(workshop, photographed, world, tmp_path) == []


async def test_pictures_that_take_too_long_are_left_out(
    photographed: Scene, world: World, database: Database, app: Litestar, inspectors: Inspectors, sequenced: None,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(previews, "SECONDS", 0.0)
    workshop = Workshop(database, Signing(None, None), UTC, store=app.state.store, inspectors=inspectors)
    assert await pictures_of_the_report(workshop, photographed, world, tmp_path) == []


async def test_what_is_withheld_is_not_shown_small_either(
    photographed: Scene, world: World, database: Database, app: Litestar, inspectors: Inspectors, sequenced: None
) -> None:
    workshop = Workshop(database, Signing(None, None), UTC, store=app.state.store, inspectors=inspectors)
    gathered = await gathered_of(photographed, world, database)
    assert len(await previews.pictures(workshop, gathered)) == 2
    hidden = [replace(file, withheld=Why("informant", "a source")) for file in gathered.files]
    assert await previews.pictures(workshop, replace(gathered, files=hidden)) == {}
