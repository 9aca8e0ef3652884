"""Many uploads of random sizes through a bad day: cuts, replays, duplicates, wrong checksums, killed servers."""

from __future__ import annotations

import asyncio
import math
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from casemgmt.app import create_app
from casemgmt.core.reading import read_object
from casemgmt.storage.config import open_store
from tests.cast import World, make_world, running, settings_for, variables_for
from tests.db import Dsn
from tests.evidence.conftest import sha256
from tests.records import register_seizure
from tests.servers import rclone_s3
from tests.uploads.client import Tus, checksum
from tests.uploads.replicas import Replica, replicas

WORKERS = 5
PATIENCE = 90.0  # seconds an upload may take; a stuck one is a failure
LARGEST = 12 << 20
MEANT_WELL = {201, 204, 200, 409, 423, 429, 503, 460}


class Weather:
    """What happens today. ``seen`` counts it."""

    def __init__(self, seed: int, servers: list[Replica]) -> None:
        self.random = random.Random(seed)
        self.servers = servers
        self.seen: Counter[str] = Counter()

    def size(self) -> int:
        """From one byte to LARGEST, small ones more often, and sometimes on the edge of a part."""
        if self.random.random() < 0.1:
            return self.random.choice([1, 4095, 4096, 65_536, (8 << 20) - 1, 8 << 20, (8 << 20) + 1])
        return int(math.exp(self.random.uniform(0, math.log(LARGEST))))


async def send_one(weather: Weather, world: World, exhibit: str) -> tuple[str, str]:
    """One capture on its way until the server says it is stored; its identifier and its hash."""
    data = weather.random.randbytes(weather.size())
    id_ = str(uuid.uuid4())
    trail: list[str] = []
    try:
        await asyncio.wait_for(_send(weather, world, exhibit, id_, data, trail), PATIENCE)
    except TimeoutError:
        raise AssertionError(f"{id_} of {len(data)} bytes got nowhere: {trail[-40:]}") from None
    return id_, sha256(data)


async def _send(weather: Weather, world: World, exhibit: str, id_: str, data: bytes, trail: list[str]) -> None:
    at = -1  # nobody has answered yet
    while True:
        tus = Tus(weather.random.choice(weather.servers).address, world.aida, exhibit, id_)
        try:
            at = await _step(weather, tus, data, at)
            trail.append(str(at))
            if at == len(data) and (await tus.state())["state"] == "stored":
                break
        except httpx.TransportError as error:
            weather.seen["answers lost"] += 1
            trail.append(type(error).__name__)
            await asyncio.sleep(weather.random.uniform(0, 0.3))
    if weather.random.random() < 0.3:  # the phone did not hear of it and does it all again
        weather.seen["whole replays"] += 1
        with suppress(httpx.TransportError):
            again = await tus.begin(data)
            assert again.headers["upload-offset"] == str(len(data))


async def _step(weather: Weather, tus: Tus, data: bytes, at: int) -> int:
    """One request, and where the upload then is as far as we know."""
    dice = weather.random.random()
    if at < 0 or dice < 0.1:
        answer = await tus.begin(data)
    elif dice < 0.25:
        answer = await tus.ask("HEAD")
    elif dice < 0.32 and at:
        weather.seen["replayed pieces"] += 1
        answer = await tus.send(data[: at // 2 + 1], 0)  # a piece from before, once more
    elif dice < 0.38:
        weather.seen["wrong checksums"] += 1
        answer = await tus.send(data[at:], at, Upload_Checksum=checksum(data + b"!"))
    else:
        return await _piece(weather, tus, data, at)
    return _told(answer, at)


async def _piece(weather: Weather, tus: Tus, data: bytes, at: int) -> int:
    dice = weather.random.random()
    end = len(data) if dice < 0.5 else weather.random.randint(at, len(data))
    piece = data[at:end]
    if dice < 0.25:
        weather.seen["cuts"] += 1
        return _told(await tus.send(_cut(weather, piece), at), at)
    if dice > 0.95:
        weather.seen["duplicates at once"] += 1
        both = await asyncio.gather(tus.send(piece, at), tus.send(piece, at), return_exceptions=True)
        for answer in both:
            if isinstance(answer, httpx.Response):
                at = max(at, _told(answer, at))
        return at
    headers = {"Upload_Checksum": checksum(piece, "sha1")} if dice > 0.8 else {}
    return _told(await tus.send(piece, at, **headers), at)


async def _cut(weather: Weather, piece: bytes) -> AsyncIterator[bytes]:
    stop = weather.random.randint(0, len(piece))
    for start in range(0, stop, 1 << 16):
        yield piece[start : min(stop, start + (1 << 16))]
    raise httpx.WriteError("the network went away")


def _told(answer: httpx.Response, at: int) -> int:
    assert answer.status_code in MEANT_WELL, (answer.status_code, answer.text)
    return int(answer.headers.get("upload-offset", at))


async def kill_now_and_then(weather: Weather, done: asyncio.Event, every: tuple[float, float]) -> None:
    while not done.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), weather.random.uniform(*every))
            return
        victim = weather.random.choice(weather.servers)
        victim.kill()
        weather.seen["servers killed"] += 1
        await victim.start()


async def campaign(dsn: Dsn, folder: Path, count: int, seed: int, **store: str) -> Counter[str]:
    """``count`` uploads; what happened. Asserts that none was lost, doubled or changed."""
    settings = settings_for(dsn, folder, **store)
    app = create_app(settings)
    app.state.store.prepare()
    dba = await asyncpg.connect(dsn.dba)
    try:
        async with running(app, lifespan="on"):
            world = await make_world(dba, app.state.database)
            made = await register_seizure(app.state.database, world.aida, "U-1")
            exhibit = app.state.codes.encode("exhibit", made.exhibits[0].id)
            sent = await _all_of(dsn, folder, count, seed, world, exhibit, store)
        found = await dba.fetch(
            "select client_id, object_key, sha256, size from evidence.file where seizure_id = $1", made.seizure.id
        )
        assert {str(row["client_id"]): row["sha256"].hex() for row in found} == sent.uploads
        received = "select count(*) from ledger.entry where stream = $1 and type = 'evidence:file:received'"
        assert await dba.fetchval(received, f"seizure:{made.seizure.number}") == count
        await _look_behind(settings, found)
    finally:
        await dba.close()
    return sent.seen


class Sent:
    def __init__(self, uploads: dict[str, str], seen: Counter[str]) -> None:
        self.uploads, self.seen = uploads, seen


async def _all_of(
    dsn: Dsn, folder: Path, count: int, seed: int, world: World, exhibit: str, store: dict[str, str]
) -> Sent:
    uploads: dict[str, str] = {}
    async with replicas(variables_for(dsn, folder, **store), folder) as servers:
        weather, done = Weather(seed, servers), asyncio.Event()
        numbers = iter(range(count))

        async def worker() -> None:
            for _ in numbers:
                id_, digest = await send_one(weather, world, exhibit)
                uploads[id_] = digest

        killing = asyncio.create_task(kill_now_and_then(weather, done, (0.5, 3.0)))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(WORKERS):
                    workers.create_task(worker())
        finally:
            done.set()
            await killing
    return Sent(uploads, weather.seen)


async def _look_behind(settings: Any, files: list[asyncpg.Record]) -> None:
    """Every object has the bytes its row says, and there is no other."""
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    try:
        for row in files:
            data = b"".join([block async for block in read_object(store, row["object_key"])])
            assert sha256(data) == row["sha256"].hex()
        assert {found.key for found in store.objects()} == {row["object_key"] for row in files}
    finally:
        store.close()


def said(count: int, seen: Counter[str]) -> str:
    return f"{count} uploads, every one once and whole; " + ", ".join(f"{n} {what}" for what, n in seen.items())


@pytest.fixture
def s3_store(tmp_path: Path) -> Any:
    with rclone_s3(tmp_path) as server:
        yield {
            "STORE_URL": f"{server.endpoint.replace('http://', 's3://')}/campaign?tls=0",
            "STORE_ACCESS_KEY": server.access, "STORE_SECRET_KEY": server.secret,
        }  # fmt: skip


async def test_forty_uploads_through_a_bad_day(fresh_database: Dsn, tmp_path: Path, capsys):
    seen = await campaign(fresh_database, tmp_path, 40, seed=11)
    with capsys.disabled():
        print(f"\n{said(40, seen)}")
    assert seen["servers killed"] >= 1
    assert seen["cuts"] >= 5


async def test_twenty_uploads_to_s3_through_a_bad_day(fresh_database: Dsn, tmp_path: Path, s3_store, capsys):
    seen = await campaign(fresh_database, tmp_path, 20, seed=12, **s3_store)
    with capsys.disabled():
        print(f"\n{said(20, seen)}")
    assert seen["servers killed"] >= 1


@pytest.mark.long
async def test_eight_hundred_uploads_through_a_bad_week(fresh_database: Dsn, tmp_path: Path, capsys):
    seen = await campaign(fresh_database, tmp_path, 800, seed=random.SystemRandom().randrange(1 << 30))
    with capsys.disabled():
        print(f"\n{said(800, seen)}")


@pytest.mark.long
async def test_two_hundred_uploads_to_s3_through_a_bad_week(fresh_database: Dsn, tmp_path: Path, s3_store, capsys):
    seen = await campaign(fresh_database, tmp_path, 200, random.SystemRandom().randrange(1 << 30), **s3_store)
    with capsys.disabled():
        print(f"\n{said(200, seen)}")
