"""Which exhibits stand under which tab."""

from __future__ import annotations

from typing import Any

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import World
from tests.records import register_seizure


async def test_the_registering_officer_holds_what_was_seized(browser: Any, world: World, database: Database) -> None:
    made = await register_seizure(database, world.aida, "B-1", None)
    held = (await browser(world.aida).get("/exhibits?scope=held")).text
    assert all(exhibit.number in held for exhibit in made.exhibits)
    assert "B-1" in held
    for login in ("saule", "timur"):
        assert made.exhibits[0].number not in (await browser(world.people[login]).get("/exhibits?scope=held")).text
    assert made.exhibits[0].number in (await browser(world.saule).get("/exhibits?scope=unit")).text


async def test_pages_follow_each_other_without_a_gap(api: Any, world: World, database: Database) -> None:
    for _ in range(3):
        await register_seizure(database, world.aida, *(f"B-{n}" for n in range(20)))
    first = (await api(world.aida).get("/api/v1/exhibits?scope=held")).json()
    rest = (await api(world.aida).get(f"/api/v1/exhibits?scope=held&after={first['exhibits'][-1]['id']}")).json()
    assert (len(first["exhibits"]), first["more"], len(rest["exhibits"]), rest["more"]) == (50, True, 10, False)
    assert len({e["number"] for e in first["exhibits"] + rest["exhibits"]}) == 60


async def test_one_exhibit_as_json_and_as_not_found(api: Any, world: World, database: Database, app: Any) -> None:
    made = await register_seizure(database, world.aida)
    codes: Codes = app.state.codes
    url = f"/api/v1/exhibits/{codes.encode('exhibit', made.exhibits[0].id)}"
    assert (await api(world.aida).get(url)).json()["number"] == made.exhibits[0].number
    for login in ("timur", "oleg", "admin", "dinara"):
        assert (await api(world.people[login]).get(url)).status_code == 404
