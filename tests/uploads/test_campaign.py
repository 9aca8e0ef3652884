"""Many uploads of random sizes through a bad day: cuts, replays, duplicates, wrong checksums, killed servers, and real
browsers that are killed as well.

Each run prints its seed; ``CASEMGMT_TEST_SEED`` runs it again: the same sizes, bytes and intentions, though not at the
same moments, which are the machine's.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import threading
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
from casemgmt.embedded.cluster import Cluster
from casemgmt.settings import Settings
from casemgmt.storage.config import open_store
from casemgmt.storage.contract import Store
from tests import db
from tests.cast import World, make_world, running, settings_for, variables_for
from tests.db import Dsn
from tests.evidence.conftest import sha256
from tests.records import register_seizure
from tests.servers import rclone_s3
from tests.uploads import phones
from tests.uploads.client import Tus, checksum
from tests.uploads.cutting import network
from tests.uploads.replicas import Replica, replicas

WORKERS = 5
PATIENCE = 300.0  # seconds an upload may take; a stuck one is a failure
LARGEST = 12 << 20
MEANT_WELL = {201, 204, 200, 409, 423, 429, 503, 460}
EACH_KILL = 20  # uploads from one killed server to the next, about
SEED = "CASEMGMT_TEST_SEED"


class Weather:
    """What happens to one upload, by its seed and number. ``seen`` counts it, for all of them."""

    def __init__(self, name: str, servers: list[Replica], seen: Counter[str]) -> None:
        self.random = random.Random(name)
        self.servers = servers
        self.seen = seen

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


async def kill_now_and_then(chance: random.Random, servers: list[Replica], done: list[int], count: int) -> int:
    """Kill a server, and start it again, about every EACH_KILL uploads; how often."""
    kills = sorted(chance.sample(range(count), max(2, count // EACH_KILL)))
    for after in kills:
        while len(done) < after:
            await asyncio.sleep(0.02)
        await asyncio.sleep(chance.uniform(0, 0.3))
        victim = chance.choice(servers)
        victim.kill()
        await victim.start()
    return len(kills)


class Day:
    """What was sent by whom: hash by identifier of what went through HTTP; hashes of what a browser took up."""

    def __init__(self, seed: int, count: int, photos: int) -> None:
        self.seed, self.count, self.photos = seed, count, photos
        self.uploads: dict[str, str] = {}
        self.pictures: list[str] = []
        self.seen: Counter[str] = Counter()

    def __str__(self) -> str:
        happened = ", ".join(f"{n} {what}" for what, n in sorted(self.seen.items()))
        return (
            f"{self.count + self.photos} uploads, {self.photos} of them by browsers, every one once and whole"
            f" (seed {self.seed}); {happened}"
        )


async def campaign(dsn: Dsn, folder: Path, count: int, photos: int, seed: int | None = None, **store: str) -> Day:
    """``count`` uploads by HTTP and ``photos`` by a browser. Asserts that none was lost, doubled or changed."""
    seed = int(os.environ.get(SEED) or (random.SystemRandom().randrange(1 << 30) if seed is None else seed))
    print(f"{SEED}={seed} runs this again")
    day = Day(seed, count, photos)
    settings = settings_for(dsn, folder, **store)
    app = create_app(settings)
    app.state.store.prepare()
    dba = await asyncpg.connect(dsn.dba)
    try:
        async with running(app, lifespan="on"):
            world = await make_world(dba, app.state.database)
            made = await register_seizure(app.state.database, world.aida, "U-1")
            exhibit = app.state.codes.encode("exhibit", made.exhibits[0].id)
        await _all_of(day, dsn, folder, world, exhibit, store)
        await _look_behind(day, dba, settings, made.seizure.id)
    finally:
        await dba.close()
    return day


async def _all_of(day: Day, dsn: Dsn, folder: Path, world: World, exhibit: str, store: dict[str, str]) -> None:
    numbers, ready = iter(range(day.count)), threading.Event()
    pictures = phones.photographs(day.seed, day.photos, folder)
    day.pictures = [digest for _, digest in pictures]
    done: list[int] = []
    async with (
        replicas(variables_for(dsn, folder, **store), folder) as servers,
        network([one.address for one in servers], random.Random(f"{day.seed}/network")) as (address, proxy),
    ):

        async def worker() -> None:
            for number in numbers:
                weather = Weather(f"{day.seed}/{number}", servers, day.seen)
                id_, digest = await send_one(weather, world, exhibit)
                day.uploads[id_] = digest
                done.append(number)

        def begins() -> None:
            proxy.quiet = False
            ready.set()

        async def kills() -> None:
            await asyncio.to_thread(ready.wait)
            day.seen["servers killed"] = await kill_now_and_then(
                random.Random(f"{day.seed}/kills"), servers, done, day.count
            )

        async def browser() -> None:
            if not pictures:
                return begins()
            paths, profile = [path for path, _ in pictures], folder / "profile"
            profile.mkdir()
            try:
                day.seen["seizures by browsers"] = await asyncio.to_thread(
                    phones.send_all, day.seed, paths, profile, address, world.aida, day.seen, begins
                )
            finally:
                ready.set()

        async with asyncio.TaskGroup() as tasks:
            for work in (browser, kills, *[worker] * WORKERS):
                tasks.create_task(work())
        day.seen["connections cut by the network"] = proxy.made


async def _look_behind(day: Day, dba: Any, settings: Settings, seizure_id: int) -> None:
    """One row, one event and one object for each upload, with its bytes; and nothing else."""
    found = await dba.fetch("select client_id, object_key, sha256, size, seizure_id from evidence.file")
    mine = [row for row in found if row["seizure_id"] == seizure_id]
    assert len(mine) == day.count
    assert {str(row["client_id"]): row["sha256"].hex() for row in mine} == day.uploads
    taken = sorted(row["sha256"].hex() for row in found if row["seizure_id"] != seizure_id)
    assert taken == sorted(day.pictures)
    assert await dba.fetchval("select count(*) - 1 from seizures.seizure") == day.seen["seizures by browsers"]
    received = await dba.fetchval("select count(*) from ledger.entry where type = 'evidence:file:received'")
    assert received == day.count + day.photos
    assert await dba.fetchval("select count(*) from evidence.refusal") == 0
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    try:
        for row in found:
            data = b"".join([block async for block in read_object(store, row["object_key"])])
            assert (sha256(data), len(data)) == (row["sha256"].hex(), row["size"])
        assert sorted(_objects(store)) == sorted(row["object_key"] for row in found)
    finally:
        store.close()


def _objects(store: Store) -> list[str]:
    keys: list[str] = []
    while page := store.objects(keys[-1] if keys else ""):
        keys += [found.key for found in page]
    return keys


@pytest.fixture
async def own_database(cluster: Cluster) -> AsyncIterator[Dsn]:
    """One of its own for each campaign: what is counted are all rows there are."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{uuid.uuid4().hex[:8]}"
    yield await db.clone(cluster, name)
    await db.drop(cluster, name)


@pytest.fixture
def s3_store(tmp_path: Path) -> Any:
    with rclone_s3(tmp_path) as server:
        yield {
            "STORE_URL": f"{server.endpoint.replace('http://', 's3://')}/campaign?tls=0",
            "STORE_ACCESS_KEY": server.access, "STORE_SECRET_KEY": server.secret,
        }  # fmt: skip


@pytest.mark.browser
async def test_forty_uploads_through_a_bad_day(own_database: Dsn, tmp_path: Path, capsys):
    day = await campaign(own_database, tmp_path, 36, 4, seed=11)
    with capsys.disabled():
        print(f"\n{day}")
    assert day.seen["servers killed"] >= 2
    assert day.seen["browsers killed"] >= 1
    assert day.seen["cuts"] >= 5


async def test_twenty_uploads_to_s3_through_a_bad_day(own_database: Dsn, tmp_path: Path, s3_store, capsys):
    day = await campaign(own_database, tmp_path, 20, 0, seed=12, **s3_store)
    with capsys.disabled():
        print(f"\n{day}")
    assert day.seen["servers killed"] >= 2


@pytest.mark.long
@pytest.mark.browser
async def test_eight_hundred_uploads_through_a_bad_week(own_database: Dsn, tmp_path: Path, capsys):
    day = await campaign(own_database, tmp_path, 705, 95)
    with capsys.disabled():
        print(f"\n{day}")


@pytest.mark.long
@pytest.mark.browser
async def test_two_hundred_uploads_to_s3_through_a_bad_week(own_database: Dsn, tmp_path: Path, s3_store, capsys):
    day = await campaign(own_database, tmp_path, 165, 35, **s3_store)
    with capsys.disabled():
        print(f"\n{day}")
