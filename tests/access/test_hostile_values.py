"""Values no honest page sends, and requests that come from another site's page: refused in words, nothing done."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from litestar import Litestar

from casemgmt.core.db import Database
from tests import casework
from tests.access.scene import registration
from tests.cast import Api, Browser, Member, World

Browsers = Callable[[Member | None], Browser]
Apis = Callable[[Member | None], Api]


@pytest.mark.parametrize("number", [2**63, 2**70])
async def test_a_code_of_an_id_no_database_has_is_not_found(
    app: Litestar, world: World, browser: Browsers, number: int
) -> None:
    client, codes = browser(world.aida), app.state.codes
    for kind, path in {"seizure": "seizures", "exhibit": "exhibits", "file": "files", "event": "events"}.items():
        assert (await client.get(f"/{path}/{codes.encode(kind, number)}")).status_code == 404
    assert (await client.get(f"/api/v1/seizures?after={codes.encode('seizure', number)}")).status_code == 404


async def test_a_code_that_is_pages_long_is_not_decoded(world: World, browser: Browsers) -> None:
    assert (await browser(world.aida).get("/seizures/" + "a1B2" * 4000)).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("device_at", "0001-01-01T00:00:00+14:00"),
        ("device_at", "9999-12-31T23:59:59-14:00"),
        ("seized_at", "0001-01-01T00:00:00+14:00"),
        ("latitude", "1e-100000"),
        ("latitude", "NaN"),
        ("latitude", "-Infinity"),
        ("place", "a\x00b"),
        ("participants", [{"role": "owner", "name": "a\x00"}]),
        ("exhibits", [{"category": "DRUG", "quantity": "1e-100000", "unit": "kg", "basis": "net"}]),
        ("exhibits", [{"category": "DRUG", "quantity": "-1", "unit": "kg", "basis": "net"}]),
        ("exhibits", [{"category": "DRUG", "quantity": "sNaN", "unit": "kg", "basis": "net"}]),
    ],
)
async def test_a_registration_with_it_is_refused_beside_the_field(
    world: World, api: Apis, field: str, value: Any
) -> None:
    sent = {"longitude": "1"} if field == "latitude" else {}
    answer = await api(world.aida).post(
        "/api/v1/seizures", json=registration("", "", exhibits=1) | sent | {field: value}
    )
    assert answer.status_code == 422
    assert any(name.startswith(field) for name in answer.json()["errors"])


async def test_a_form_with_a_character_that_cannot_be_stored_says_so(world: World, browser: Browsers) -> None:
    fields = {"client_id": str(uuid.uuid4()), "seized_at": "2026-11-22T01:00", "exhibits-0-category": "DRUG"}
    answer = await browser(world.aida).submit("/seizures/new", fields | {"place": "a\x00"})
    assert answer.status_code == 422
    assert "cannot be stored" in answer.text


async def test_lists_where_one_value_belongs_and_the_reverse_are_refused(
    app: Litestar, world: World, browser: Browsers, database: Database
) -> None:
    client = browser(world.aida)
    registered = await casework.seize(database, world.aida)
    code = app.state.codes.encode("seizure", registered.seizure.id)
    for path, fields in [
        ("/seizures/new", {"client_id-0-x": "1"}),
        (f"/seizures/{code}/people", {"participants": "abc"}),
        (f"/seizures/{code}/people", {"participants-0-role-1-x": "abc", "conveyances": "x"}),
    ]:
        assert (await client.submit(path, fields)).status_code == 422


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01"])
async def test_a_grant_until_the_end_of_the_calendar_is_refused(
    app: Litestar, world: World, api: Apis, database: Database, until: str
) -> None:
    registered, codes = await casework.seize(database, world.aida), app.state.codes
    terms = {
        "purpose": "investigation",
        "to": f"unit:{codes.encode('unit', world.units['crime_unit'])}",
        "until": until,
    }
    path = f"/api/v1/seizures/{codes.encode('seizure', registered.seizure.id)}/grants"
    assert (await api(world.saule).post(path, json=terms)).status_code == 422


@pytest.mark.parametrize("address", ["//[", "http://[x", "//evil.example", "/\\evil.example", "https:evil.example"])
async def test_no_address_leads_to_another_site_or_to_an_error(browser: Browsers, address: str) -> None:
    client = browser(None)
    assert (await client.get("/sign-in", params={"next": address})).status_code == 200
    answer = await client.post("/preferences", data={"back": address})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("origin", ["http://[bad", "https://evil.example", "http://testserver.evil.example"])
async def test_a_form_from_another_site_is_refused_whatever_it_carries(
    world: World, browser: Browsers, origin: str
) -> None:
    answer = await browser(world.aida).submit("/sign-out", headers={"origin": origin})
    assert answer.status_code == 403
    assert (await browser(world.aida).get("/account")).status_code == 200


@pytest.mark.parametrize("path", ["/sign-out-everywhere", "/account/password", "/api/v1/seizures", "/hand-overs"])
async def test_calling_a_form_multipart_does_not_save_its_token(world: World, browser: Browsers, path: str) -> None:
    """Only routes that read the form's fields themselves may be asked without the token in a header."""
    content = {"content-type": "multipart/form-data; boundary=x"}
    answer = await browser(world.aida).post(path, content=b"{}", headers=content)
    assert answer.status_code == 403
    assert (await browser(world.aida).get("/account")).status_code == 200


async def test_a_file_sent_as_multipart_without_the_token_is_not_taken(
    app: Litestar, world: World, browser: Browsers, database: Database
) -> None:
    registered = await casework.seize(database, world.aida)
    code = app.state.codes.encode("exhibit", registered.exhibits[0].id)
    content = {"content-type": "multipart/form-data; boundary=x"}
    path = f"/api/v1/exhibits/{code}/files/{uuid.uuid4()}"
    assert (await browser(world.aida).put(path, content=b"bytes", headers=content)).status_code == 403
