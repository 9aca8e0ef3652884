"""The application on a real socket, once with a folder and once with a real S3 server behind it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from casemgmt.app import create_app
from casemgmt.core.codes import Codes
from casemgmt.storage.contract import Store
from tests.cast import Member, World, running, settings_for
from tests.db import Dsn
from tests.records import Registered, register_seizure
from tests.servers import S3Server, rclone_s3

LIMIT = 2 << 20
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 40 + b"\xff\xd9"


@dataclass(frozen=True)
class Site:
    """A running instance that takes files of up to LIMIT bytes."""

    app: Litestar
    address: str

    @property
    def store(self) -> Store:
        found: Store = self.app.state.store
        return found

    @property
    def codes(self) -> Codes:
        found: Codes = self.app.state.codes
        return found

    def client(self, member: Member) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {member.token}"}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=60)

    async def put(self, member: Member, made: Registered, data: bytes, **headers: str) -> httpx.Response:
        """Send one file of the first exhibit; header names with ``_`` for ``-``."""
        url = f"{self.exhibit_url(made)}/files/{headers.pop('client_id', None) or uuid.uuid4()}"
        named = {"X-File-Name": "photo.jpg", "Content-Type": "image/jpeg"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client(member) as client:
            return await client.put(url, content=data, headers=named)

    def exhibit_url(self, made: Registered) -> str:
        return f"/api/v1/exhibits/{self.codes.encode('exhibit', made.exhibits[0].id)}"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with rclone_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session", params=["folder", "s3"])
async def site(
    request: pytest.FixtureRequest, dsn: Dsn, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    more = {"MAX_UPLOAD_MIB": "2"}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        address = server.endpoint.replace("http://", "s3://")
        more |= {"STORE_URL": f"{address}/evidence?tls=0"}
        more |= {"STORE_ACCESS_KEY": server.access, "STORE_SECRET_KEY": server.secret}
    async for made in _site(dsn, tmp_path_factory.mktemp("site"), more):
        yield made


@pytest.fixture(scope="session")
async def folder_site(dsn: Dsn, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Only the folder: for what is the same over any store."""
    async for made in _site(dsn, tmp_path_factory.mktemp("folder"), {"MAX_UPLOAD_MIB": "2"}):
        yield made


async def _site(dsn: Dsn, folder: Path, more: dict[str, str]) -> AsyncIterator[Site]:
    app = create_app(settings_for(dsn, folder, **more))
    app.state.store.prepare()
    async with running(app, lifespan="on") as address:
        yield Site(app, address)


@pytest.fixture
async def made(world: World, folder_site: Site) -> Registered:
    """A seizure of Aida's with two exhibits."""
    return await register_seizure(folder_site.app.state.database, world.aida, "B-1001", "B-1002")
