"""The two populations: two databases of one server of our own, as the product runs it, and web processes over them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import asyncpg

from bench import population
from bench.http import BrokenRun
from casemgmt import migrations
from casemgmt.embedded import roles
from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.keys import make_keys
from casemgmt.settings import PREFIX
from tests.servers import free_port

_LOADING = {"checkpoint_timeout": "15min", "max_connections": "150"}
SALT = "benchmark"  # of the opaque codes


@dataclass(frozen=True, slots=True)
class Populated:
    """A filled database. ``exhibits`` is the size that was asked for."""

    cluster: Cluster
    name: str
    exhibits: int

    def dsn(self, role: str) -> str:
        return self.cluster.dsn(role, self.name)


@contextmanager
def populated(folder: Path, *sizes: int) -> Iterator[list[Populated]]:
    """A server with a database for each of ``sizes``, filled unless ``folder`` has it from an earlier run."""
    cluster = Cluster(folder / "populations", settings=_LOADING)
    cluster.start()
    try:
        asyncio.run(cluster.create_roles_and_database())
        yield [Populated(cluster, asyncio.run(_ready(cluster, size)), size) for size in sizes]
    finally:
        cluster.stop()


async def _ready(cluster: Cluster, exhibits: int) -> str:
    name, stamp = f"exhibits_{exhibits}", _stamp()
    postgres = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, "postgres"))
    try:
        comment = await postgres.fetchval(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = $1", name
        )
        if comment == stamp:
            return name
        await postgres.execute(f"drop database if exists {name} with (force)")
        await postgres.execute(roles.create_database(name))
        await postgres.execute(roles.admit_to_database(name))
        await _fill(cluster, name, exhibits)
        await postgres.execute(f"comment on database {name} is '{stamp}'")
        await postgres.execute("checkpoint")
    finally:
        await postgres.close()
    return name


def _stamp() -> str:
    """What a filled database was made by: another schema or another filling wants a new one."""
    made_by = [*files("casemgmt.migrations").joinpath("sql").iterdir(), files("bench").joinpath("population.sql")]
    parts = [part.read_bytes() for part in sorted(made_by, key=lambda part: part.name)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


async def _fill(cluster: Cluster, name: str, exhibits: int) -> None:
    print(f"filling a database with {exhibits:,} exhibits", file=sys.stderr, flush=True)
    dba: asyncpg.Connection[Any] = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, name))
    try:
        await dba.execute(roles.harden_database())
        await migrations.upgrade(cluster.dsn("owner_login", name))
        await population.fill(dba, exhibits)
    finally:
        await dba.close()


@contextmanager
def served(database: Populated, folder: Path) -> Iterator[str]:
    """``casemgmt serve`` over a population; yields its address."""
    port, keys = free_port(), make_keys(folder / "keys", "benchmark.example/ledger")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    settings = {
        "APP_URL": database.dsn("app"), "GATE_URL": database.dsn("gate"), "SEQUENCER_URL": database.dsn("sequencer"),
        "STORE_URL": (folder / "store").as_uri(), "LOG_KEY_FILE": str(keys.log_key), "DATA_DIR": str(folder),
        "HASHIDS_SALT": SALT, "PORT": str(port),
    }  # fmt: skip
    environ |= {PREFIX + name: value for name, value in settings.items()}
    log = folder / f"{database.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "casemgmt", "serve"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310 - an address of our own
                if json.load(answer) == {"ok": True}:
                    return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    raise BrokenRun(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
