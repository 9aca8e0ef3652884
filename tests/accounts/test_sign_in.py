"""Sign-in: who gets in, what a session is, and what a forged form meets."""

from __future__ import annotations

import asyncpg
import pytest

from casemgmt.accounts.signin import MAX_FAILURES, hash_password
from casemgmt.core.web.signin import COOKIE, token_hash
from casemgmt.demo.cast import PASSWORD
from tests.cast import World


@pytest.fixture
async def with_password(world: World, db_dba: asyncpg.Connection) -> World:
    await db_dba.execute(
        "insert into accounts.credential(person_id, password_hash) values ($1, $2)",
        world.aida.id, await hash_password(PASSWORD),
    )  # fmt: skip
    return world


async def sign_in(client, login: str, password: str):
    return await client.post("/sign-in", data={"login": login, "password": password, "next": "/account"})


async def test_the_right_password_opens_a_session(with_password, browser):
    async with browser(None) as client:
        answer = await sign_in(client, with_password.aida.login, PASSWORD)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/account"
        cookie = answer.headers["set-cookie"]
        assert COOKIE in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert (await client.get("/account")).status_code == 200


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(with_password, browser):
    async with browser(None) as client:
        wrong = await sign_in(client, with_password.aida.login, "not the password")
        unknown = await sign_in(client, "nobody-at-all", "not the password")
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace(with_password.aida.login, "X") == unknown.text.replace("nobody-at-all", "X")


async def test_guessing_is_stopped_even_for_the_right_password(with_password, browser):
    async with browser(None) as client:
        for _ in range(MAX_FAILURES):
            await sign_in(client, with_password.aida.login, "guess")
        answer = await sign_in(client, with_password.aida.login, PASSWORD)
    assert answer.status_code == 429


async def test_the_stored_token_is_a_hash_and_no_role_of_ours_can_read_it(with_password, browser, db_dba, db_app):
    async with browser(None) as client:
        await sign_in(client, with_password.aida.login, PASSWORD)
        token = client.cookies[COOKIE]
    assert await db_dba.fetchval("select count(*) from accounts.session where token_hash = $1", token_hash(token)) == 1
    for table in ("session", "credential", "failed_sign_in"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db_app.fetch(f"select * from accounts.{table}")  # noqa: S608


async def test_the_app_role_can_open_no_session_by_itself(world, db_app):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db_app.execute("select accounts.open_session($1, 'x', 'y', 'z', interval '1 day')", world.aida.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db_app.execute("select * from accounts.credential_of('admin')")


async def test_an_actor_that_was_set_by_a_slipped_in_statement_is_refused(world, db_app):
    async with db_app.transaction():
        await db_app.execute(f"set local app.actor = '{world.aida.id}:00'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="not set by a session"):
            await db_app.fetch("select access.me()")


async def test_signing_in_again_ends_the_session_that_was_there(with_password, browser, db_dba):
    async with browser(with_password.aida) as client:
        await sign_in(client, with_password.aida.login, PASSWORD)
    old = token_hash(with_password.aida.token)
    assert await db_dba.fetchval("select count(*) from accounts.session where token_hash = $1", old) == 0


async def test_signing_out_everywhere_ends_every_session(with_password, browser):
    async with browser(None) as phone, browser(with_password.aida) as desk:
        await sign_in(phone, with_password.aida.login, PASSWORD)
        assert (await desk.submit("/sign-out-everywhere")).status_code == 303
        assert (await phone.get("/account")).headers["location"].startswith("/sign-in")


async def test_a_form_without_its_token_is_refused(world, browser):
    async with browser(world.aida) as client:
        assert (await client.post("/sign-out", data={})).status_code == 403
        assert (await client.post("/sign-out", data={"csrf_token": "wrong"})).status_code == 403
        assert (await client.get("/account")).status_code == 200


async def test_a_form_from_another_site_is_refused(world, browser):
    async with browser(world.aida) as client:
        answer = await client.submit("/sign-out", headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
        answer = await client.submit("/sign-out", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


async def test_a_stranger_is_sent_to_sign_in_and_comes_back(browser):
    async with browser(None) as client:
        answer = await client.get("/account")
        assert answer.status_code in (302, 303)
        assert "next=%2Faccount" in answer.headers["location"]


async def test_sign_in_leads_nowhere_else(with_password, browser):
    async with browser(None) as client:
        answer = await client.post(
            "/sign-in", data={"login": with_password.aida.login, "password": PASSWORD, "next": "//evil.example/x"}
        )
    assert answer.headers["location"] == "/"


async def test_a_person_without_an_appointment_cannot_sign_in(with_password, browser, db_dba):
    await db_dba.execute(
        "update accounts.appointment set valid = tstzrange(lower(valid), now()) where person_id = $1",
        with_password.aida.id,
    )
    async with browser(None) as client:
        answer = await sign_in(client, with_password.aida.login, PASSWORD)
    assert answer.status_code == 422
    assert "appointment" in answer.text
