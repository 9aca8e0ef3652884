"""A package of signed hand-overs carries the signatures and the whole streams of the signers' keys, and proves both."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from casemgmt.accounts import keys
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.core.db import Database
from casemgmt.packages import people
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.steps import verify_package
from tests.cast import World
from tests.packages.conftest import Clients, Scene, seal
from tests.packages.test_packages import Outside, fetch
from tests.passkeys.conftest import Signers, with_key
from tests.passkeys.pins import with_pin


@pytest.fixture
def desk(app: Litestar) -> Signers:
    return Signers(app.state.database, app.state.codes)


async def test_signed_hand_overs_are_proved_by_the_package_and_a_signer_of_nothing_inside_is_not_in_it(
    scene: Scene, desk: Signers, world: World, database: Database, api: Clients, outside: Outside, sequenced: None,
    tmp_path: Path,
) -> None:  # fmt: skip
    aida, nurlan = await with_key(database, world.aida), await with_key(database, world.nurlan)
    spare = await with_key(database, world.aida)
    marat = await with_key(database, world.marat)
    one, two = scene.seizures[0].exhibits
    handover = await desk.signed_offer(aida, world.nurlan, [one, two])
    await desk.signed_answer(nurlan, handover, desk.accept(one))
    await desk.answer(world.nurlan, handover, desk.refuse(two, "not_for_me"))
    async with database.begin(world.admin.actor) as db:
        await keys.revoke(db, world.admin.actor, spare.key.id, KeyRevocation(reason="lost"))
    sealed = await seal(api(world.saule), scene)
    path = tmp_path / f"{sealed.number}.zip"
    path.write_bytes(await fetch(outside(world.saule), sealed.code))
    report = verify_package(path, Brought())
    told = str(report)
    with zipfile.ZipFile(path) as archive:
        signed = {name.split("/")[3] for name in archive.namelist() if "/ledger/sig/" in name}
        entries = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".event")]
    assert len(signed) == 3
    assert sum(f'"stream":"passkeys:{aida.member.login}"' in entry for entry in entries) == 3
    assert sum(f'"stream":"passkeys:{nurlan.member.login}"' in entry for entry in entries) == 1
    assert not any(marat.member.login in entry for entry in entries)
    step = next(step for step in report.steps if step.number == 10)
    assert "3 entries are signed with passkeys" in str(step), told


async def test_hand_overs_signed_by_pin_are_proved_and_called_weaker_everywhere(
    scene: Scene, desk: Signers, world: World, database: Database, api: Clients, browser: Any, outside: Outside,
    sequenced: None, tmp_path: Path,
) -> None:  # fmt: skip
    aida = await with_key(database, world.aida)
    nurlan = await with_pin(database, desk.codes, world.nurlan)
    one, two = scene.seizures[0].exhibits
    handover = await desk.signed_offer(aida, world.nurlan, [one, two])
    await desk.signed_answer(nurlan, handover, desk.accept(one), desk.refuse(two, "not_for_me"))
    sealed = await seal(api(world.saule), scene)
    path = tmp_path / f"{sealed.number}.zip"
    path.write_bytes(await fetch(outside(world.saule), sealed.code))
    report = verify_package(path, Brought())
    with zipfile.ZipFile(path) as archive:
        files = {tuple(name.split("/")[3:]) for name in archive.namelist() if "/ledger/sig/" in name}
    kinds = sorted(len([name for index, name in files if index == one]) for one in {index for index, _ in files})
    assert kinds == [3, 3, 5, 5]
    step = str(next(step for step in report.steps if step.number == 10))
    assert "2 entries are signed with passkeys, user verified" in step, str(report)
    assert "WEAKER: 2 by PIN, with software keys in one phone: " in step, str(report)
    page = (await browser(world.saule).get(f"/packages/{sealed.code}")).text
    assert "by PIN, which is weaker: 2; signed in only: 0; withheld entries" in page
    assert "Signed by PIN" in page


async def test_a_package_that_lost_a_signature_is_not_sealed(
    scene: Scene, desk: Signers, world: World, database: Database, api: Clients, sequenced: None, monkeypatch: Any
) -> None:
    """Guard: what the database promises is looked at again when a package is made."""
    aida = await with_key(database, world.aida)
    await desk.signed_offer(aida, world.nurlan, scene.seizures[0].exhibits)

    async def none(*_: object) -> dict[people.Place, Any]:
        return {}

    monkeypatch.setattr(people, "signatures", none)
    answer = await api(world.saule).post(
        f"/api/v1/cases/{scene.case_code}/packages",
        json={"client_id": "0c1d6b8e-5d0f-4a53-9d0c-2b9a6f0d7e11"},
        timeout=60,
    )
    assert answer.status_code == 409, answer.text
