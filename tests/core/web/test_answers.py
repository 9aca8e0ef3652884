"""Answers to what cannot be answered: in the reader's language, with the headers, in the form that was asked for."""

from __future__ import annotations

import pytest


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
