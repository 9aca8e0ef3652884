"""The pages of cases: every tab answers, forms come back with words, and guessed addresses lead nowhere."""

from __future__ import annotations

import uuid

import pytest

from tests import casework
from tests.cast import World

TABS = ("", "/timeline", "/links", "/team", "/history")


@pytest.fixture
async def linked(world: World, database):
    """A police case with a granted customs seizure, and a customs seizure with the same container."""
    seizure = await casework.seize(database, world.aida, container="MSKU 907032 3", exhibits=3)
    second = await casework.seize(database, world.timur, container="МСКУ9070323")
    for supervisor, record in ((world.saule, seizure), (world.gulnara, second)):
        await casework.grant(database, supervisor, record.seizure, world.units["crime_unit"])
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, seizure.seizure)
    return case, seizure, second


async def test_every_tab_shows_the_case_to_its_team(world, linked, browser, app):
    case, seizure, _ = linked
    place = f"/cases/{app.state.codes.encode('case', case.id)}"
    async with browser(world.elena) as client:
        for tab in TABS:
            answer = await client.get(place + tab)
            assert answer.status_code == 200
            assert case.number in answer.text
        evidence = (await client.get(place)).text
        timeline = (await client.get(f"{place}/timeline")).text
    for exhibit in seizure.exhibits:
        assert exhibit.number in evidence
        assert exhibit.number in timeline
    assert "3 exhibits have no file" in evidence


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_the_same_container_in_the_other_script_is_hinted_at(world, linked, browser, app, language):
    case, _, second = linked
    async with browser(world.elena) as client:
        client.cookies.set("lang", language)
        page = (await client.get(f"/cases/{app.state.codes.encode('case', case.id)}/links")).text
    assert second.seizure.number in page


async def test_a_hint_shows_nothing_that_is_hidden(world, database, browser, app):
    mine = await casework.seize(database, world.aida, container="MSKU9070323")
    hidden = await casework.seize(database, world.timur, container="MSKU9070323")
    await casework.grant(database, world.saule, mine.seizure, world.units["crime_unit"])
    case = await casework.open_case(database, world.elena)
    await casework.put_in(database, world.elena, case, mine.seizure)
    async with browser(world.elena) as client:
        page = (await client.get(f"/cases/{app.state.codes.encode('case', case.id)}/links")).text
    assert hidden.seizure.number not in page


async def test_strangers_to_a_case_find_nothing_at_its_addresses(world, linked, browser, api, app):
    case, *_ = linked
    code = app.state.codes.encode("case", case.id)
    for who in (world.oleg, world.admin, world.dinara, world.aida):
        async with browser(who) as client:
            for path in (*TABS, "/grants", "/referrals"):
                assert (await client.get(f"/cases/{code}{path}")).status_code == 404
            for path in ("/status", "/members", "/links", "/seizures", "/grants"):
                assert (await client.submit(f"/cases/{code}{path}", FORMS[path])).status_code == 404
        async with api(who) as client:
            assert (await client.get(f"/api/v1/cases/{code}")).status_code == 404
            assert (await client.get(f"/api/v1/cases/{code}/timeline")).status_code == 404
            assert (await client.get(f"/api/v1/cases/{code}/grants")).status_code == 404


FORMS = {
    "/status": {"new-status": "closed"},
    "/members": {"person": "Oleg Volkov"},
    "/links": {"case": "2026-0412-7-00021-0", "reason": "same_person"},
    "/seizures": {"seizure": "2026-0412-00137-9"},
    "/grants": {"to": "unit:x", "purpose": "investigation", "endless": "1"},
}


async def test_a_refused_form_comes_back_with_words_and_what_was_typed(world, linked, browser, app):
    case, *_ = linked
    place = f"/cases/{app.state.codes.encode('case', case.id)}"
    sent = {
        f"{place}/seizures": {"seizure": "2026-0412-00137-1", "reason": "my reason"},
        f"{place}/links": {"case": "12", "reason": "same_person", "note": "my reason"},
        f"{place}/members": {"person": "my reason"},
        f"{place}/status": {"new-status": "in_court", "new-note": "my reason"},
    }
    async with browser(world.elena) as client:
        for address, fields in sent.items():
            answer = await client.submit(address, fields)
            assert answer.status_code == 422, address
            assert "There is a problem" in answer.text
            assert "my reason" in answer.text


async def test_a_case_is_opened_on_its_form_even_when_the_button_is_pressed_twice(world, browser):
    fields = {"client_id": str(uuid.uuid4()), "title": "Cigarettes in a coach", "summary": ""}
    async with browser(world.elena) as client:
        assert (await client.get("/cases/new")).status_code == 200
        assert (await client.submit("/cases", {**fields, "title": ""})).status_code == 422
        first = await client.submit("/cases", fields)
        second = await client.submit("/cases", fields)
        assert (await client.get(first.headers["location"])).status_code == 200
        assert "Cigarettes in a coach" in (await client.get("/cases")).text
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]


async def test_members_and_seizures_leave_after_a_check_page(world, linked, browser, app, database):
    case, seizure, _ = linked
    await casework.add_member(database, world.elena, case, world.oleg)
    codes = app.state.codes
    place = f"/cases/{codes.encode('case', case.id)}"
    person = f"{place}/members/{codes.encode('person', world.oleg.id)}/leave"
    thing = f"{place}/seizures/{codes.encode('seizure', seizure.seizure.id)}/leave"
    async with browser(world.elena) as client:
        for address in (person, thing):
            assert (await client.get(address)).status_code == 200
            assert (await client.submit(address, {"reason": ""})).status_code == 422
            assert (await client.submit(address, {"reason": "moved on"})).status_code == 303
            assert (await client.get(address)).status_code == 404
    assert not await casework.sees(database, world.oleg, case)


async def test_the_filter_finds_words_and_takes_any_text(world, linked, browser, app):
    case, *_ = linked
    place = f"/cases/{app.state.codes.encode('case', case.id)}"
    async with browser(world.elena) as client:
        assert "No exhibit of this case has these words" in (await client.get(place, params={"q": "tractor"})).text
        for words in ("%", "_", "pack", "'; --", "\x00", "\\", "日" * 300):
            assert (await client.get(place, params={"q": words})).status_code == 200
        for broken in ("x", "", "-1", "💥"):
            assert (await client.get(place, params={"after": broken})).status_code in (200, 404)
