"""Answers to what cannot be answered: in the reader's language, with the headers, in the form that was asked for."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest

from casemgmt.app import create_app
from tests.cast import Api, settings_for


async def test_an_unknown_address_is_told_in_the_reader_s_language(browser):
    async with browser(None) as client:
        answer = await client.get("/no-such-place", headers={"accept-language": "ru"})
    assert answer.status_code == 404
    assert '<html lang="ru"' in answer.text
    assert "Не найдено" in answer.text


@pytest.mark.parametrize("path", ["/no-such-place", "/sign-in", "/account", "/api/v1/me", "/healthz"])
async def test_every_answer_carries_the_security_headers(browser, path: str):
    async with browser(None) as client:
        answer = await client.get(path)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_program_gets_problem_details(api, world):
    async with api(None) as stranger, api(world.aida) as aida:
        refused = await stranger.get("/api/v1/me")
        unreadable = await aida.post("/api/v1/seizures", content=b"{not json")
    assert refused.status_code == 401
    assert refused.headers["content-type"].startswith("application/problem+json")
    assert refused.json()["type"] == "urn:casemgmt:problem:not-signed-in"
    assert unreadable.status_code == 422
    assert unreadable.json()["title"]


async def test_a_form_larger_than_any_form_is_refused(browser, world):
    async with browser(world.admin) as client:
        answer = await client.submit("/people", {"name": "x" * (300 << 10)})
    assert answer.status_code == 413


async def test_the_schema_is_served_without_pages_that_load_from_elsewhere(api, world):
    async with api(world.aida) as client:
        assert (await client.get("/api/v1/schema/openapi.json")).status_code == 200
        for page in ("swagger", "redoc", "elements", "rapidoc"):
            assert (await client.get(f"/api/v1/schema/{page}")).status_code == 404


async def test_a_database_that_is_away_is_told_as_such(dsn, tmp_path):
    """The instance starts, then its database refuses every new connection and drops the old ones."""
    application = create_app(settings_for(dsn, tmp_path))
    await application.state.database.open()
    transport = httpx.ASGITransport(cast("Any", application), raise_app_exceptions=False)
    async with Api(None, transport=transport) as client:
        client.headers["Authorization"] = "Bearer whatever"
        assert (await client.get("/api/v1/me")).status_code == 401
        application.state.database._pool.set_connect_args("postgresql://app@/x?host=/nowhere")
        await application.state.database._pool.expire_connections()
        answer = await client.get("/api/v1/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    await application.state.database.close()


async def test_a_fault_is_logged_without_what_people_sent(browser, world, app, monkeypatch, capsys):
    def broken(*_: object) -> None:
        secret = world.aida.token
        raise RuntimeError(f"broken by the test after {len(secret)} characters")

    monkeypatch.setattr(app.state.database, "begin", broken)
    async with browser(world.aida) as client:
        answer = await client.get("/account")
    told = "".join(capsys.readouterr())
    assert answer.status_code == 500
    assert "broken by the test" not in answer.text
    assert "broken by the test" in told
    assert "Traceback" in told
    assert world.aida.token not in told
