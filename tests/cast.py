"""The cast: one world of agencies, units and people per test, and a client signed in as each of them.

Every test gets fresh rows and cleans nothing up: row-level security keeps the worlds apart, which tests it as well.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, cast

import asyncpg
import httpx
import pytest
import uvicorn
from litestar import Litestar

from casemgmt.app import create_app
from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.web.signin import COOKIE, load_actor, token_hash
from casemgmt.demo.cast import AGENCIES, PEOPLE, UNITS, Role
from casemgmt.settings import Settings, load
from casemgmt.trust.keys import SigningKey
from tests.db import Dsn


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast, signed in."""

    id: int
    login: str
    name: str
    unit_id: int | None
    token: str = field(repr=False)
    actor: Actor = field(repr=False)


@dataclass(frozen=True, slots=True)
class World:
    """``world.aida``, ``world.oleg``, ...; ``units`` and ``agencies`` by the names above."""

    agencies: dict[str, int]
    units: dict[str, int]
    codes: dict[str, str]
    people: dict[str, Member]

    def __getattr__(self, login: str) -> Member:
        try:
            return self.people[login]
        except KeyError:
            raise AttributeError(login) from None


async def make_world(dba: asyncpg.Connection[Any], database: Database) -> World:
    """Fresh rows for the whole cast, written behind the policies by the superuser."""
    mark = secrets.token_hex(4)
    async with dba.transaction():
        agencies = {
            key: await _insert(dba, "agency", "agency(id, code, kind, name)", f"{key}-{mark}", agency.kind, agency.name)
            for key, agency in AGENCIES.items()
        }
        codes = await _free_codes(dba, len(UNITS))
        units = {
            key: await _insert(dba, "unit", "unit(id, agency_id, code, name)", agencies[unit.agency], code, unit.name)
            for (key, unit), code in zip(UNITS.items(), codes, strict=True)
        }
        people = {}
        for login, role in PEOPLE.items():
            people[login] = await _person(dba, f"{login}-{mark}", role, units, agencies)
    members = {}
    for login, (id_, token) in people.items():
        actor = await load_actor(database, token_hash(token))
        assert actor is not None
        unit_id = units.get(PEOPLE[login].place or "")
        members[login] = Member(id_, actor.login, actor.name, unit_id, token, actor)
    return World(agencies, units, dict(zip(UNITS, codes, strict=True)), members)


async def _insert(dba: asyncpg.Connection[Any], kind: str, columns: str, *values: object) -> int:
    places = ", ".join(f"${n}" for n in range(2, len(values) + 2))
    id_ = await dba.fetchval("insert into accounts.principal(kind) values ($1) returning id", kind)
    await dba.execute(f"insert into accounts.{columns} values ($1, {places})", id_, *values)  # noqa: S608
    return int(id_)


async def _free_codes(dba: asyncpg.Connection[Any], count: int) -> list[str]:
    rows = await dba.fetch(
        "select to_char(n, 'FM0000') c from generate_series(1, 9999) n"
        " where not exists (select from accounts.unit u where u.code = to_char(n, 'FM0000'))"
        " order by random() limit $1",
        count,
    )
    return [row["c"] for row in rows]


async def _person(
    dba: asyncpg.Connection[Any], login: str, role: Role, units: dict[str, int], agencies: dict[str, int]
) -> tuple[int, str]:
    id_ = await _insert(dba, "person", "person(id, login, name, badge)", login, role.name, role.badge)
    unit = units.get(role.place or "") if role.appointment != "auditor" else None
    agency = agencies.get(role.place or "") if role.appointment == "auditor" else None
    await dba.execute(
        "insert into accounts.appointment(person_id, kind, unit_id, agency_id) values ($1, $2, $3, $4)",
        id_, role.appointment, unit, agency,
    )  # fmt: skip
    token = secrets.token_urlsafe(16)
    await dba.execute(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at) values ($1, $2, $3, now() + $4)",
        token_hash(token), id_, secrets.token_urlsafe(12), timedelta(days=1),
    )  # fmt: skip
    return id_, token


class Browser(httpx.AsyncClient):
    """A browser without JavaScript: cookies, and the form token in every form it sends. Follows no redirect."""

    def __init__(self, member: Member | None, **options: Any) -> None:
        super().__init__(base_url="http://testserver", **options)
        self.member = member
        if member is not None:
            self.cookies.set(COOKIE, member.token)

    async def submit(self, url: str, fields: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """POST a form; with ``files=`` a multipart one."""
        token = self.member.actor.csrf if self.member else ""
        return await self.post(url, data={"csrf_token": token, **(fields or {})}, **options)


class Api(httpx.AsyncClient):
    """A program that signed in through the API."""

    def __init__(self, member: Member | None, **options: Any) -> None:
        headers = {"Authorization": f"Bearer {member.token}"} if member else {}
        super().__init__(base_url="http://testserver", headers=headers, **options)


def variables_for(dsn: Dsn, folder: Path, **more: str) -> dict[str, str]:
    """The environment of an instance that stores below ``folder``."""
    key = folder / "ledger.key"
    if not key.exists():
        key.write_text(SigningKey.generate("test.example/ledger").to_text())
        key.chmod(0o600)
    return {
        "CASEMGMT_APP_URL": dsn.app,
        "CASEMGMT_GATE_URL": dsn.gate,
        "CASEMGMT_SEQUENCER_URL": dsn.sequencer,
        "CASEMGMT_OWNER_URL": dsn.owner_login,
        "CASEMGMT_STORE_URL": (folder / "store").as_uri(),
        "CASEMGMT_LOG_KEY_FILE": str(key),
        "CASEMGMT_HASHIDS_SALT": "test",
        "CASEMGMT_DATA_DIR": str(folder),
        **{f"CASEMGMT_{name}": value for name, value in more.items()},
    }


def settings_for(dsn: Dsn, folder: Path, **more: str) -> Settings:
    """Settings of an instance that stores below ``folder``."""
    return load(variables_for(dsn, folder, **more))


@asynccontextmanager
async def running(app: Litestar, *, lifespan: Literal["on", "off"] = "off") -> AsyncIterator[str]:
    """The application on a real socket in this process; yields its base address. ``lifespan="on"`` starts it too."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", lifespan=lifespan, log_config=None))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
async def settings(dsn: Dsn, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_for(dsn, tmp_path_factory.mktemp("instance"))


@asynccontextmanager
async def living(application: Litestar) -> AsyncIterator[Litestar]:
    """The application started, for the length of the block: entered and left in one task, which a fixture by itself
    does not promise."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with application.lifespan():
            started.set()
            await stop.wait()

    task = asyncio.create_task(live())
    await asyncio.wait({task, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    yield application
    stop.set()
    await task


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[Litestar]:
    """The whole application on this worker's database."""
    application = create_app(settings)
    application.state.store.prepare()
    async with living(application):
        yield application


@pytest.fixture(scope="session")
async def server(app: Litestar) -> AsyncIterator[str]:
    """The address of the application on a real socket: for streams, ranges and cut connections."""
    async with running(app) as address:
        yield address


@pytest.fixture(scope="session")
async def database(app: Litestar) -> Database:
    found: Database = app.state.database
    return found


@pytest.fixture
async def world(db_dba: asyncpg.Connection[Any], database: Database) -> World:
    return await make_world(db_dba, database)


@pytest.fixture
async def browser(app: Litestar) -> AsyncIterator[Callable[[Member | None], Browser]]:
    """``browser(world.aida)``: pages as that person sees them; ``browser(None)`` is a stranger."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
    yield lambda member: Browser(member, transport=transport)
    await transport.aclose()


@pytest.fixture
async def api(app: Litestar) -> AsyncIterator[Callable[[Member | None], Api]]:
    """``api(world.aida)``: the JSON API as that person's program sees it."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
    yield lambda member: Api(member, transport=transport)
    await transport.aclose()
