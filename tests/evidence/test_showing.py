"""What a photograph is said to show: with its registration, later by an event of its own, and never by a change."""

from __future__ import annotations

import json
import uuid
from typing import Any

import asyncpg
import pytest

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import World
from tests.intake.pictures import picture
from tests.records import Registered, register_seizure


@pytest.fixture
def codes(app: Any) -> Codes:
    found: Codes = app.state.codes
    return found


def address(codes: Codes, made: Registered) -> str:
    return f"/api/v1/exhibits/{codes.encode('exhibit', made.exhibits[0].id)}/files/{uuid.uuid4()}?kind=photo"


async def send(browser: Any, member: Any, codes: Codes, made: Registered, shade: int, **headers: str) -> Any:
    sent = {"X-CSRF-Token": member.actor.csrf, "X-File-Name": "p.jpg", "Content-Type": "image/jpeg", **headers}
    return await browser(member).put(address(codes, made), content=picture(shade), headers=sent)


async def events(dba: asyncpg.Connection[Any], made: Registered, type_: str) -> list[dict[str, Any]]:
    rows = await dba.fetch(
        "select body from ledger.entry where stream = $1 and type = $2 order by id",
        f"seizure:{made.seizure.number}", type_,
    )  # fmt: skip
    return [json.loads(row["body"])["data"] for row in rows]


async def test_it_stands_in_the_event_that_received_the_photograph(
    browser: Any, world: World, database: Database, codes: Codes, db_dba: asyncpg.Connection[Any]
) -> None:
    made = await register_seizure(database, world.aida)
    with_point = await send(browser, world.aida, codes, made, 61, **{"X-Photo-Shows": "unloading"})
    without = await send(browser, world.aida, codes, made, 62)
    assert with_point.json()["shows_claimed"] == "unloading"
    assert without.json()["shows_claimed"] is None
    said = [event["claimed"] for event in await events(db_dba, made, "evidence:file:received")]
    assert said[0]["shows"] == "unloading"
    assert "shows" not in said[1]


@pytest.mark.parametrize("shows", ["no such point", "' or 1=1", "x" * 300])
async def test_a_point_of_no_list_is_refused_before_a_byte_is_kept(
    browser: Any, world: World, database: Database, codes: Codes, db_dba: asyncpg.Connection[Any], shows: str
) -> None:
    made = await register_seizure(database, world.aida)
    answer = await send(browser, world.aida, codes, made, 63, **{"X-Photo-Shows": shows})
    assert answer.status_code == 422
    assert "shows" in answer.json()["errors"]
    assert await db_dba.fetchval("select count(*) from evidence.file where seizure_id = $1", made.seizure.id) == 0


async def test_said_later_it_is_another_event_and_said_again_it_is_none(
    browser: Any, world: World, database: Database, codes: Codes, db_dba: asyncpg.Connection[Any]
) -> None:
    made = await register_seizure(database, world.aida)
    file = (await send(browser, world.aida, codes, made, 64, **{"X-Photo-Shows": "goods"})).json()["id"]
    at, csrf = f"/api/v1/files/{file}/showings", {"X-CSRF-Token": world.aida.actor.csrf}
    when = "2026-11-01T03:12:00+06:00"
    for said in ("goods", "opening", "opening", None):
        answer = await browser(world.aida).post(at, json={"shows": said, "device_at": when}, headers=csrf)
        assert (answer.status_code, answer.json()["shows_claimed"]) == (200, said)
    described = await events(db_dba, made, "evidence:file:described")
    assert [event["shows"] for event in described] == ["opening", None]
    assert described[0]["claimed"]["device_at"] == "2026-10-31T21:12:00.000Z"
    assert (await browser(world.aida).get(f"/api/v1/files/{file}")).json()["shows_claimed"] is None
    row = await db_dba.fetchrow("select shows, object_key from evidence.file where seizure_id = $1", made.seizure.id)
    assert row["shows"] == "goods"  # as it was received
    assert described[0]["file"] == row["object_key"]


async def test_neither_the_first_word_nor_a_later_one_can_be_changed(
    browser: Any, world: World, database: Database, codes: Codes, db_dba: asyncpg.Connection[Any]
) -> None:
    made = await register_seizure(database, world.aida)
    file = (await send(browser, world.aida, codes, made, 65, **{"X-Photo-Shows": "goods"})).json()["id"]
    at, csrf = f"/api/v1/files/{file}/showings", {"X-CSRF-Token": world.aida.actor.csrf}
    await browser(world.aida).post(at, json={"shows": "opening"}, headers=csrf)
    of_seizure = "file_id in (select id from evidence.file where seizure_id = $1)"
    for attempt in (
        "update evidence.file set shows = 'unloading' where seizure_id = $1",
        f"update evidence.showing set shows = 'unloading' where {of_seizure}",  # noqa: S608
        f"delete from evidence.showing where {of_seizure}",  # noqa: S608
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await db_dba.execute(attempt, made.seizure.id)


async def test_what_is_no_picture_shows_nothing(browser: Any, world: World, database: Database, codes: Codes) -> None:
    made = await register_seizure(database, world.aida)
    csrf = {"X-CSRF-Token": world.aida.actor.csrf, "Content-Type": "text/plain"}
    plain = address(codes, made).partition("?")[0]
    file = (await browser(world.aida).put(plain, content=b"a note", headers=csrf)).json()["id"]
    at = f"/api/v1/files/{file}/showings"
    refused = await browser(world.aida).post(
        at, json={"shows": "goods"}, headers={"X-CSRF-Token": world.aida.actor.csrf}
    )
    assert refused.status_code == 422
    answer = await browser(world.aida).put(
        f"{address(codes, made).partition('?')[0]}", content=b"a note", headers={**csrf, "X-Photo-Shows": "goods"}
    )
    assert answer.status_code == 422


async def test_the_seizures_page_tells_what_is_shown_and_what_is_missing_and_takes_a_word(
    browser: Any, world: World, database: Database, codes: Codes
) -> None:
    made = await register_seizure(database, world.aida)
    page = f"/seizures/{codes.encode('seizure', made.seizure.id)}"
    assert "Photo checklist" not in (await browser(world.aida).get(page)).text  # drugs on nobody's truck
    file = (await send(browser, world.aida, codes, made, 66)).json()["id"]
    answer = await browser(world.aida).submit(f"/files/{file}/showings", {"shows": "unloading"})
    assert answer.headers["location"] == f"{page}#checklist"
    text = (await browser(world.aida).get(page)).text
    assert "1 of 7 shown" in text
    assert "Missing: Seals before opening; What was unloaded" in text
    assert "said by Aida Asanova" in text
    assert "Say so" not in (await browser(world.elena).get(page)).text
    assert (await browser(world.aida).submit(f"/files/{file}/showings", {"shows": "nonsense"})).status_code == 422


async def test_the_plain_form_takes_a_photograph_for_each_point(
    browser: Any, world: World, db_dba: asyncpg.Connection[Any]
) -> None:
    form = {
        "client_id": str(uuid.uuid4()), "seized_at": "2026-11-01T03:12", "place": "Lane 3",
        "exhibits-0-category": "TIMBER", "exhibits-0-quantity": "3", "exhibits-0-unit": "m3",
        "exhibits-0-basis": "gross", "conveyances-0-kind": "truck", "conveyances-0-identifier": "01KG123ABC",
    }  # fmt: skip
    files = [
        ("photos", ("a.jpg", picture(71), "image/jpeg")),
        ("shows-goods", ("b.jpg", picture(72), "image/jpeg")),
        ("shows-left_inside", ("c.jpg", picture(73), "image/jpeg")),
    ]
    answer = await browser(world.aida).submit("/seizures/new", form, files=files)
    assert answer.status_code == 303, answer.text
    rows = await db_dba.fetch("select shows from evidence.file where received_by = $1 order by id", world.aida.id)
    assert [row["shows"] for row in rows] == [None, "goods", "left_inside"]
    saved = (await browser(world.aida).get(answer.headers["location"])).text
    assert "Photographs of the examination" in saved
    assert "2 of 7 shown" in saved
