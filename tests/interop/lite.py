"""litewitness (Torchwood): another program of the same protocol, with its key in an agent and its state in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from pathlib import Path

from casemgmt.trust.encoding import to_base64
from casemgmt.trust.hashing import EMPTY_ROOT
from casemgmt.trust.keys import COSIGNATURE, SigningKey
from tests.interop.peers import LITEWITNESS, TLOGPEER
from tests.servers import free_port


class Lite:
    """A litewitness: its key in an agent, the log in its database."""

    def __init__(self, folder: Path, log: SigningKey) -> None:
        self.key = SigningKey.generate("lite.example/witness", COSIGNATURE)
        self.port, self._folder, self._log = free_port(), folder, log
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        socket, database = self._folder / "s", self._folder / "lite.db"
        command = [str(TLOGPEER), "agent", str(socket), self.key.seed.hex()]
        agent = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._running.append(agent)
        assert agent.stdout is not None
        fingerprint = (await asyncio.to_thread(agent.stdout.readline)).decode().strip()
        with sqlite3.connect(database) as enrolled:
            enrolled.executescript(
                "create table log(origin text primary key, tree_size integer not null, tree_hash text not null);"
                "create table key(origin text not null, key text not null, foreign key(origin) references log(origin));"
            )
            enrolled.execute("insert into log values (?, 0, ?)", (self._log.name, to_base64(EMPTY_ROOT)))
            enrolled.execute("insert into key values (?, ?)", (self._log.name, str(self._log.verifier)))
        command = [str(LITEWITNESS), "-name", self.key.name, "-db", str(database), "-ssh-agent", str(socket)]
        command += ["-key", fingerprint, "-listen", f"127.0.0.1:{self.port}"]
        with (self._folder / "lite.log").open("wb") as output:
            self._running.append(subprocess.Popen(command, stdout=output, stderr=output))
        async with asyncio.timeout(20):
            while True:
                try:
                    _, connection = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    connection.close()
                    return

    def stop(self) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait()
