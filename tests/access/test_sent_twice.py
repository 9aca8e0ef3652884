"""A second press of a button, or a form changed after it was sent: nothing twice, nothing lost in silence."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
from litestar import Litestar

from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.web.signin import token_hash
from tests import casework
from tests.access.scene import CONTAINER, OWNER, registration
from tests.cast import Api, Browser, Member, World

Browsers = Callable[[Member | None], Browser]
Apis = Callable[[Member | None], Api]


async def test_a_registration_sent_twice_at_once_is_made_once(world: World, api: Apis) -> None:
    sent = registration(CONTAINER, OWNER, exhibits=2)
    answers = await asyncio.gather(*(api(world.aida).post("/api/v1/seizures", json=sent) for _ in range(3)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["number"] for a in answers}) == 1


async def test_a_registration_changed_after_it_was_sent_is_not_taken_for_the_first(world: World, api: Apis) -> None:
    sent = registration(CONTAINER, OWNER, exhibits=1)
    assert (await api(world.aida).post("/api/v1/seizures", json=sent)).status_code == 201
    changes: tuple[dict[str, Any], ...] = (
        {"place": "elsewhere"},
        {"exhibits": registration("", "", exhibits=2)["exhibits"]},
        {"participants": [{"role": "owner", "name": "Somebody Else"}]},
        {"conveyances": []} | {"circumstances": "in the spare wheel"},
    )
    for changed in changes:
        answer = await api(world.aida).post("/api/v1/seizures", json=sent | changed)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:casemgmt:problem:sent-before"), changed
    device = {"device_at": "2026-11-22T03:00:00+06:00", "latitude": "42.8", "longitude": "74.6"}
    assert (await api(world.aida).post("/api/v1/seizures", json=sent | device)).json()["repeated"]


async def test_a_case_and_a_referral_changed_after_they_were_sent_are_not_taken_for_the_first(
    app: Litestar, world: World, api: Apis, database: Database
) -> None:
    client, codes = api(world.elena), app.state.codes
    sent = {"client_id": str(uuid.uuid4()), "title": "Heroin"}
    first = await client.post("/api/v1/cases", json=sent)
    assert (await client.post("/api/v1/cases", json=sent)).json() == first.json()
    assert (await client.post("/api/v1/cases", json=sent | {"title": "Cash"})).status_code == 409
    other = codes.encode("case", (await casework.open_case(database, world.elena)).id)
    referral = {
        "client_id": str(uuid.uuid4()),
        "unit": codes.encode("unit", world.units["prosecutors"]),
        "seizures": [],
    }
    assert (await client.post(f"/api/v1/cases/{first.json()['id']}/referrals", json=referral)).status_code == 201
    assert (await client.post(f"/api/v1/cases/{first.json()['id']}/referrals", json=referral)).status_code == 200
    assert (await client.post(f"/api/v1/cases/{other}/referrals", json=referral)).status_code == 409


async def test_people_added_twice_at_once_are_on_record_once(
    app: Litestar, world: World, browser: Browsers, database: Database, db_dba: asyncpg.Connection
) -> None:
    seizure = (await casework.seize(database, world.aida)).seizure
    path = f"/seizures/{app.state.codes.encode('seizure', seizure.id)}/people"
    fields = {
        "participants-0-role": "owner", "participants-0-name": OWNER,
        "conveyances-0-kind": "container", "conveyances-0-identifier": CONTAINER,
    }  # fmt: skip
    answers = await asyncio.gather(*(browser(world.aida).submit(path, fields) for _ in range(2)))
    assert sorted(a.status_code for a in answers) == [303, 422]
    for table in ("participant", "conveyance"):
        sql = f"select count(*) from seizures.{table} where seizure_id = $1"  # noqa: S608
        assert await db_dba.fetchval(sql, seizure.id) == 1


async def test_an_appointment_made_twice_at_once_is_one_and_ending_it_ends_the_authority(
    app: Litestar, world: World, browser: Browsers, db_dba: asyncpg.Connection, database: Database
) -> None:
    path = f"/people/{app.state.codes.encode('person', world.oleg.id)}/appointments"
    fields = {"kind": "officer", "unit_id": str(world.units["post"])}
    answers = await asyncio.gather(*(browser(world.admin).submit(path, fields) for _ in range(2)))
    assert sorted(a.status_code for a in answers) == [303, 422]
    seizure = (await casework.seize(database, world.aida)).seizure
    assert await casework.sees(database, world.oleg, seizure)
    made = await db_dba.fetchval(
        "select id from accounts.appointment where person_id = $1 and unit_id = $2", world.oleg.id, world.units["post"]
    )
    assert (await browser(world.admin).submit(f"{path}/{made}/end")).status_code == 303
    assert not await casework.sees(database, world.oleg, seizure)
    assert (await browser(world.admin).submit(path, fields)).status_code == 303


async def test_an_appointment_that_ended_before_it_began_is_refused(
    app: Litestar, world: World, browser: Browsers
) -> None:
    path = f"/people/{app.state.codes.encode('person', world.oleg.id)}/appointments"
    for until in ("2020-01-01", utcnow().date().isoformat()):
        fields = {"kind": "officer", "unit_id": str(world.units["post"]), "until": until}
        assert (await browser(world.admin).submit(path, fields)).status_code == 422


async def test_a_session_is_over_for_every_client_at_the_first_sign_out(
    world: World, browser: Browsers, db_dba: asyncpg.Connection
) -> None:
    """A second press finds nobody signed in, and nothing of the person's other sessions is touched."""
    await db_dba.execute(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at) values ($1, $2, 'x', now() + $3)",
        token_hash("another phone"), world.aida.id, timedelta(days=1),
    )  # fmt: skip
    assert (await browser(world.aida).submit("/sign-out")).status_code == 303
    assert (await browser(world.aida).submit("/sign-out")).status_code == 401
    left = await db_dba.fetch("select csrf from accounts.session where person_id = $1", world.aida.id)
    assert [row["csrf"] for row in left] == ["x"]
