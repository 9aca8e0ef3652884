"""A whole installation in processes of its own, to be killed, and a look behind server, database and store."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import psutil

from casemgmt.core.clock import utcnow
from casemgmt.core.events import timestamp
from casemgmt.demo.cast import PASSWORD
from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.server_process import find_server
from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.evidence.fixity import Swept, sweep
from casemgmt.ledger.findings import Findings
from casemgmt.ledger.recompute import recompute
from casemgmt.storage.local import LocalStore

PATIENCE = 30.0  # seconds
_WAITS = "select exists (select from pg_locks where relation = $1::regclass and not granted)"
_SEQUENCED = "select (select count(*) from ledger.entry) = (select count(*) from ledger.leaf)"
_SERVED = "select exists (select from pg_stat_activity where usename in ('app', 'gate', 'sequencer'))"


async def until(holds: Callable[[], Awaitable[bool]], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not await holds():
        assert time.monotonic() < deadline, f"waited too long: {what}"
        await asyncio.sleep(0.02)


class Held:
    """A table that nobody else can write to until ``release``."""

    def __init__(self, connection: asyncpg.Connection[Any], table: str) -> None:
        self._connection = connection
        self._table = table

    async def somebody_waits(self) -> None:
        async def waits() -> bool:
            return bool(await self._connection.fetchval(_WAITS, self._table))

        await until(waits, f"somebody writes to {self._table}")

    async def release(self) -> None:
        """Let go, and return when the connections of a killed server have ended: what they had begun is decided."""
        await self._connection.execute("rollback")

        async def left() -> bool:
            return not await self._connection.fetchval(_SERVED)

        await until(left, "PostgreSQL notices that the server is gone")


class House:
    """Start it, sign people in, kill it, and compare what is left with what was answered."""

    def __init__(self, instance: TemporaryInstance) -> None:
        self._instance = instance
        self._cluster = Cluster(instance.data / "postgres")
        self._tokens: dict[str, str] = {}
        self.store = LocalStore(instance.data / "store")

    def kill(self) -> None:
        """``kill -9`` of the server; its PostgreSQL lives on."""
        self._instance.kill()

    def kill_postgres(self) -> None:
        """``kill -9`` of every PostgreSQL process."""
        server = find_server(self._cluster.data)
        assert server is not None
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a backend may end by itself, or with its server, meanwhile
                process.kill()

    async def restart(self) -> None:
        await asyncio.to_thread(self._instance.start)

    async def recovered(self) -> None:
        """Return when a server that lost its PostgreSQL answers again."""

        async def answers() -> bool:
            with suppress(httpx.TransportError):
                async with self.client("aida", timeout=5) as aida:
                    return all([(await aida.get("/api/v1/seizures")).is_success for _ in range(20)])
            return False

        await until(answers, self.output()[-2000:])

    def output(self) -> str:
        return self._instance.output()

    async def sign_in(self, *logins: str) -> None:
        async with httpx.AsyncClient(base_url=self._instance.url, timeout=30) as client:
            for login in logins:
                answer = await client.post("/api/v1/sessions", json={"login": login, "password": PASSWORD})
                self._tokens[login] = answer.raise_for_status().json()["token"]

    def client(self, login: str, *, timeout: float = 60) -> httpx.AsyncClient:
        """The program of one of the cast, signed in; a session outlives a kill."""
        headers = {"Authorization": f"Bearer {self._tokens[login]}"}
        return httpx.AsyncClient(base_url=self._instance.url, headers=headers, timeout=timeout)

    async def code_of(self, name: str) -> str:
        """The code under which a colleague is named in requests."""
        async with self.client("aida") as aida:
            people = (await aida.get("/api/v1/people", params={"q": name})).raise_for_status().json()
        return str(people[0]["id"])

    async def register(self, login: str = "aida", *, exhibits: int = 1) -> dict[str, Any]:
        async with self.client(login) as officer:
            answer = await officer.post("/api/v1/seizures", json=registration(exhibits))
        answer.raise_for_status()
        return dict(answer.json())

    @asynccontextmanager
    async def dba(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        async with self._connected("dba") as connection:
            yield connection

    @asynccontextmanager
    async def held_back(self, table: str) -> AsyncIterator[Held]:
        """Whoever inserts into ``table`` waits; reading goes on."""
        async with self._connected("dba") as connection:
            await connection.execute("begin")
            await connection.execute(f"lock table {table} in exclusive mode")
            yield Held(connection, table)

    @asynccontextmanager
    async def _connected(self, role: str) -> AsyncIterator[asyncpg.Connection[Any]]:
        connection = await asyncpg.connect(self._cluster.dsn(role))
        try:
            yield connection
        finally:
            with suppress(asyncpg.PostgresError, OSError):  # PostgreSQL may have been started anew meanwhile
                await connection.close(timeout=5)

    def objects(self) -> set[str]:
        """The keys of everything published that is not the ledger's own."""
        return {found.key for found in self.store.objects(limit=1_000_000)} - self.batches()

    def batches(self) -> set[str]:
        """The keys of the ledger's archive."""
        return {found.key for found in self.store.objects(limit=1_000_000) if found.key.startswith("ledger-")}

    async def swept(self) -> Swept:
        """What the sweeper does and says when nothing is too young for it."""
        async with self._connected("sequencer") as connection:
            return await sweep(self.store, connection, older_than=timedelta())

    async def verified(self) -> Findings:
        """Wait until every entry has its place, recompute the ledger, and find no fault."""
        async with self.dba() as dba:

            async def sequenced() -> bool:
                return bool(
                    await dba.fetchval(
                        "select (select count(*) from ledger.entry) = (select max(size) from ledger.checkpoint)"
                    )
                )

            await until(sequenced, self.output()[-2000:])
        async with self._connected("verifier") as connection:
            found = await recompute(connection, store=self.store)
        assert (found.faults, found.waiting) == ([], 0)
        return found


def registration(exhibits: int = 1) -> dict[str, Any]:
    """What a program sends to register a seizure of packages; each call another ``client_id``."""
    return {
        "client_id": str(uuid.uuid4()),
        "seized_at": timestamp(utcnow()),
        "place": "Ak-Tilek",
        "exhibits": [{"category": "DRUG", "description": f"package {n}", "seal": f"B-100{n}"} for n in range(exhibits)],
    }
