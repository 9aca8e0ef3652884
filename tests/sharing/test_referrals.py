"""Referring a case: what goes to the prosecutor, and that nothing else does, anywhere."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest

from casemgmt.cases import actions as case_actions
from casemgmt.cases import queries as case_queries
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.sharing import queries
from tests import casework
from tests.cast import World


@pytest.fixture
async def referred(world: World, database):
    """A police case with two customs seizures, of which one is referred."""
    goes = await casework.seize(database, world.aida, container="MSKU9070323", person="Бакыт Усенов")
    stays = await casework.seize(database, world.aida, container="CSQU3054383", person="Jyldyz Sadykova")
    for record in (goes, stays):
        await casework.grant(database, world.saule, record.seizure, world.units["crime_unit"], onward=True)
    case = await casework.open_case(database, world.elena, "Heroin in a trailer")
    await casework.put_in(database, world.elena, case, goes.seizure, stays.seizure)
    await casework.refer(database, world.elena, case, world.units["prosecutors"], goes.seizure)
    return case, goes, stays


async def test_the_prosecutor_finds_what_was_referred_and_nothing_else_anywhere(world, referred, browser, api, app):
    case, goes, stays = referred
    codes = app.state.codes
    code = codes.encode("case", case.id)
    hidden = {stays.seizure.number, stays.exhibits[0].number, "Sadykova", "CSQU3054383"}
    pages = [
        f"/cases/{code}", f"/cases/{code}/timeline", f"/cases/{code}/links", f"/cases/{code}/team",
        f"/cases/{code}/history", f"/cases/{code}/grants", f"/cases/{code}/referrals", "/cases?scope=shared",
        "/seizures?scope=shared", "/exhibits?scope=shared", f"/seizures/{codes.encode('seizure', goes.seizure.id)}",
    ]  # fmt: skip
    async with browser(world.dinara) as client:
        for path in pages:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert not [words for words in hidden if words in answer.text], path
        evidence = (await client.get(f"/cases/{code}")).text
        assert goes.exhibits[0].number in evidence
        for kind, record in (("seizure", stays.seizure), ("exhibit", stays.exhibits[0])):
            assert (await client.get(f"/{kind}s/{codes.encode(kind, record.id)}")).status_code == 404
    async with api(world.dinara) as client:
        for typed in (*hidden, "package", case.number):
            found = (await client.get("/api/v1/search", params={"q": typed})).json()
            assert {s["number"] for s in found["seizures"]} <= {goes.seizure.number}
            assert {e["number"] for e in found["exhibits"]} <= {goes.exhibits[0].number}
        seen = (await client.get(f"/api/v1/cases/{code}")).json()
        assert [s["number"] for s in seen["seizures"]] == [goes.seizure.number]
        timeline = json.dumps((await client.get(f"/api/v1/cases/{code}/timeline")).json(), ensure_ascii=False)
        assert not [words for words in hidden if words in timeline]
        listed = (await client.get("/api/v1/seizures", params={"scope": "shared"})).json()["seizures"]
        assert [s["number"] for s in listed] == [goes.seizure.number]


async def test_outsider_and_administrator_find_none_of_it(world, referred, browser, api, app):
    case, goes, _ = referred
    codes = app.state.codes
    for who in (world.oleg, world.admin):
        async with browser(who) as client:
            for path in ("", "/timeline", "/links", "/team", "/history", "/grants", "/referrals"):
                assert (await client.get(f"/cases/{codes.encode('case', case.id)}{path}")).status_code == 404
            assert (await client.get(f"/seizures/{codes.encode('seizure', goes.seizure.id)}")).status_code == 404
        async with api(who) as client:
            for typed in ("MSKU9070323", "Усенов", "Heroin", "package", goes.seizure.number, case.number):
                found = (await client.get("/api/v1/search", params={"q": typed})).json()
                assert found["exact"] is None
                assert found["cases"] == found["seizures"] == found["exhibits"] == []
            for kind in ("cases", "seizures", "exhibits"):
                for scope in ("", "team", "unit", "shared"):
                    assert (await client.get(f"/api/v1/{kind}", params={"scope": scope})).json()[kind] == []


async def test_the_case_is_then_referred_and_its_event_names_no_seizure(world, referred, database, db_dba):
    case, goes, stays = referred
    async with database.begin(world.elena.actor) as db:
        assert (await case_queries.case(db, case.id)).status == "referred"
    body = await db_dba.fetchval(
        "select body from ledger.entry where case_id = $1 and type = 'sharing:referral:made'", case.id
    )
    assert goes.seizure.number.encode() not in body
    assert stays.seizure.number.encode() not in body


async def test_a_foreign_seizure_goes_only_where_its_agency_allows_it(world, database):
    closed = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, closed, world.units["crime_unit"])
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, closed)
    with pytest.raises(Invalid) as refused:
        await casework.refer(database, world.elena, case, world.units["prosecutors"], closed)
    assert "seizures" in refused.value.fields
    assert not await casework.sees(database, world.dinara, case)
    opened = await casework.grant(database, world.saule, closed, world.units["crime_unit"], onward=True)
    await casework.end_grant(database, world.saule, opened.id)
    with pytest.raises(Invalid):
        await casework.refer(database, world.elena, case, world.units["prosecutors"], closed)


async def test_a_foreign_seizure_is_referred_no_longer_than_its_own_grant_lasts(world, database):
    foreign = (await casework.seize(database, world.aida)).seizure
    until = utcnow().date() + timedelta(days=3)
    given = await casework.grant(database, world.saule, foreign, world.units["crime_unit"], until=until, onward=True)
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, foreign)
    await casework.refer(database, world.elena, case, world.units["prosecutors"], foreign)
    async with database.begin(world.saule.actor) as db:
        by_referral = [g for g in await queries.grants_of_seizure(db, foreign.id) if g.by_referral]
    assert [g.until for g in by_referral] == [given.until]
    await casework.end_grant(database, world.saule, by_referral[0].id)  # the originator sees it and may end it
    assert not await casework.sees(database, world.dinara, foreign)
    assert await casework.sees(database, world.dinara, case)


async def test_a_case_of_the_same_agency_is_referred_without_any_permission_to_pass_on(world, database):
    own = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, own, world.units["customs_investigation"])
    case = await casework.open_case(database, world.marat)
    await casework.put_in(database, world.marat, case, own)
    await casework.refer(database, world.marat, case, world.units["prosecutors"], own)
    assert await casework.sees(database, world.dinara, own)


async def test_only_a_lead_refers_and_only_to_a_prosecution_unit(world, database):
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg)
    with pytest.raises(Forbidden):
        await casework.refer(database, world.oleg, case, world.units["prosecutors"])
    with pytest.raises(Invalid) as refused:
        await casework.refer(database, world.elena, case, world.units["transport_police"])
    assert "unit" in refused.value.fields


async def test_a_suspended_case_is_not_referred(world, database):
    case = await casework.open_case(database, world.elena)
    async with database.begin(world.elena.actor) as db:
        await case_actions.change_status(db, world.elena.actor, case, "suspended")
    with pytest.raises(Invalid):
        await casework.refer(database, world.elena, case, world.units["prosecutors"])


async def test_a_seizure_outside_the_case_cannot_be_slipped_in(world, database):
    outside = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.marat)
    with pytest.raises(Invalid):
        await casework.refer(database, world.marat, case, world.units["prosecutors"], outside)


async def test_more_may_follow_and_the_same_sending_refers_once(world, referred, api, app):
    case, _, stays = referred
    codes = app.state.codes
    data = {
        "client_id": str(uuid.uuid4()), "unit": codes.encode("unit", world.units["prosecutors"]),
        "seizures": [codes.encode("seizure", stays.seizure.id)], "qualification": "art. 267 p. 2",
    }  # fmt: skip
    address = f"/api/v1/cases/{codes.encode('case', case.id)}/referrals"
    async with api(world.elena) as client:
        first, second = [await client.post(address, json=data) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    async with api(world.dinara) as client:
        seen = (await client.get(f"/api/v1/cases/{codes.encode('case', case.id)}")).json()
    assert stays.seizure.number in {s["number"] for s in seen["seizures"]}


async def test_the_form_chooses_everything_that_may_go_and_locks_what_may_not(world, database, browser, app):
    may = (await casework.seize(database, world.aida)).seizure
    may_not = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, may, world.units["crime_unit"], onward=True)
    await casework.grant(database, world.saule, may_not, world.units["crime_unit"])
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, may, may_not)
    codes = app.state.codes
    address = f"/cases/{codes.encode('case', case.id)}/referrals"
    async with browser(world.elena) as client:
        page = (await client.get(address)).text
        assert f'value="{codes.encode("seizure", may.id)}" checked>' in page
        assert f'value="{codes.encode("seizure", may_not.id)}" disabled>' in page
        fields = {"client_id": str(uuid.uuid4()), "seizures": [codes.encode("seizure", may.id)], "note": "my words"}
        refused = await client.submit(address, fields)
        assert refused.status_code == 422
        assert "my words" in refused.text
        fields["unit"] = codes.encode("unit", world.units["prosecutors"])
        assert (await client.submit(address, fields)).status_code == 303
    assert await casework.sees(database, world.dinara, may)
    assert not await casework.sees(database, world.dinara, may_not)
