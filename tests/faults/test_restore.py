"""An old dump is loaded into a new PostgreSQL server: the log stops, and ``ledger recover`` brings it back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from casemgmt.embedded.cluster import Cluster, server_binaries
from casemgmt.embedded.temporary import TemporaryInstance
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
    assert "Custody was made up for on 3 exhibits." in told
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


def _custody(exhibits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: e[name] for name in ("number", "custody", "status", "seal", "seal_state")} for e in exhibits]


@pytest.fixture(autouse=True)
def stopped(tmp_path: Path) -> Any:
    yield
    for home in ("postgres", "postgres.lost"):
        if (tmp_path / "house" / home / "data").exists():
            Cluster(tmp_path / "house" / home).stop()
