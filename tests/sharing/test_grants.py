"""Grants: who gives them, what is refused, how they end, and that their history stays."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Conflict, Forbidden
from casemgmt.sharing import queries
from tests import casework
from tests.cast import World


def day(after: int = 0) -> date:
    """Today in the zone of ``casework.grant``, or so many days later: asked when it is needed, for midnight passes."""
    return utcnow().date() + timedelta(days=after)


@pytest.fixture
async def seized(world: World, database):
    return (await casework.seize(database, world.aida)).seizure


def asked(app, unit_id: int, **more) -> dict[str, Any]:
    unit = app.state.codes.encode("unit", unit_id)
    return {"to": f"unit:{unit}", "purpose": "investigation", "endless": True, **more}


async def test_a_supervisor_shares_and_withdraws_through_the_api(world, database, seized, api, app):
    address = f"/api/v1/seizures/{app.state.codes.encode('seizure', seized.id)}"
    until = day(30)
    async with api(world.saule) as boss, api(world.elena) as elena:
        assert (await elena.get(address)).status_code == 404
        data = asked(app, world.units["crime_unit"], endless=False, until=until.isoformat(), onward=True)
        given = await boss.post(f"{address}/grants", json=data)
        assert given.status_code == 201
        assert given.json()["state"] == "live"
        assert (await elena.get(address)).status_code == 200
        ended = await boss.post(f"/api/v1/grants/{given.json()['id']}/end", json={"reason": "request closed"})
        assert ended.status_code == 204
        assert (await elena.get(address)).status_code == 404
        (kept,) = (await boss.get(f"{address}/grants")).json()
    assert (kept["state"], kept["end_reason"], kept["onward"]) == ("ended", "request closed", True)


async def test_the_last_day_is_a_whole_day_in_the_installations_zone(world, database, seized):
    last = day(1)  # not today: that may end while this runs
    given = await casework.grant(database, world.saule, seized, world.units["crime_unit"], until=last)
    assert given.until is not None
    assert given.until.date() == last + timedelta(days=1)
    assert (given.until.hour, given.until.minute) == (0, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endless": False}, "until"),
        ({"until": "2199-12-31"}, "until"),
        ({"endless": False, "until": "2020-01-01"}, "until"),
        ({"endless": False, "until": "2026-02-30"}, "until"),
        ({"purpose": "curiosity"}, "purpose"),
        ({"purpose": "other"}, "note"),
        ({"to": ""}, "to"),
        ({"to": "unit:nonsense"}, "to"),
        ({"to": "planet:x"}, "to"),
        ({"person": "Elena Petrova"}, "to"),
        ({"to": "", "person": "Nobody Whosoever"}, "person"),
        ({"with_seizures": True}, "with_seizures"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_a_grant_that_does_not_fit_is_answered_beside_its_field(world, seized, api, app, change, field):
    address = f"/api/v1/seizures/{app.state.codes.encode('seizure', seized.id)}/grants"
    async with api(world.saule) as client:
        answer = await client.post(address, json={**asked(app, world.units["crime_unit"]), **change})
        assert (await client.get(address)).json() == []
    assert answer.status_code == 422
    assert field in answer.json()["errors"]


async def test_one_person_is_named_by_sign_in_name(world, database, seized, browser, app):
    address = f"/seizures/{app.state.codes.encode('seizure', seized.id)}/grants"
    fields = {"person": world.elena.login, "purpose": "expertise", "endless": "1"}
    async with browser(world.saule) as client:
        assert (await client.submit(address, fields)).status_code == 303
        assert "Elena Petrova" in (await client.get(address)).text
    assert await casework.sees(database, world.elena, seized)
    assert not await casework.sees(database, world.ruslan, seized)


async def test_only_the_owning_units_supervisor_shares(world, database, seized, api, app):
    await casework.grant(database, world.saule, seized, world.units["crime_unit"])
    address = f"/api/v1/seizures/{app.state.codes.encode('seizure', seized.id)}/grants"
    data = asked(app, world.units["transport_police"])
    expected = {world.aida: 403, world.ruslan: 403, world.askar: 403, world.gulnara: 404, world.admin: 404}
    for who, status in expected.items():
        async with api(who) as client:
            assert (await client.post(address, json=data)).status_code == status, who.login
    assert not await casework.sees(database, world.oleg, seized)


async def test_the_receiver_cannot_end_what_they_were_given(world, database, seized):
    given = await casework.grant(database, world.saule, seized, world.units["crime_unit"])
    with pytest.raises(Forbidden):
        await casework.end_grant(database, world.ruslan, given.id)


async def test_pressing_the_button_twice_shares_once_and_withdrawing_twice_is_a_conflict(world, database, seized):
    give = [casework.grant(database, world.saule, seized, world.units["crime_unit"]) for _ in range(4)]
    assert len({given.id for given in await asyncio.gather(*give)}) == 1
    async with database.begin(world.saule.actor) as db:
        (given,) = await queries.grants_of_seizure(db, seized.id)
    ends = [casework.end_grant(database, world.saule, given.id) for _ in range(4)]
    outcomes = await asyncio.gather(*ends, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3


async def test_a_grant_is_seen_by_its_two_sides_only(world, database, seized):
    await casework.grant(database, world.saule, seized, world.units["crime_unit"])
    await casework.grant(database, world.saule, seized, world.units["transport_police"])
    counts = {}
    for name in ("saule", "aida", "elena", "oleg", "askar"):
        async with database.begin(world.people[name].actor) as db:
            counts[name] = len(await queries.grants_of_seizure(db, seized.id))
    assert counts == {"saule": 2, "aida": 2, "elena": 1, "oleg": 1, "askar": 2}


async def test_a_case_is_shared_with_or_without_its_seizures(world, database):
    own = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, own, world.units["customs_investigation"])
    case = await casework.open_case(database, world.marat)
    await casework.put_in(database, world.marat, case, own)
    await casework.add_member(database, world.marat, case, world.saule)
    with pytest.raises(Forbidden):
        await casework.grant(database, world.marat, case, world.units["crime_unit"])
    assert not await casework.sees(database, world.elena, case)


async def test_the_pages_show_the_grants_and_ask_before_one_is_withdrawn(world, database, seized, browser, app):
    codes = app.state.codes
    given = await casework.grant(database, world.saule, seized, world.units["crime_unit"], onward=True)
    address = f"/seizures/{codes.encode('seizure', seized.id)}/grants"
    end = f"{address}/{codes.encode('grant', given.id)}/end"
    async with browser(world.saule) as client:
        page = (await client.get(address)).text
        assert "In force" in page
        assert "May be referred to a prosecutor" in page
        refused = await client.submit(address, {"to": "", "purpose": "", "note": "kept words"})
        assert refused.status_code == 422
        assert "kept words" in refused.text
        assert (await client.get(end)).status_code == 200
        assert (await client.submit(end, {"reason": ""})).status_code == 422
        assert (await client.submit(end, {"reason": "request closed"})).status_code == 303
        page = (await client.get(address)).text
        assert "Withdrawn" in page
        assert "request closed" in page
        assert (await client.submit(end, {"reason": "again"})).status_code == 409
    async with browser(world.elena) as client:
        assert (await client.get(address)).status_code == 404


async def test_a_grant_of_another_record_is_not_found_under_this_one(world, database, seized, browser, app):
    codes = app.state.codes
    other = (await casework.seize(database, world.aida)).seizure
    given = await casework.grant(database, world.saule, other, world.units["crime_unit"])
    end = f"/seizures/{codes.encode('seizure', seized.id)}/grants/{codes.encode('grant', given.id)}/end"
    async with browser(world.saule) as client:
        assert (await client.get(end)).status_code == 404
        assert (await client.submit(end, {"reason": "wrong record"})).status_code == 404
