from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import bagit
import httpx
import pytest
from litestar import Litestar

from casemgmt.core.db import Database
from casemgmt.packages import sealing
from casemgmt.packages.errors import LedgerBehind
from casemgmt.packages.ordering import Order
from casemgmt.packages.queries import packages_of_case
from casemgmt.packages.workshop import Workshop
from casemgmt.signing.opening import Signing
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.steps import verify_package
from tests.cast import Member, World
from tests.ledger.running import sequencing
from tests.packages.conftest import Clients, Scene, Sealed, reason, seal

Outside = Callable[[Member], httpx.AsyncClient]


async def fetch(client: httpx.AsyncClient, code: str) -> bytes:
    answer = await client.get(await reason(client, code))
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    return answer.content


async def test_a_package_is_accepted_by_tools_we_did_not_write(
    sealed: Sealed, world: World, outside: Outside, tmp_path: Path
) -> None:
    client = outside(world.saule)
    path = tmp_path / f"{sealed.number}.zip"
    path.write_bytes(await fetch(client, sealed.code))
    subprocess.run(["unzip", "-qq", "-t", str(path)], check=True, capture_output=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    bag = tmp_path / sealed.number
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--quiet", "-c", manifest], cwd=bag, check=True, capture_output=True)
    bagit.Bag(str(bag)).validate()
    key = (await client.get("/ledger/key")).text.strip()
    command = [sys.executable, "-m", "casemgmt.trust.verify", str(path), "--log-key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "RESULT: VERIFIED." in done.stdout


async def test_it_holds_every_file_as_it_was_received(
    sealed: Sealed, scene: Scene, world: World, outside: Outside
) -> None:
    content = await fetch(outside(world.saule), sealed.code)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    evidence = {path: data for path, data in inside.items() if path.startswith("data/")}
    numbers = [made.exhibits[0].number.replace("/", "-") for made in scene.seizures]
    assert evidence.pop("data/report/custody-report.en.pdf").startswith(b"%PDF-1.7")
    assert evidence == {
        f"data/exhibits/{numbers[0]}/0001.jpg": scene.contents[0],
        f"data/exhibits/{numbers[1]}/0001.jpg": scene.contents[1],
        f"data/seizures/{scene.seizures[0].seizure.number}/0001.jpg": scene.contents[2],
    }
    listed = {entry["path"]: entry["sha256"] for entry in sealed.described["files"]}
    assert listed == {path: hashlib.sha256(data).hexdigest() for path, data in evidence.items()}


async def test_one_changed_byte_anywhere_is_noticed(sealed: Sealed, world: World, outside: Outside) -> None:
    client = outside(world.saule)
    content = await fetch(client, sealed.code)
    key = VerifierKey.parse((await client.get("/ledger/key")).text.strip())
    assert verify_package(io.BytesIO(content), Brought(log_key=key)).holds
    for place in range(0, len(content), len(content) // 40):
        spoilt = bytearray(content)
        spoilt[place] ^= 1
        assert not verify_package(io.BytesIO(bytes(spoilt)), Brought(log_key=key)).holds, place


async def test_sealing_the_same_request_again_seals_nothing_more(
    scene: Scene, world: World, api: Clients, sequenced: None
) -> None:
    client_id = str(uuid.uuid4())
    first = await seal(api(world.saule), scene, client_id=client_id)
    again = await seal(api(world.saule), scene, client_id=client_id)
    assert (first.number, first.described) == (again.number, again.described)


async def test_leaving_an_exhibit_out_needs_a_reason_that_stays_with_the_package(
    scene: Scene, world: World, api: Clients, sequenced: None, browser: Clients
) -> None:
    chosen = [scene.exhibit_code(0, 0)]
    body = {"client_id": str(uuid.uuid4()), "exhibits": chosen}
    refused = await api(world.saule).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["reason"]
    made = await seal(api(world.saule), scene, exhibits=chosen, reason="not part of this charge")
    paths = [entry["path"] for entry in made.described["files"]]
    assert [path.rpartition("/")[0] for path in paths] == [
        f"data/exhibits/{scene.seizures[0].exhibits[0].number.replace('/', '-')}",
        f"data/seizures/{scene.seizures[0].seizure.number}",
    ]
    page = await browser(world.saule).get(f"/packages/{made.code}")
    assert page.status_code == 200
    assert "not part of this charge" in page.text
    assert scene.seizures[1].exhibits[0].number in page.text


async def test_an_exhibit_that_is_not_of_the_case_is_refused(
    scene: Scene, world: World, api: Clients, sequenced: None
) -> None:
    for exhibits in (["nonsense"], []):
        body = {"client_id": str(uuid.uuid4()), "exhibits": exhibits, "reason": "a reason"}
        answer = await api(world.saule).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)
        assert answer.status_code in (404, 422)


async def test_while_the_ledger_stands_still_nothing_is_sealed(scene: Scene, world: World, database: Database) -> None:
    workshop = Workshop(database, Signing(None, None), UTC)
    with pytest.raises(LedgerBehind):
        await sealing.seal(workshop, world.saule.actor, scene.case.id, Order(uuid.uuid4()), patience=0.2)
    async with database.begin(world.saule.actor) as db:
        assert await packages_of_case(db, scene.case.id) == []


async def test_only_who_investigates_or_prosecutes_seals(scene: Scene, world: World, api: Clients) -> None:
    body = {"client_id": str(uuid.uuid4())}
    answers = {
        name: (await api(getattr(world, name)).post(f"/api/v1/cases/{scene.case_code}/packages", json=body)).status_code
        for name in ("aida", "oleg", "admin")
    }
    assert answers == {"aida": 403, "oleg": 404, "admin": 404}


async def test_a_seal_that_is_not_proved_yet_is_completed_by_whoever_looks_next(
    scene: Scene, world: World, api: Clients, browser: Clients, app: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sealing.complete

    async def too_late(*_: object, **__: object) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "complete", too_late)
        async with sequencing(app.state.settings):
            made = await seal(api(world.saule), scene)
            assert made.described["complete"] is False
            answer = await api(world.saule).post(f"/api/v1/packages/{made.code}/downloads", json={"reason": "hearing"})
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:casemgmt:problem:not-complete")
            page = await browser(world.saule).get(f"/packages/{made.code}")
            assert "Sealing…" in page.text
    assert sealing.complete is real
    async with sequencing(app.state.settings):
        for _ in range(100):
            page = await browser(world.saule).get(f"/packages/{made.code}")
            if "Sealing…" not in page.text:
                break
        assert "Download the package" in page.text
