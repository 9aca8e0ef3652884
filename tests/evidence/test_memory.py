"""The process does not grow with the file: one upload of a size no process here has room for."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import World
from tests.db import Dsn
from tests.records import register_seizure
from tests.servers import free_port

MIB = 1 << 20
GROWTH = 64 * MIB

# The application in a process of its own, so that what it holds is not mixed with what the test holds.
_SERVER = """
import sys, uvicorn
from casemgmt.app import create_app
from casemgmt.settings import load
app = create_app(load())
app.state.store.prepare()
uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", ws="none", log_level="warning")
"""


@pytest.fixture
async def process(dsn: Dsn, tmp_path: Path) -> AsyncIterator[tuple[str, psutil.Process, Path]]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CASEMGMT_")},
        "CASEMGMT_APP_URL": dsn.app, "CASEMGMT_GATE_URL": dsn.gate, "CASEMGMT_SEQUENCER_URL": dsn.sequencer,
        "CASEMGMT_STORE_URL": (tmp_path / "store").as_uri(), "CASEMGMT_LOG_KEY_FILE": str(tmp_path / "key"),
        "CASEMGMT_HASHIDS_SALT": "test", "CASEMGMT_DATA_DIR": str(tmp_path),
    }  # fmt: skip
    started = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVER, str(port), env=environment)
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address) as client:
        for _ in range(1200):  # a minute, for a machine with other things to do
            try:
                assert (await client.get("/healthz")).status_code == 200
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    yield address, psutil.Process(started.pid), tmp_path / "store"
    started.terminate()
    await started.wait()


async def grown_by(size: int, site: tuple[str, psutil.Process, Path], world: World, database: Database) -> int:
    """How many bytes the process grew at the most while a file of ``size`` bytes came and, again, while it left."""
    address, process, store = site
    made = await register_seizure(database, world.aida, "M-1")
    exhibit = Codes("test").encode("exhibit", made.exhibits[0].id)
    headers = {"Authorization": f"Bearer {world.aida.token}"}
    block = os.urandom(MIB)

    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(size // MIB):
            yield block

    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=600) as client:
        await client.put(f"/api/v1/exhibits/{exhibit}/files/{uuid.uuid4()}", content=block)  # everything is loaded now
        before = int(process.memory_info().rss)
        done = asyncio.Event()
        watching = asyncio.create_task(_peak(process, done))
        url = f"/api/v1/exhibits/{exhibit}/files/{uuid.uuid4()}"
        answer = await client.put(url, content=blocks(), headers={"Content-Length": str(size)})
        assert answer.status_code == 201, answer.text
        assert answer.json()["size"] == size
        received = 0
        async with client.stream("GET", f"/files/{answer.json()['id']}") as given:
            async for chunk in given.aiter_raw():
                received += len(chunk)
        assert received == size
        done.set()
        peak = await watching
    for stored in store.glob("objects/*/*"):
        stored.unlink()
    return peak - before


async def _peak(process: psutil.Process, done: asyncio.Event) -> int:
    highest = 0
    while not done.is_set():
        highest = max(highest, int(process.memory_info().rss))
        await asyncio.sleep(0.02)
    return highest


async def test_half_a_gibibyte_passes_through_without_staying(process, world: World, database: Database):
    assert await grown_by(512 * MIB, process, world, database) < GROWTH


@pytest.mark.long
async def test_four_gibibytes_pass_through_without_staying(process, world: World, database: Database):
    assert await grown_by(4096 * MIB, process, world, database) < GROWTH
