from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

from casemgmt.core.db import Database
from casemgmt.packages.queries import packages_of_case
from tests.cast import Browser, Member, World
from tests.packages.conftest import Clients, Scene, Sealed, reason, seal

Browsers = Callable[[Member | None], Browser]


async def share_case(dba: asyncpg.Connection[Any], scene: Scene, to: Member, *seizures: int) -> None:
    """Open the case, and these of its seizures, to a person: as grants of both would."""
    await dba.execute("insert into access.case_reach(principal, case_id) values ($1, $2)", to.id, scene.case.id)
    for number in seizures:
        await dba.execute(
            "insert into access.reach(principal, seizure_id) values ($1, $2)", to.id, scene.seizures[number].seizure.id
        )


async def test_who_does_not_see_all_its_seizures_finds_no_package(
    sealed: Sealed, scene: Scene, world: World, api: Clients, browser: Browsers, db_dba: asyncpg.Connection[Any],
    database: Database,
) -> None:  # fmt: skip
    await share_case(db_dba, scene, world.elena, 0)
    url = await reason(api(world.saule), sealed.code)
    for answer in (
        await api(world.elena).get(f"/api/v1/packages/{sealed.code}"),
        await api(world.elena).post(f"/api/v1/packages/{sealed.code}/downloads", json={"reason": "a good one"}),
        await api(world.elena).get(url),
        await browser(world.elena).get(f"/packages/{sealed.code}"),
        await browser(world.elena).submit(f"/packages/{sealed.code}/check"),
    ):
        assert answer.status_code == 404
    async with database.begin(world.elena.actor) as db:
        assert await packages_of_case(db, scene.case.id) == []
    page = await browser(world.elena).get(f"/cases/{scene.case_code}/packages/new")
    assert scene.seizures[0].exhibits[0].number in page.text
    assert scene.seizures[1].exhibits[0].number not in page.text


async def test_the_event_that_seals_it_is_hidden_with_the_package(
    sealed: Sealed, scene: Scene, world: World, db_dba: asyncpg.Connection[Any], database: Database
) -> None:
    from sqlalchemy import select

    from casemgmt.ledger.models import Entry

    await share_case(db_dba, scene, world.elena, 0)
    await share_case(db_dba, scene, world.dinara, 0, 1)
    query = select(Entry.type).where(Entry.case_id == scene.case.id, Entry.type.like("packages:%"))
    seen = {}
    for member in (world.saule, world.elena, world.dinara, world.oleg):
        async with database.begin(member.actor) as db:
            seen[member.name] = list(await db.scalars(query))
    assert seen == {
        world.saule.name: ["packages:package:sealed"],
        world.elena.name: [],
        world.dinara.name: ["packages:package:sealed"],
        world.oleg.name: [],
    }


async def test_a_prosecutor_who_sees_everything_downloads_and_the_unit_sees_that(
    sealed: Sealed, scene: Scene, world: World, api: Clients, browser: Browsers, db_dba: asyncpg.Connection[Any]
) -> None:
    await share_case(db_dba, scene, world.dinara, 0, 1)
    url = await reason(api(world.dinara), sealed.code)
    assert (await api(world.dinara).get(url)).status_code == 200
    page = await browser(world.saule).get(f"/packages/{sealed.code}")
    assert world.dinara.name in page.text
    assert "for the hearing" in page.text


async def test_a_package_of_what_one_sees_holds_nothing_else(
    scene: Scene, world: World, api: Clients, sequenced: None, db_dba: asyncpg.Connection[Any]
) -> None:
    await share_case(db_dba, scene, world.elena, 1)
    made = await seal(api(world.elena), scene)
    hidden = scene.seizures[0].seizure.number
    answer = await api(world.elena).get(await reason(api(world.elena), made.code))
    assert hidden.encode() not in answer.content
    assert scene.seizures[1].seizure.number.encode() in answer.content


async def test_the_administrator_and_strangers_find_nothing(
    sealed: Sealed, world: World, api: Clients, browser: Browsers
) -> None:
    for member in (world.admin, world.oleg, world.timur):
        assert (await api(member).get(f"/api/v1/packages/{sealed.code}")).status_code == 404
    assert (await api(None).get(f"/api/v1/packages/{sealed.code}")).status_code == 401
    assert (await browser(None).get(f"/packages/{sealed.code}")).status_code == 302
