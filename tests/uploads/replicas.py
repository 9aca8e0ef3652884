"""Web servers in processes of their own, to be killed: ``casemgmt serve`` as an administrator starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx


class Replica:
    """One server on a port of its own; ``kill`` is kill -9."""

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._variables = {**variables, "CASEMGMT_PORT": str(self._port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Returns when it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CASEMGMT_")}
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "casemgmt", "serve"], env={**kept, **self._variables},
                stdout=output, stderr=output,
            )  # fmt: skip
        async with httpx.AsyncClient(base_url=self.address) as client, asyncio.timeout(300):
            while True:
                assert self._process.poll() is None, self._log.read_text(errors="replace")[-3000:]
                try:
                    if (await client.get("/healthz")).is_success:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@asynccontextmanager
async def replicas(variables: Mapping[str, str], folder: Path, count: int = 2) -> AsyncIterator[list[Replica]]:
    made = [Replica(variables, folder / f"replica-{n}.log") for n in range(count)]
    try:
        await asyncio.gather(*(replica.start() for replica in made))
        yield made
    finally:
        for replica in made:
            replica.stop()
