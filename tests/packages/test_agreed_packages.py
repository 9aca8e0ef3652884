"""A hand-over that two phones agreed without a network goes into a package, and every verifier checks it there."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from casemgmt.core.db import Database
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.steps import verify_package
from tests.cast import World
from tests.chromium import chromium
from tests.custody.agreeing import Border, send
from tests.kit.conftest import opened
from tests.kit.verifiers import Said, by_page, by_script
from tests.packages.conftest import Clients, Scene, seal
from tests.packages.test_packages import Outside, fetch


@pytest.fixture
async def sealed(
    app: Litestar, scene: Scene, world: World, api: Clients, outside: Outside, sequenced: None, db_dba: Any,
    tmp_path: Path,
) -> Path:  # fmt: skip
    """The package of a case whose first exhibits were handed over on two phones: one accepted, one refused.

    The giver typed the seal in Cyrillic letters that look like those on record.
    """
    border = Border(app.state.database, app.state.codes, db_dba)
    refused = {"decision": "refused", "reason": "seal_damaged", "seal_state": "damaged"}
    pair = await border.agree(
        world.aida, world.nurlan, scene.seizures[0].exhibits, seals=["В 1001", "B-1002"], said=[{}, refused]
    )
    answer = await send(api(world.nurlan), pair)
    assert answer.json()["state"] == "settled", answer.text
    made = await seal(api(world.saule), scene)
    path = tmp_path / f"{made.number}.zip"
    path.write_bytes(await fetch(outside(world.saule), made.code))
    return path


def in_page(archive: bytes) -> Said:
    with chromium() as (_, browser):
        page = opened(browser.new_page())
        said = by_page(page, archive)
        page.close()
        return said


@pytest.mark.browser
async def test_every_verifier_checks_what_two_phones_agreed(sealed: Path, tmp_path: Path, database: Database) -> None:
    with zipfile.ZipFile(sealed) as archive:
        records = [name for name in archive.namelist() if name.endswith("/record.json")]
        archive.extractall(tmp_path / "bag")
    assert len(records) == 4
    report = verify_package(sealed, Brought())
    step = str(next(step for step in report.steps if step.number == 10))
    assert "WEAKER: 4 by PIN, with software keys in one phone: Aida" in step, str(report)
    assert not [step.number for step in report.steps if step.outcome.name == "FAILED"], str(report)
    said = await asyncio.to_thread(by_script, next((tmp_path / "bag").iterdir()))
    assert said.failed == [], said.words
    assert "WEAKER: 4 by PIN (software in one phone)" in said.words
    shown = await asyncio.to_thread(in_page, sealed.read_bytes())
    assert shown.failed == [], shown.words
    assert shown.outcomes[10] == "holds"
