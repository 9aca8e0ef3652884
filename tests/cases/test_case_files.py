"""Opening a case and changing it: who may, what is refused, and what the ledger says of it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from casemgmt.cases import actions, queries
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.reference import numbers
from tests import casework
from tests.cast import World


def new(title: str = "Heroin in a trailer") -> dict[str, str]:
    return {"client_id": str(uuid.uuid4()), "title": title}


async def events_of(dba, case) -> list[dict[str, Any]]:
    rows = await dba.fetch("select body from ledger.entry where stream = $1 order by stream_seq", f"case:{case.number}")
    return [json.loads(row["body"]) for row in rows]


async def test_an_investigator_opens_a_case_and_leads_it(world: World, api):
    async with api(world.elena) as client:
        made = (await client.post("/api/v1/cases", json=new())).json()
        case = (await client.get(f"/api/v1/cases/{made['id']}")).json()
    number = numbers.parse(case["number"])
    assert number.kind is numbers.Kind.CASE_FILE
    assert number.unit == world.codes["crime_unit"]
    assert case["status"] == "open"
    assert [(m["name"], m["role"]) for m in case["members"]] == [("Elena Petrova", "lead")]


async def test_sending_it_again_opens_no_second_case(world, api):
    data = new()
    async with api(world.elena) as client:
        first = await client.post("/api/v1/cases", json=data)
        second = await client.post("/api/v1/cases", json=data)
        listed = (await client.get("/api/v1/cases")).json()["cases"]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(listed) == 1


async def test_an_officer_a_custodian_and_a_prosecutor_open_no_case(world, api):
    for who in (world.aida, world.nurlan, world.dinara, world.askar, world.admin):
        async with api(who) as client:
            assert (await client.post("/api/v1/cases", json=new())).status_code == 403


async def test_nobody_opens_a_case_in_a_unit_that_is_not_theirs(world, api, app):
    other = app.state.codes.encode("unit", world.units["transport_police"])
    async with api(world.elena) as client:
        assert (await client.post("/api/v1/cases", json={**new(), "unit": other})).status_code == 403


async def test_a_status_goes_only_where_the_list_allows(world, database, api, app):
    case = await casework.open_case(database, world.elena)
    address = f"/api/v1/cases/{app.state.codes.encode('case', case.id)}"
    async with api(world.elena) as client:
        refused = await client.post(f"{address}/status", json={"status": "in_court"})
        assert refused.status_code == 422
        assert "status" in refused.json()["errors"]
        assert (await client.post(f"{address}/status", json={"status": "suspended"})).status_code == 204
        found = (await client.get(address)).json()
    assert (found["status"], found["next_statuses"]) == ("suspended", ["open", "closed"])


async def test_the_team_works_and_only_its_lead_or_the_units_supervisor_decides_who_is_on_it(world, database):
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg)
    with pytest.raises(Forbidden):
        await casework.add_member(database, world.oleg, case, world.marat)
    await casework.add_member(database, world.ruslan, case, world.marat)
    async with database.begin(world.oleg.actor) as db:
        assert {m.person_id for m in await queries.members(db, case)} == {
            world.elena.id, world.oleg.id, world.marat.id,
        }  # fmt: skip


async def test_whoever_leaves_the_team_loses_the_case_and_the_history_keeps_them(world, database, db_dba):
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg)
    assert await casework.sees(database, world.oleg, case)
    await casework.remove_member(database, world.elena, case, world.oleg)
    assert not await casework.sees(database, world.oleg, case)
    left = "select left_at is not null from cases.case_member where case_id = $1 and person_id = $2"
    assert await db_dba.fetchval(left, case.id, world.oleg.id)
    types = [event["type"] for event in await events_of(db_dba, case)]
    assert types == ["cases:case:opened", "cases:member:added", "cases:member:left"]


async def test_a_lead_from_another_unit_may_leave_by_themselves(world, database, db_dba):
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg, role="lead")
    await casework.remove_member(database, world.oleg, case, world.oleg)
    assert not await casework.sees(database, world.oleg, case)
    assert (await events_of(db_dba, case))[-1]["actor"]["id"] == world.oleg.id


async def test_the_last_lead_cannot_leave(world, database):
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg)
    with pytest.raises(Invalid) as refused:
        await casework.remove_member(database, world.ruslan, case, world.elena)
    assert "person" in refused.value.fields


async def test_nobody_is_on_a_team_twice(world, database):
    case = await casework.open_case(database, world.elena)
    with pytest.raises(Invalid):
        await casework.add_member(database, world.elena, case, world.elena)


async def test_a_hidden_seizure_and_a_wrong_number_get_the_same_answer(world, database, api, app):
    hidden = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.elena)
    address = f"/api/v1/cases/{app.state.codes.encode('case', case.id)}/seizures"
    async with api(world.elena) as client:
        by_number = await client.post(address, json={"seizure": hidden.number})
        by_code = await client.post(address, json={"seizure": app.state.codes.encode("seizure", hidden.id)})
        nonsense = await client.post(address, json={"seizure": "2026-0000-00001-1"})
    assert by_number.status_code == by_code.status_code == nonsense.status_code == 422
    assert by_number.json() == by_code.json() == nonsense.json()


async def test_a_seizure_is_put_in_once_and_taken_out_with_a_reason(world, database, db_dba):
    seizure = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, seizure)
    with pytest.raises(Invalid):
        await casework.put_in(database, world.elena, case, seizure)
    async with database.begin(world.elena.actor) as db:
        await actions.remove_seizure(db, world.elena.actor, case, seizure, "another investigation")
        assert list(await queries.seizures(db, case)) == []
    types = [event["type"] for event in await events_of(db_dba, case)]
    assert types == ["cases:case:opened", "cases:seizure:added", "cases:seizure:removed"]


async def test_only_the_team_puts_seizures_in_although_the_unit_reads_along(world, database):
    seizure = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.marat)
    await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    async with database.begin(world.askar.actor) as db:  # the auditor reads both
        with pytest.raises(Forbidden):
            await actions.add_seizure(db, world.askar.actor, case, seizure)


async def test_a_link_is_seen_only_by_who_sees_both_cases_and_no_event_names_the_other(world, database, db_dba):
    customs = await casework.open_case(database, world.marat, "Container at Torugart")
    police = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.marat, customs, world.elena)
    async with database.begin(world.elena.actor) as db:
        await actions.link(db, world.elena.actor, police, customs, "same_container")
        assert [item.other.number for item in await queries.links(db, police)] == [customs.number]
        assert [item.other.number for item in await queries.links(db, customs)] == [police.number]
    async with database.begin(world.marat.actor) as db:
        assert await queries.links(db, customs) == []
    said = json.dumps(await events_of(db_dba, customs))
    assert "cases:link:made" in said
    assert police.number not in said


async def test_the_same_link_is_made_once_and_never_to_the_case_itself(world, database):
    one, other = [await casework.open_case(database, world.elena, f"Case {n}") for n in "AB"]
    async with database.begin(world.elena.actor) as db:
        await actions.link(db, world.elena.actor, one, other, "same_person")
    for case, target in ((one, other), (other, one), (one, one)):
        with pytest.raises(Invalid):
            async with database.begin(world.elena.actor) as db:
                await actions.link(db, world.elena.actor, case, target, "same_person")


async def test_another_connection_needs_words(world, database):
    one, other = [await casework.open_case(database, world.elena, f"Case {n}") for n in "AB"]
    with pytest.raises(Invalid) as refused:
        async with database.begin(world.elena.actor) as db:
            await actions.link(db, world.elena.actor, one, other, "other")
    assert "note" in refused.value.fields
