"""The search box: both scripts, whole numbers, any text, and nothing of what is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemgmt.search import queries
from tests import casework
from tests.cast import World


@pytest.fixture
async def known(world: World, database):
    return await casework.seize(
        database,
        world.aida,
        container="MSKU 907032 3",
        person="Бакыт Усенов",
        description="жемчуг в коробке",
        exhibits=2,
    )


async def found(api, who, typed: str) -> dict[str, Any]:
    async with api(who) as client:
        answer = await client.get("/api/v1/search", params={"q": typed})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    "typed",
    [
        "MSKU9070323", "msku 907032 3", "МСКУ9070323", "мску 907032 3", "MSKU907", "МСКУ",
        "Усенов", "Usenov", "Бакыт Усенов", "usenov bakyt", "Бак Усен",
    ],
)  # fmt: skip
async def test_a_container_and_a_name_are_found_in_either_script_and_from_their_beginning(world, known, api, typed):
    assert [s["number"] for s in (await found(api, world.aida, typed))["seizures"]] == [known.seizure.number]


@pytest.mark.parametrize("typed", ["Усенов Сыдыков", "MSKU9070324", "Бакытов", "ZZZ"])
async def test_what_fits_only_in_part_is_not_found(world, known, api, typed):
    assert (await found(api, world.aida, typed))["seizures"] == []


@pytest.mark.parametrize("typed", ["жемчуг", "коробке жемчуг", "жемч", "ЖЕМЧУГ"])
async def test_words_of_the_description_find_the_exhibits(world, known, api, typed):
    numbers = {e["number"] for e in (await found(api, world.aida, typed))["exhibits"]}
    assert numbers == {e.number for e in known.exhibits}


async def test_a_case_is_found_by_title_and_number(world, database, api):
    case = await casework.open_case(database, world.elena, "Контрабанда сигарет")
    for typed in ("сигарет", "kontrabanda", "Контрабанда сигарет"):
        assert [c["number"] for c in (await found(api, world.elena, typed))["cases"]] == [case.number]
    assert (await found(api, world.oleg, "сигарет"))["cases"] == []
    assert (await found(api, world.elena, case.number))["exact"]["kind"] == "case"


async def test_a_whole_number_opens_the_record(world, known, browser, app):
    codes, exhibit = app.state.codes, known.exhibits[1]
    typed = {
        known.seizure.number: f"/seizures/{codes.encode('seizure', known.seizure.id)}",
        known.seizure.number.replace("-", " "): f"/seizures/{codes.encode('seizure', known.seizure.id)}",
        f"№ {exhibit.number}": f"/exhibits/{codes.encode('exhibit', exhibit.id)}",
    }
    async with browser(world.aida) as client:
        for number, place in typed.items():
            answer = await client.get("/search", params={"q": number})
            assert (answer.status_code, answer.headers.get("location")) == (303, place)
    async with browser(world.oleg) as client:
        for number in typed:
            answer = await client.get("/search", params={"q": number})
            assert answer.status_code == 200
            assert "Nothing found" in answer.text


async def test_the_page_shows_the_groups(world, known, browser):
    async with browser(world.aida) as client:
        page = (await client.get("/search", params={"q": "Усенов"})).text
        assert known.seizure.number in page
        page = (await client.get("/search", params={"q": "жемчуг"})).text
        assert known.exhibits[0].number in page
        assert (await client.get("/search")).status_code == 200


async def test_a_seizure_marked_need_to_know_is_found_by_those_named_only(world, database, known, api):
    await casework.hide(database, world.saule, known.seizure)
    for typed in ("MSKU9070323", "Усенов", "жемчуг", known.seizure.number):
        for who, sees in ((world.aida, True), (world.saule, True), (world.askar, False), (world.nurlan, False)):
            answer = await found(api, who, typed)
            assert bool(answer["seizures"] or answer["exhibits"] or answer["exact"]) is sees, (typed, who.login)


async def test_more_than_fifty_are_cut_and_said_to_be_more(world, database, api):
    await casework.seize(database, world.aida, description="сигареты", exhibits=queries.MOST + 1)
    answer = await found(api, world.aida, "сигареты")
    assert len(answer["exhibits"]) == queries.MOST
    assert answer["more"] == ["exhibits"]


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "'", "';--", "%", "_", "\\", "\x00", "a & | ! ( ) :*", "<->", "!!", ":*", '"', "﷽" * 300, "💥",
        "\ud800", "-", "2026", "2026-0412-00137-9", "0" * 400, "А" * 1000, "a " * 500, "1 2 3 4 5 6 7 8 9",
        "\u202e", "n:usenov", "\U0010ffff",
    ],
)  # fmt: skip
async def test_no_text_is_an_error(world, known, browser, api, typed):
    typed = typed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    async with browser(world.aida) as client:
        assert (await client.get("/search", params={"q": typed})).status_code in (200, 303)
    await found(api, world.aida, typed)


async def test_bytes_that_are_no_text_are_no_error_either(world, browser):
    async with browser(world.aida) as client:
        assert (await client.get("/search?q=%ff%fe%00%ed%a0%80")).status_code == 200


@given(typed=st.text(max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cleaning_keeps_only_what_can_be_searched(typed: str) -> None:
    cleaned = queries.clean(typed)
    assert queries.clean(cleaned) == cleaned
    assert "\x00" not in cleaned
    cleaned.encode()
