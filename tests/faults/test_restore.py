"""An old dump is loaded into a new PostgreSQL server: the log stops, and ``ledger recover`` brings it back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from casemgmt.demo.cast import PASSWORD
from casemgmt.embedded.cluster import Cluster, server_binaries
from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.walkthrough.authenticator import SoftAuthenticator
from casemgmt.walkthrough.phone_key import PhoneKey
from tests.faults.halves import halves
from tests.faults.house import House, registration, until
from tests.faults.test_handover import acceptance_of, exhibits_of, offer_of

_HALTED = "select reason from ledger.halt order by id desc limit 1"


def casemgmt(*arguments: str) -> tuple[int, str]:
    """A command in a process of its own, with nobody's settings."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CASEMGMT_")}
    done = subprocess.run(
        [sys.executable, "-m", "casemgmt", *arguments], env=environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def dump(data: Path, file: Path) -> None:
    with file.open("wb") as output:
        command = [str(server_binaries() / "pg_dump"), "--format=custom", Cluster(data / "postgres").dsn("dba")]
        subprocess.run(command, stdout=output, check=True)


async def load_into_a_new_server(data: Path, file: Path) -> None:
    """As an administrator would whose server is lost: roles from the program, everything else from the dump."""
    shutil.move(data / "postgres", data / "postgres.lost")
    cluster = Cluster(data / "postgres")
    cluster.start()
    try:
        await cluster.create_roles_and_database()
        program = str(server_binaries() / "pg_restore")
        command = [program, "--exit-on-error", f"--dbname={cluster.dsn('dba')}", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        cluster.stop()


async def hand_over(house: House, seizure: dict[str, Any], to: str, *, accept: bool) -> None:
    exhibits = await exhibits_of(house, seizure)
    async with house.client("aida") as aida:
        answer = await aida.post("/api/v1/hand-overs", json=offer_of(exhibits, to))
        offered = answer.raise_for_status().json()
    if accept:
        async with house.client("nurlan") as nurlan:
            address = f"/api/v1/hand-overs/{offered['id']}/answer"
            (await nurlan.post(address, json=acceptance_of(exhibits))).raise_for_status()


async def test_an_old_dump_in_a_new_server_stops_the_log_and_is_brought_back(tmp_path: Path) -> None:
    data = tmp_path / "house"
    with TemporaryInstance(data, demo=True) as instance:
        house = House(instance)
        await house.sign_in("aida", "timur", "nurlan")
        to = await house.code_of("Nurlan")
        accepted, offered = await house.register(exhibits=2), await house.register()
        await house.verified()
        dump(data, tmp_path / "old.dump")
        await hand_over(house, accepted, to, accept=True)
        await hand_over(house, offered, to, accept=False)
        lost = await house.register()
        before = await house.verified()
        now = {kind: await exhibits_of(house, seizure) for kind, seizure in (("a", accepted), ("o", offered))}
    await load_into_a_new_server(data, tmp_path / "old.dump")

    with TemporaryInstance(data) as instance:
        house = House(instance)
        async with house.dba() as dba:

            async def halted() -> bool:
                return await dba.fetchval(_HALTED) is not None

            await until(halted, instance.output()[-2000:])
            assert "was signed, and this database has" in await dba.fetchval(_HALTED)
        await house.sign_in("aida")
        async with house.client("aida") as aida:
            refused = await aida.post("/api/v1/seizures", json=registration())
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:casemgmt:problem:ledger-stopped")

    code, told = casemgmt("ledger", "recover", "--data", str(data))
    assert code == 0, told
    assert "Custody was made up for on 3 exhibits;" in told
    assert f"Seizures that have to be entered again: 1\n  {lost['number']}\n" in told
    assert "Exhibits whose custody stands where the backup has it" not in told
    code, told = casemgmt("ledger", "verify", "--data", str(data))
    assert code == 0, told
    assert f"Root: {before.root.hex()}" in told

    with TemporaryInstance(data) as instance:
        house = House(instance)
        await house.sign_in("aida", "timur", "nurlan")
        for kind, seizure in (("a", accepted), ("o", offered)):
            assert _custody(await exhibits_of(house, seizure)) == _custody(now[kind])
        async with house.client("aida") as aida:
            assert (await aida.get(f"/api/v1/seizures/{lost['id']}")).status_code == 404
            again = (await aida.post("/api/v1/seizures", json=registration())).raise_for_status().json()
        assert again["number"] != lost["number"], "a number that was given is not given again"
        assert again["id"] != lost["id"]
        async with house.client("nurlan") as nurlan:
            waiting = (await nurlan.get("/api/v1/hand-overs")).raise_for_status().json()
        assert waiting, "the open offer can be answered"
        found = await house.verified()
        assert found.entries > before.entries
        async with house.dba() as dba:
            broken = await halves(dba, house.store)
            seen = await dba.fetch("select stream from ledger.entry where detached order by id")
        house.store.close()
        numbers = {lost["number"], *(exhibit["number"] for exhibit in lost["exhibits"])}
        assert {row["stream"].partition(":")[2] for row in seen} == numbers
        assert all(any(number in half for number in numbers) for half in broken), broken


async def posted(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict((await client.post(f"/api/v1{path}", json=body)).raise_for_status().json())


async def signatures_of(house: House, seizure: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, bytes]]]:
    """Of every custody event: what is said of its signature, and the signature's files."""
    found = []
    async with house.client("aida") as aida:
        for exhibit in seizure["exhibits"]:
            for one in (await aida.get(f"/api/v1/exhibits/{exhibit['id']}/signatures")).raise_for_status().json():
                files = {name: (await aida.get(url)).content for name, url in (one.pop("files") or {}).items()}
                found.append((one, files))
    return found


async def test_what_was_signed_enrolled_revoked_and_reserved_after_the_dump_is_brought_back(tmp_path: Path) -> None:
    data, device = tmp_path / "house", str(uuid.uuid4())
    with TemporaryInstance(data, demo=True) as instance:
        house, passkey, phone = House(instance), SoftAuthenticator(instance.url), PhoneKey()
        await house.sign_in("aida", "timur", "nurlan")
        to = await house.code_of("Nurlan")
        seizure = await house.register(exhibits=2)
        async with house.client("aida") as aida:
            asked = await posted(aida, "/keys/enrolments", {"password": PASSWORD})
            key = await posted(aida, "/keys", {"name": "phone", "credential": passkey.create(asked["options"])})
        await house.verified()
        dump(data, tmp_path / "old.dump")

        exhibits = await exhibits_of(house, seizure)
        async with house.client("aida") as aida, house.client("nurlan") as nurlan:
            enrolled = await posted(nurlan, "/pin-keys", {**phone.enrolment(to), "name": "Android"})
            asked = await posted(
                aida, "/hand-overs/signature-requests", offer_of(exhibits, to) | {"sign_with": key["id"]}
            )
            path = f"/signature-requests/{asked['request']}/signature"
            offered = await posted(aida, path, {"credential": passkey.get(asked["options"])})
            answer = acceptance_of(exhibits) | {"sign_with": enrolled["id"]}
            asked = await posted(nurlan, f"/hand-overs/{offered['id']}/answer/signature-requests", answer)
            credential = phone.credential(asked["statement"].encode())
            await posted(nurlan, f"/signature-requests/{asked['request']}/signature", {"credential": credential})
            await posted(aida, f"/keys/{key['id']}/revocation", {"reason": "lost"})
            wanted = {"client_id": str(uuid.uuid4()), "device": device, "count": 5}
            block = await posted(aida, "/number-blocks", wanted)
        await house.verified()
        signed, now = await signatures_of(house, seizure), _custody(await exhibits_of(house, seizure))
        assert [(one["means"], len(files)) for one, files in signed] == [("passkey", 5), ("pin", 3)] * 2
    await load_into_a_new_server(data, tmp_path / "old.dump")

    code, told = casemgmt("ledger", "recover", "--data", str(data))
    assert code == 0, told
    assert "Custody was made up for on 2 exhibits; 2 keys were enrolled or revoked again." in told
    assert not any(word in told for word in ("HOLD AGAIN", "have to be", "whose signature", "Other events")), told
    code, told = casemgmt("ledger", "verify", "--data", str(data))
    assert code == 0, told

    with TemporaryInstance(data) as instance:
        house = House(instance)
        await house.sign_in("aida", "timur", "nurlan")
        assert _custody(await exhibits_of(house, seizure)) == now
        assert await signatures_of(house, seizure) == signed
        async with house.client("aida") as aida:
            (kept,) = (await aida.get("/api/v1/keys")).raise_for_status().json()
            assert (kept["fingerprint"], kept["revoked"]["reason"]) == (key["fingerprint"], "lost")
            wanted = {"client_id": str(uuid.uuid4()), "device": str(uuid.uuid4()), "count": 5}
            assert not set((await posted(aida, "/number-blocks", wanted))["numbers"]) & set(block["numbers"])
            used = await posted(aida, "/seizures", registration() | {"number": block["numbers"][3], "device": device})
            assert used["number"] == block["numbers"][3]
        await house.verified()
        house.store.close()


def _custody(exhibits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: e[name] for name in ("number", "custody", "status", "seal", "seal_state")} for e in exhibits]


@pytest.fixture(autouse=True)
def stopped(tmp_path: Path) -> Any:
    yield
    for home in ("postgres", "postgres.lost"):
        if (tmp_path / "house" / home / "data").exists():
            Cluster(tmp_path / "house" / home).stop()
