"""Real witness programs: `casemgmt witness serve` in processes of their own, on free ports."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from casemgmt.trust.keys import SigningKey, VerifierKey
from casemgmt.witness.answering import Witness
from casemgmt.witness.http import Server
from casemgmt.witness.keeping import Keeper, enrol, keeping, make_key
from tests.servers import free_port


@dataclass
class Program:
    """A witness an agency runs. ``start`` after ``kill`` or ``stop`` is allowed; the port stays."""

    name: str
    directory: Path
    key: SigningKey
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _server: asyncio.Server | None = None
    _state: AbstractContextManager[Keeper] | None = None

    @classmethod
    def make(cls, folder: Path, name: str, log: VerifierKey) -> Program:
        key = make_key(folder / name, f"{name}.example/witness")
        enrol(folder / name, log, lambda: int(time.time()))
        return cls(name, folder / name, key)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def vkey(self) -> str:
        return str(self.key.verifier)

    async def start(self, *command: str) -> None:
        """Return when it listens. ``command``: another program in its place."""
        default = (sys.executable, "-m", "casemgmt", "witness", "serve", str(self.directory))
        line = [*(command or default), "--listen", f"127.0.0.1:{self.port}"]
        with (self.directory / "output.log").open("ab") as output:
            self.process = subprocess.Popen(line, stdout=output, stderr=output)
        async with asyncio.timeout(20):
            while self.process.poll() is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return
        raise RuntimeError((self.directory / "output.log").read_text())

    async def start_here(self) -> None:
        """The same witness in this process and event loop: a process of its own takes most of a second to start."""
        self._state = keeping(self.directory)
        handler = Server(Witness(self._state.__enter__()).answer).connected
        self._server = await asyncio.start_server(handler, "127.0.0.1", self.port)

    async def stop_here(self) -> None:
        if self._server is not None and self._state is not None:
            self._server.close()
            self._state.__exit__(None, None, None)
            self._server = self._state = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def output(self) -> str:
        return (self.directory / "output.log").read_text()


def policy_of(log: VerifierKey, programs: list[Program], count: int = 2) -> str:
    lines = [f"log {log}", *(f"witness {p.name} {p.vkey} {p.url}" for p in programs)]
    lines += [f"group agencies {count} {' '.join(p.name for p in programs)}", "quorum agencies"]
    return "\n".join(lines) + "\n"
