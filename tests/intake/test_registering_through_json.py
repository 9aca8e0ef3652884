"""The same registration for programs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from casemgmt.trust.events import Event
from tests.cast import World


async def test_a_seizure_with_its_exhibits_is_registered(api: Any, world: World, registration: dict[str, Any]) -> None:
    answer = await api(world.aida).post("/api/v1/seizures", json=registration)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["repeated"] is False
    assert [e["number"] for e in made["exhibits"]] == [f"{made['number']}/1", f"{made['number']}/2"]
    assert made["exhibits"][0]["basis"] == "gross"
    assert made["exhibits"][1]["basis"] == "counted"
    assert made["exhibits"][0]["custody"]["seq"] == 1
    assert answer.headers["location"] == f"/api/v1/seizures/{made['id']}"
    assert (await api(world.aida).get(answer.headers["location"])).json()["number"] == made["number"]


async def test_the_same_identifier_again_answers_with_the_same_and_writes_nothing(
    api: Any, world: World, registration: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    aida = api(world.aida)
    first = (await aida.post("/api/v1/seizures", json=registration)).json()
    before = await db_dba.fetchval("select count(*) from ledger.entry where actor_id = $1", world.aida.id)
    again = await aida.post("/api/v1/seizures", json=registration)
    assert again.status_code == 201
    assert again.json() == {**first, "repeated": True}
    assert await db_dba.fetchval("select count(*) from ledger.entry where actor_id = $1", world.aida.id) == before


async def test_ten_repeats_at_once_make_one_seizure_and_use_up_one_number(
    api: Any, world: World, registration: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    aida = api(world.aida)
    answers = await asyncio.gather(*(aida.post("/api/v1/seizures", json=registration) for _ in range(10)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["number"] for a in answers}) == 1
    assert sum(not a.json()["repeated"] for a in answers) == 1
    assert await db_dba.fetchval("select last from accounts.serial where unit_id = $1", world.units["post"]) == 1


async def test_two_officers_may_use_the_same_identifier(api: Any, world: World, registration: dict[str, Any]) -> None:
    first = (await api(world.aida).post("/api/v1/seizures", json=registration)).json()
    second = (await api(world.timur).post("/api/v1/seizures", json=registration)).json()
    assert second["repeated"] is False
    assert first["number"] != second["number"]


async def test_everything_wrong_is_said_at_once_under_dotted_names(
    api: Any, world: World, registration: dict[str, Any]
) -> None:
    registration["exhibits"][0] |= {"unit": "pairs"}
    registration["exhibits"][1] |= {"quantity": "0.5"}
    registration |= {"direction": "sideways", "seized_at": "1926-11-01T00:00:00Z"}
    answer = await api(world.aida).post("/api/v1/seizures", json=registration)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert set(answer.json()["errors"]) == {"exhibits.0.unit", "exhibits.1.quantity", "direction", "seized_at"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seized_at", "2026-11-01T03:12:00"),
        ("client_id", 7),
        ("exhibits", []),
        ("exhibits", "DRUG"),
        ("exhibits", [{"category": "DRUG"}] * 21),
        ("participants", [{"role": "driver"}]),
        ("latitude", "41"),
        ("surprise", 1),
        ("place", "a\u0000b"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_and_never_fails(
    api: Any, world: World, registration: dict[str, Any], name: str, value: object
) -> None:
    answer = await api(world.aida).post("/api/v1/seizures", json={**registration, name: value})
    assert answer.status_code == 422, answer.text


async def test_half_a_character_is_refused_and_never_fails(
    api: Any, world: World, registration: dict[str, Any]
) -> None:
    body = json.dumps({**registration, "place": "PLACE"}).replace("PLACE", "\\ud800").encode()
    answer = await api(world.aida).post("/api/v1/seizures", content=body)
    assert answer.status_code == 422, answer.text


async def test_a_wrong_container_number_is_remarked_on_and_kept(
    api: Any, world: World, registration: dict[str, Any]
) -> None:
    registration["conveyances"] = [{"kind": "container", "identifier": "MSKU 123456-7"}]
    made = (await api(world.aida).post("/api/v1/seizures", json=registration)).json()
    (kept,) = (await api(world.aida).get(f"/api/v1/seizures/{made['id']}")).json()["conveyances"]
    assert kept["identifier"] == "MSKU 123456-7"
    assert kept["check"] == "malformed"


async def test_the_events_hold_the_facts_and_no_personal_data(
    api: Any, world: World, registration: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    registration["participants"] = [{"role": "driver", "name": "Azamat Toktosunov", "document": "AN1234567"}]
    made = (await api(world.aida).post("/api/v1/seizures", json=registration)).json()
    rows = await db_dba.fetch(
        "select e.body, e.type from ledger.entry e join seizures.seizure s on s.id = e.seizure_id"
        " where s.number = $1 order by e.id",
        made["number"],
    )
    assert [row["type"] for row in rows] == [
        "seizures:seizure:registered", "custody:exhibit:registered", "custody:exhibit:registered",
    ]  # fmt: skip
    events = [Event.parse(row["body"]) for row in rows]
    assert all(b"Toktosunov" not in row["body"] and b"AN1234567" not in row["body"] for row in rows)
    assert events[0].data["participants"][0]["role"] == "driver"
    assert len(events[0].data["participants"][0]["commitment"]) == 64
    assert events[1].stream == f"exhibit:{made['number']}/1"
    assert events[1].data["quantity"] == "512.50"
    assert events[1].data["holder"]["id"] == world.aida.id
    assert events[1].hash.hex() == made["exhibits"][0]["custody"]["hash"]


async def test_it_is_found_by_its_number_its_words_and_the_container(
    api: Any, world: World, registration: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    registration["conveyances"] = [{"kind": "container", "identifier": "MSKU1234565"}]
    registration["exhibits"][0]["description"] = "Grey powder in a thermos"
    made = (await api(world.aida).post("/api/v1/seizures", json=registration)).json()
    seizure = await db_dba.fetchval("select id from seizures.seizure where number = $1", made["number"])
    keys = {
        (r["kind"], r["key"])
        for r in await db_dba.fetch("select * from access.search_key where seizure_id = $1", seizure)
    }
    assert ("container", "i:MSKU1234565") in keys
    assert ("number", f"d:{made['number'].replace('-', '')}") in keys
    found = await db_dba.fetchval(
        "select count(*) from access.exhibit_text where seizure_id = $1 and tsv @@ to_tsquery('simple', $2)",
        seizure, "thermos & наркотики",
    )  # fmt: skip
    scoped = await db_dba.fetchval(
        "select count(*) from access.exhibit_text where seizure_id = $1 and tsv @@ $2::tsquery",
        seizure, f"'u:{world.units['post']}'",
    )  # fmt: skip
    assert (found, scoped) == (1, 2)
