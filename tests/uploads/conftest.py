"""Two servers of one installation, over a folder and over S3, and a tus client."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from casemgmt.app import create_app
from tests.cast import Member, World, running, settings_for
from tests.db import Dsn
from tests.evidence.conftest import Site, s3_server
from tests.records import Registered, register_seizure
from tests.servers import S3Server
from tests.uploads.client import Tus

__all__ = ["s3_server"]

LIMIT = 24 << 20


@pytest.fixture(scope="session", params=["folder", "s3"])
async def sites(
    request: pytest.FixtureRequest, dsn: Dsn, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Site]]:
    """Two replicas over the same database and the same store."""
    folder = tmp_path_factory.mktemp("uploads")
    more = {"MAX_UPLOAD_MIB": str(LIMIT >> 20)}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        more |= {"STORE_URL": f"{server.endpoint.replace('http://', 's3://')}/uploads{uuid.uuid4().hex[:8]}?tls=0"}
        more |= {"STORE_ACCESS_KEY": server.access, "STORE_SECRET_KEY": server.secret}
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            app = create_app(settings_for(dsn, folder, **more))
            app.state.store.prepare()
            made.append(Site(app, await stack.enter_async_context(running(app, lifespan="on"))))
        yield made


@pytest.fixture
def site(sites: list[Site]) -> Site:
    return sites[0]


@pytest.fixture
async def made(world: World, site: Site) -> Registered:
    return await register_seizure(site.app.state.database, world.aida, "U-1")


Client = Callable[..., Tus]


@pytest.fixture
def tus(world: World, site: Site, made: Registered) -> Client:
    """``tus()``: Aida's client with a new identifier, at the first server."""

    def client(member: Member | None = None, at: Site | None = None, **more: str) -> Tus:
        exhibit = site.codes.encode("exhibit", made.exhibits[0].id)
        return Tus((at or site).address, member or world.aida, exhibit, **more)

    return client
