"""Every route, asked by everybody: generated from the application's own table of routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from litestar import Litestar, get
from litestar.routes import HTTPRoute

from casemgmt.app import create_app
from casemgmt.core.db import Database
from casemgmt.core.web.signin import token_hash
from casemgmt.settings import Settings
from tests.access.asking import ask
from tests.access.matrix import CAST, DESTRUCTIVE, STRANGER, TABLE, Row, complaints, rows
from tests.access.scene import Scene, build
from tests.cast import Api, Browser, Member, make_world
from tests.ledger.running import sequencing

Browsers = Callable[[Member | None], Browser]

# What the framework adds to every path: it says which methods there are, from the same table.
AUTOMATIC = {"OPTIONS"}
# The description of the API for programmers; it holds no record.
DESCRIPTION = "/api/v1/schema"


def routes_of(app: Litestar) -> Iterator[str]:
    """``METHOD /path/{with:type}`` of everything the application answers to."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith(DESCRIPTION):
            parts = [part if isinstance(part, str) else f"{{{part.full}}}" for part in route.path_components]
            yield from (f"{method} /{'/'.join(parts)}" for method in route.methods - AUTOMATIC)


def test_every_route_has_its_line_and_every_line_its_route(app: Litestar) -> None:
    assert complaints(set(routes_of(app))) == []


def test_a_route_without_a_line_is_told(settings: Settings) -> None:
    @get("/seizures/{code:str}/gossip")
    async def gossip(code: str) -> str:
        return code

    app = create_app(settings)
    app.register(gossip)
    assert complaints(set(routes_of(app))) == ["no line in the matrix for GET /seizures/{code:str}/gossip"]


def test_a_line_without_a_route_is_told(app: Litestar) -> None:
    left = set(routes_of(app)) - {"GET /seizures"}
    assert complaints(left) == ["a line in the matrix for GET /seizures, which is no route"]


@pytest.mark.parametrize("row", rows(TABLE), ids=lambda row: row.route)
async def test_each_is_answered_as_promised(row: Row, scene: Scene, browser: Browsers) -> None:
    answered = {}
    for who in CAST:
        member = None if who == STRANGER else scene.world.people[who]
        async with browser(member) as client:
            answered[who] = (await ask(client, member, row.method, row.path, scene)).status_code
    assert answered == row.expected


@pytest.mark.parametrize("path", [DESCRIPTION, f"{DESCRIPTION}/openapi.json"])
async def test_the_description_of_the_api_is_for_whoever_is_signed_in(
    path: str, scene: Scene, browser: Browsers
) -> None:
    assert (await browser(None).get(path)).status_code == 401
    assert (await browser(scene.world.oleg).get(path)).status_code == 200


async def test_what_changes_the_scene_is_answered_as_promised_as_well(
    app: Litestar,
    settings: Settings,
    database: Database,
    db_dba: asyncpg.Connection[Any],
    browser: Browsers,
    api: Callable[[Member | None], Api],
) -> None:
    async with sequencing(settings):
        scene = await build(app, await make_world(db_dba, database), api)
    wrong = {}
    for row in rows(DESTRUCTIVE):
        for who, expected in row.expected.items():
            member = None if who == STRANGER else await _signed_in_anew(db_dba, scene.world.people[who])
            async with browser(member) as client:
                status = (await ask(client, member, row.method, row.path, scene)).status_code
            if status != expected:
                wrong[f"{row.route} as {who}"] = (status, expected)
    assert wrong == {}


async def _signed_in_anew(dba: asyncpg.Connection[Any], member: Member) -> Member:
    """The same person in a session of its own, since these routes end sessions."""
    token = f"{member.token}-again"
    await dba.execute(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at) values ($1, $2, $3, now() + $4)"
        " on conflict do nothing",
        token_hash(token), member.id, member.actor.csrf, timedelta(hours=1),
    )  # fmt: skip
    return replace(member, token=token)
