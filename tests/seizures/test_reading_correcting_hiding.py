"""Lists, corrections beside the record, and seizures that only some need to know of."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.trust.events import Event
from tests.cast import World
from tests.records import register_seizure


@pytest.fixture
def codes(app: Any) -> Codes:
    found: Codes = app.state.codes
    return found


async def test_the_unit_sees_its_seizures_and_a_stranger_none(browser: Any, world: World, database: Database) -> None:
    made = await register_seizure(database, world.aida)
    for login in ("aida", "saule"):
        assert made.seizure.number in (await browser(world.people[login]).get("/seizures")).text
    for login in ("timur", "oleg", "elena", "dinara", "marat"):
        for scope in ("unit", "shared"):
            page = await browser(world.people[login]).get(f"/seizures?scope={scope}")
            assert page.status_code == 200
            assert made.seizure.number not in page.text


async def test_an_auditor_sees_the_seizures_of_the_agency(browser: Any, world: World, database: Database) -> None:
    made = await register_seizure(database, world.aida)
    assert made.seizure.number in (await browser(world.askar).get("/seizures")).text


async def test_the_list_is_paged_and_every_seizure_stands_on_one_page(
    api: Any, world: World, database: Database
) -> None:
    numbers = {(await register_seizure(database, world.aida)).seizure.number for _ in range(53)}
    first = (await api(world.aida).get("/api/v1/seizures")).json()
    assert first["more"] is True
    after = first["seizures"][-1]["id"]
    second = (await api(world.aida).get(f"/api/v1/seizures?after={after}")).json()
    assert second["more"] is False
    found = [s["number"] for s in first["seizures"] + second["seizures"]]
    assert len(found) == 53
    assert set(found) == numbers


async def test_whoever_was_offered_an_exhibit_sees_the_seizure_as_shared(
    browser: Any, world: World, database: Database, db_dba: asyncpg.Connection[Any]
) -> None:
    made = await register_seizure(database, world.aida)
    await db_dba.execute("insert into access.reach values ($1, $2)", world.elena.id, made.seizure.id)
    page = await browser(world.elena).get("/seizures?scope=shared")
    assert made.seizure.number in page.text


@pytest.mark.parametrize("after", ["x", "99999999", "../../etc/passwd", "%00"])
async def test_a_made_up_place_in_a_list_is_not_found(browser: Any, world: World, after: str) -> None:
    assert (await browser(world.aida).get(f"/seizures?after={after}")).status_code == 404
    assert (await browser(world.aida).get(f"/exhibits?after={after}")).status_code == 404


async def test_a_correction_stands_beside_the_record_and_changes_no_row(
    browser: Any, world: World, database: Database, db_dba: asyncpg.Connection[Any], codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    page = f"/seizures/{codes.encode('seizure', made.seizure.id)}"
    fields = {"field": "place", "words": "Ak-Tilek, lane 5", "reason": "Lane 3 was closed that night"}
    answer = await browser(world.saule).submit(f"{page}/correct", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    shown = (await browser(world.aida).get(page)).text
    assert "Ak-Tilek, lane 5" in shown
    assert "Lane 3 was closed that night" in shown
    assert "Saule Bekova" in shown
    row = await db_dba.fetchrow("select place from seizures.seizure where id = $1", made.seizure.id)
    assert row["place"] == "Ak-Tilek"
    entry = await db_dba.fetchrow(
        "select body, stream, stream_seq from ledger.entry where seizure_id = $1 order by id desc limit 1",
        made.seizure.id,
    )
    assert (entry["stream"], entry["stream_seq"]) == (f"seizure:{made.seizure.number}", 2)
    assert Event.parse(entry["body"]).data["words"] == "Ak-Tilek, lane 5"


@pytest.mark.parametrize(
    "fields",
    [
        {"field": "number", "words": "1", "reason": "x"},
        {"field": "place", "words": "", "reason": "x"},
        {"field": "place", "words": "x", "reason": " "},
        {},
    ],
)
async def test_half_a_correction_is_asked_for_again(
    browser: Any, world: World, database: Database, codes: Codes, fields: dict[str, str]
) -> None:
    made = await register_seizure(database, world.aida)
    url = f"/seizures/{codes.encode('seizure', made.seizure.id)}/correct"
    assert (await browser(world.aida).submit(url, fields)).status_code == 422


async def test_people_can_be_added_later_and_stay_out_of_the_ledger(
    browser: Any, world: World, database: Database, db_dba: asyncpg.Connection[Any], codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    page = f"/seizures/{codes.encode('seizure', made.seizure.id)}"
    fields = {"participants-1-role": "attesting_witness", "participants-1-name": "Бакыт Усенов"}
    fields |= {"conveyances-0-kind": "truck", "conveyances-0-identifier": "01 KG 777 ABC"}
    assert (await browser(world.aida).submit(f"{page}/people", fields)).status_code == 303
    shown = (await browser(world.aida).get(page)).text
    assert "Бакыт Усенов" in shown
    assert "01 KG 777 ABC" in shown
    body = await db_dba.fetchval(
        "select body from ledger.entry where seizure_id = $1 and type = 'seizures:seizure:supplemented'",
        made.seizure.id,
    )
    assert "Усенов" not in body.decode()
    empty = await browser(world.aida).submit(f"{page}/people", {})
    assert empty.status_code == 422
    half = await browser(world.aida).submit(f"{page}/people", {"participants-0-name": "Somebody"})
    assert half.status_code == 422
    assert 'href="#participants-0-role"' in half.text


async def test_only_the_unit_that_made_it_corrects_a_seizure(
    browser: Any, api: Any, world: World, database: Database, db_dba: asyncpg.Connection[Any], codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    await db_dba.execute("insert into access.reach values ($1, $2)", world.elena.id, made.seizure.id)
    code = codes.encode("seizure", made.seizure.id)
    fields = {"field": "place", "words": "elsewhere", "reason": "because"}
    for login, status in (("elena", 403), ("askar", 403), ("oleg", 404), ("admin", 404)):
        member = world.people[login]
        assert (await browser(member).submit(f"/seizures/{code}/correct", fields)).status_code == status
        assert (await api(member).post(f"/api/v1/seizures/{code}/corrections", json=fields)).status_code == status


async def test_a_hidden_seizure_is_seen_by_the_named_and_by_nobody_else(
    browser: Any, api: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    code = codes.encode("seizure", made.seizure.id)
    marked = await browser(world.saule).submit(f"/seizures/{code}/need-to-know", {"hidden": "yes"})
    assert marked.status_code == 303, marked.text
    for login in ("saule", "aida"):
        assert (await browser(world.people[login]).get(f"/seizures/{code}")).status_code == 200
    assert (await browser(world.askar).get(f"/seizures/{code}")).status_code == 404
    assert made.seizure.number not in (await browser(world.askar).get("/seizures")).text
    shown = await api(world.saule).put(
        f"/api/v1/seizures/{code}/need-to-know", json={"need_to_know": False, "names": []}
    )
    assert shown.status_code == 204, shown.text
    assert (await browser(world.askar).get(f"/seizures/{code}")).status_code == 200


async def test_only_a_supervisor_of_the_unit_hides_a_seizure(
    browser: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    url = f"/seizures/{codes.encode('seizure', made.seizure.id)}/need-to-know"
    for login, status in (("aida", 403), ("askar", 403), ("gulnara", 404), ("admin", 404)):
        assert (await browser(world.people[login]).submit(url, {"hidden": "yes"})).status_code == status
