"""The whole path over real HTTP: uvicorn, Litestar, a folder; clients that behave and clients that leave."""

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar import Litestar, Request, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Stream

from casemgmt.core.body import body
from casemgmt.core.formstream import read_form
from casemgmt.core.ingest import Declared, Refused, store_file
from casemgmt.core.reading import read_object
from casemgmt.storage.contract import NotStored
from casemgmt.storage.local import LocalStore
from tests.servers import free_port

KEY = "0192f0c1-0000-7000-8000-0000000000ab"
MIB = 1 << 20
PHOTO = os.urandom(5 * MIB + 13)


class Running:
    """The address, the store behind it, and the reasons of refused uploads."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self.port = free_port()
        self.refused: list[str] = []
        self.called = asyncio.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    store = LocalStore(tmp_path / "store")
    store.prepare()
    running = Running(store)

    @put("/files/{key:str}", status_code=201)
    async def raw(request: Request[object, object, State], key: FromPath[str]) -> dict[str, object]:
        declared = Declared(request.content_length, request.headers.get("x-sha256"))
        try:
            got = await store_file(body(request.receive), store, key, declared)
        except Refused as refused:
            running.refused.append(refused.reason)
            running.called.set()
            return {"refused": refused.reason}
        return {"sha256": got.stored.sha256, "size": got.stored.size}

    @post("/form", status_code=201)
    async def form(request: Request[object, object, State]) -> dict[str, object]:
        got = await read_form(request.headers.get("content-type", ""), body(request.receive))
        names = []
        async for part in got.files():
            await store_file(part.chunks, store, got.first("key"), Declared(sha256=got.first("sha256")))
            names.append(part.filename)
        return {"names": names}

    @get("/files/{key:str}")
    async def download(key: FromPath[str]) -> Stream:
        return Stream(read_object(store, key))

    app = Litestar([raw, form, download], openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, port=running.port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield running
    server.should_exit = True
    await serving
    store.close()


async def test_a_file_put_is_the_file_got(running: Running) -> None:
    digest = hashlib.sha256(PHOTO).hexdigest()
    async with httpx.AsyncClient(base_url=running.address) as client:
        answer = await client.put(f"/files/{KEY}", content=PHOTO, headers={"x-sha256": digest})
        assert answer.json() == {"sha256": digest, "size": len(PHOTO)}
        assert (await client.get(f"/files/{KEY}")).content == PHOTO


async def test_a_form_reaches_the_same_store(running: Running) -> None:
    fields = {"key": KEY, "sha256": hashlib.sha256(PHOTO).hexdigest()}
    async with httpx.AsyncClient(base_url=running.address) as client:
        answer = await client.post("/form", data=fields, files={"photo": ("снимок.jpg", PHOTO, "image/jpeg")})
    assert answer.json() == {"names": ["снимок.jpg"]}
    assert running.store.path(KEY).read_bytes() == PHOTO


@pytest.mark.parametrize("abrupt", [False, True])
async def test_a_phone_that_loses_its_connection_leaves_nothing(running: Running, abrupt: bool) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as phone:
        head = f"PUT /files/{KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(PHOTO)}\r\n\r\n"
        await asyncio.to_thread(phone.sendall, head.encode() + PHOTO[: 2 * MIB])
        await asyncio.sleep(0.2)
        if abrupt:
            phone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    await asyncio.wait_for(running.called.wait(), 10)
    assert running.refused == ["cut"]
    with pytest.raises(NotStored):
        running.store.stat(KEY)
    assert list(running.store.leftovers(datetime.now(UTC) + timedelta(minutes=1))) == []


async def test_a_wrong_hash_is_answered_after_the_whole_body(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.address) as client:
        answer = await client.put(f"/files/{KEY}", content=PHOTO, headers={"x-sha256": "0" * 64})
    assert answer.json() == {"refused": "hash"}
    assert list(running.store.staging.iterdir()) == []
