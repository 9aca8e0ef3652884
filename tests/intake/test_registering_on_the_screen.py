"""The one screen, as a browser without JavaScript uses it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import Any

import asyncpg
import pytest

from tests.cast import Browser, World
from tests.intake.pictures import picture


def photos(*pictures: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("photos", (f"IMG_{i}.jpg", data, "image/jpeg")) for i, data in enumerate(pictures)]


async def register(browser: Browser, form: dict[str, Any], *pictures: bytes) -> str:
    answer = await browser.submit("/seizures/new", form, files=photos(*pictures))
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].endswith("/saved")
    return str(answer.headers["location"])


async def test_the_form_brings_its_own_identifier_time_and_place(browser: Any, world: World) -> None:
    page = await browser(world.aida).get("/seizures/new")
    assert page.status_code == 200
    assert 'name="client_id" value="' in page.text
    assert "Ak-Tilek post" in page.text
    assert "Aida Asanova" in page.text


async def test_the_files_come_after_every_field_of_the_form(browser: Any, world: World) -> None:
    page = await browser(world.aida).get("/seizures/new")
    form = page.text[page.text.index('class="intake"') :]
    form = form[: form.index("</form>")]
    for control in re.findall("<(?:input|select|textarea|button)[^>]*>", form[form.index('type="file"') :]):
        assert 'type="file"' in control or " name=" not in control, control


async def test_a_seizure_with_two_photographs_is_registered(
    browser: Any, world: World, form: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    aida = browser(world.aida)
    first, second = picture(10), picture(20)
    form["photos_sha256"] = json.dumps([hashlib.sha256(first).hexdigest(), None])
    saved = await aida.get(await register(aida, form, first, second))
    assert saved.status_code == 200
    assert "On server, hash equal" in saved.text
    assert saved.text.count("On server") == 2
    seizure = await db_dba.fetchrow("select * from seizures.seizure where created_by = $1", world.aida.id)
    assert seizure["number"] in saved.text
    assert seizure["number"].split("-")[1] == world.codes["post"]
    exhibit = await db_dba.fetchrow("select * from exhibits.exhibit where seizure_id = $1", seizure["id"])
    assert (exhibit["quantity"], exhibit["unit"], exhibit["quantity_basis"]) == (pytest.approx(512.5), "g", "gross")
    assert exhibit["holder_id"] == world.aida.id
    files = await db_dba.fetch("select * from evidence.file where exhibit_id = $1", exhibit["id"])
    assert {row["sha256"] for row in files} == {hashlib.sha256(p).digest() for p in (first, second)}


async def test_a_double_tap_makes_one_seizure_and_each_photograph_once(
    browser: Any, world: World, form: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    aida = browser(world.aida)
    pictures = picture(30), picture(40)
    assert await register(aida, form, *pictures) == await register(aida, form, *pictures)
    assert await db_dba.fetchval("select count(*) from seizures.seizure where created_by = $1", world.aida.id) == 1
    assert await db_dba.fetchval("select count(*) from evidence.file where received_by = $1", world.aida.id) == 2


async def test_another_photograph_of_the_same_name_is_not_lost_without_a_word(
    browser: Any, world: World, form: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    """Back, another picture that the phone calls the same, save: without a script nothing else tells them apart."""
    aida = browser(world.aida)
    await register(aida, form, picture(50))
    answer = await aida.submit("/seizures/new", form, files=photos(picture(60)))
    assert answer.status_code == 200
    assert "Another file was sent under this identifier" in answer.text
    kept = await db_dba.fetchval("select sha256 from evidence.file where received_by = $1", world.aida.id)
    assert kept == hashlib.sha256(picture(50)).digest()


async def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_beside_the_field(
    browser: Any, world: World, form: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    form |= {"exhibits-0-quantity": "2.5", "exhibits-0-category": "CURR", "exhibits-0-unit": "pcs"}
    form |= {"conveyances-0-kind": "truck", "conveyances-0-identifier": "01KG777ABC", "ground": "art. 255"}
    answer = await browser(world.aida).submit("/seizures/new", form, files=photos(picture()))
    assert answer.status_code == 422
    assert "This unit is counted in whole numbers." in answer.text
    assert 'href="#exhibits-0-quantity"' in answer.text
    for kept in ('value="2.5"', "01KG777ABC", "art. 255", form["client_id"], "00451879"):
        assert kept in answer.text
    assert "Choose the photographs again" in answer.text
    assert await db_dba.fetchval("select count(*) from seizures.seizure where created_by = $1", world.aida.id) == 0
    assert await db_dba.fetchval("select count(*) from evidence.file where received_by = $1", world.aida.id) == 0


async def test_an_empty_form_is_answered_with_words_and_not_with_a_failure(browser: Any, world: World) -> None:
    answer = await browser(world.aida).submit("/seizures/new", {}, files=photos(picture()))
    assert answer.status_code == 422
    assert 'href="#exhibits-0-category"' in answer.text
    assert 'name="client_id" value=""' not in answer.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", "not-a-uuid"),
        ("seized_at", "yesterday"),
        ("seized_at", "2999-01-01T00:00"),
        ("exhibits-0-category", "GOLD"),
        ("exhibits-0-quantity", "NaN"),
        ("exhibits-0-quantity", "-1"),
        ("exhibits-0-quantity", "1e30"),
        ("exhibits-0-unit", "parsec"),
        ("exhibits-0-value", "12.345"),
        ("place_latitude", "91"),
        ("place", "x" * 201),
        ("participants-0-role", "king"),
        ("conveyances-0-kind", "submarine"),
    ],
)
async def test_what_does_not_fit_is_refused_beside_its_field(
    browser: Any, world: World, form: dict[str, Any], name: str, value: str
) -> None:
    answer = await browser(world.aida).submit("/seizures/new", {**form, name: value}, files=photos(picture()))
    assert answer.status_code == 422, answer.text


async def test_a_photograph_that_is_none_does_not_undo_the_registration(
    browser: Any, world: World, form: dict[str, Any]
) -> None:
    aida = browser(world.aida)
    answer = await aida.submit("/seizures/new", form, files=photos(picture(), b"MZ this is a program"))
    assert answer.status_code == 200
    assert "Not every photograph was taken" in answer.text
    assert "IMG_1.jpg" in answer.text
    assert "The bytes are not a picture or a film." in answer.text
    assert answer.text.count("On server") == 1
    assert "Send photographs again" in answer.text


async def test_a_photograph_with_another_hash_than_was_said_is_refused(
    browser: Any, world: World, form: dict[str, Any]
) -> None:
    form["photos_sha256"] = json.dumps(["0" * 64])
    answer = await browser(world.aida).submit("/seizures/new", form, files=photos(picture()))
    assert answer.status_code == 200
    assert "their SHA-256 differs" in answer.text


async def test_it_works_without_any_photograph_and_then_asks_for_one(
    browser: Any, world: World, form: dict[str, Any]
) -> None:
    aida = browser(world.aida)
    plain = await aida.submit("/seizures/new", form)
    assert plain.status_code == 303
    saved = await aida.get(plain.headers["location"])
    assert "No photographs yet" in saved.text
    assert "Photographs of exhibit 1" in saved.text


async def test_registering_another_keeps_place_people_and_kind_but_not_the_thing(
    browser: Any, world: World, form: dict[str, Any]
) -> None:
    aida = browser(world.aida)
    form |= {"participants-0-role": "driver", "participants-0-name": "Azamat Toktosunov", "ground": "art. 255"}
    location = await register(aida, form, picture())
    again = await aida.get(f"/seizures/new?like={location.split('/')[2]}")
    for kept in ("Ak-Tilek, lane 3", "Azamat Toktosunov", "art. 255"):
        assert kept in again.text
    for gone in ("00451879", "512.5", form["client_id"]):
        assert gone not in again.text


async def test_a_form_without_the_session_token_is_refused_before_anything_is_stored(
    browser: Any, world: World, form: dict[str, Any], db_dba: asyncpg.Connection[Any]
) -> None:
    answer = await browser(world.aida).post("/seizures/new", data=form, files=photos(picture()))
    assert answer.status_code == 403
    assert await db_dba.fetchval("select count(*) from seizures.seizure where created_by = $1", world.aida.id) == 0


@pytest.mark.parametrize("login", ["nurlan", "saule", "elena", "dinara", "askar", "admin"])
async def test_only_an_officer_registers(browser: Any, world: World, form: dict[str, Any], login: str) -> None:
    other = browser(world.people[login])
    assert (await other.get("/seizures/new")).status_code == 403
    assert (await other.submit("/seizures/new", form, files=photos(picture()))).status_code == 403


async def test_nobody_of_another_unit_finds_the_saved_page(browser: Any, world: World, form: dict[str, Any]) -> None:
    location = await register(browser(world.aida), form, picture())
    for login in ("oleg", "timur", "admin", "dinara"):
        assert (await browser(world.people[login]).get(location)).status_code == 404


async def test_a_plain_form_is_answered_at_once_and_not_waited_for(browser: Any, world: World) -> None:
    async with asyncio.timeout(3):
        answer = await browser(world.aida).submit("/seizures/new")
    assert answer.status_code == 422


async def test_a_field_after_a_file_is_refused_in_words(browser: Any, world: World) -> None:
    head = '--b\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\nx\r\n'
    tail = '--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nx\r\n--b--\r\n'
    answer = await browser(world.aida).post(
        "/seizures/new", content=head + tail, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code in (400, 403)
