"""The pages of a seizure and of an exhibit, and everybody's start page."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.demo.cast import PEOPLE
from tests.cast import World
from tests.records import register_seizure


@pytest.fixture
def codes(app: Any) -> Codes:
    found: Codes = app.state.codes
    return found


@pytest.mark.parametrize("login", list(PEOPLE))
async def test_everybody_has_a_start_page(browser: Any, world: World, login: str) -> None:
    page = await browser(world.people[login]).get("/")
    assert page.status_code == 200, page.text


async def test_an_officers_shift_shows_what_they_hold_and_have_not_finished(
    browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida)
    page = (await browser(world.aida).get("/")).text
    assert made.exhibits[0].number in page
    assert f"Seizure {made.seizure.number}" in page
    assert "things to do" in page
    assert made.seizure.number not in (await browser(world.timur).get("/")).text


async def test_an_administrators_start_page_shows_no_evidence(browser: Any, world: World, database: Database) -> None:
    made = await register_seizure(database, world.aida)
    page = (await browser(world.admin).get("/")).text
    assert made.seizure.number not in page
    assert "/seizures" not in page


async def test_the_seizure_page_shows_exhibits_holder_and_events(
    browser: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida, "B-1001", "B-1002")
    page = await browser(world.saule).get(f"/seizures/{codes.encode('seizure', made.seizure.id)}")
    assert page.status_code == 200, page.text
    for shown in (made.seizure.number, made.exhibits[1].number, "B-1002", "Aida Asanova", "registered"):
        assert shown in page.text


async def test_the_three_signs_say_only_what_was_checked(
    browser: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    page = await browser(world.aida).get(f"/exhibits/{codes.encode('exhibit', made.exhibits[0].id)}")
    assert page.status_code == 200, page.text
    assert "There are no files yet." in page.text
    assert "1 event, recomputed from the ledger just now." in page.text
    assert "Seal B-1001 was intact when Aida Asanova last recorded it." in page.text


async def test_a_chain_that_was_tampered_with_is_shown_as_broken(
    browser: Any, world: World, database: Database, db_dba: asyncpg.Connection[Any], codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    # only somebody above all walls of the database can do this
    await db_dba.execute("alter table custody.event disable trigger no_change")
    try:
        await db_dba.execute(
            "update custody.event set hash = sha256('other'::bytea) where exhibit_id = $1", made.exhibits[0].id
        )
    finally:
        await db_dba.execute("alter table custody.event enable always trigger no_change")
    page = await browser(world.aida).get(f"/exhibits/{codes.encode('exhibit', made.exhibits[0].id)}")
    assert "The chain does not hold at event 1" in page.text


async def test_records_one_may_not_see_are_not_found(
    browser: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    seizure = f"/seizures/{codes.encode('seizure', made.seizure.id)}"
    exhibit = f"/exhibits/{codes.encode('exhibit', made.exhibits[0].id)}"
    for login in ("timur", "oleg", "admin", "dinara", "nurlan"):
        for url in (seizure, exhibit, f"{seizure}/correct", f"{seizure}/people", f"{seizure}/need-to-know"):
            assert (await browser(world.people[login]).get(url)).status_code == 404, (login, url)


@pytest.mark.parametrize("code", ["x", "new1", "%F0%9F%92%8A", "a" * 5000, "0"])
async def test_a_made_up_code_is_not_found(browser: Any, world: World, code: str) -> None:
    for kind in ("seizures", "exhibits"):
        assert (await browser(world.aida).get(f"/{kind}/{code}")).status_code == 404
