"""The demonstration's three witnesses: real witness programs, on the wrong machine.

They show how agencies watch over each other's ledger. Running beside the ledger, with keys its administrator can read,
they prove nothing to outsiders, and their names say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

from casemgmt.core.db import Database
from casemgmt.core.errors import DomainError
from casemgmt.core.waiting import stopped_within
from casemgmt.ledger import policy
from casemgmt.settings import Settings
from casemgmt.trust.keys import SigningKey, VerifierKey
from casemgmt.trust.policy import Group, Policy, Witness
from casemgmt.witness.keeping import enrol, make_key, read_key

NAMES = ("customs", "police", "prosecution")
NEEDED = 2
_LOOK = 1.0  # seconds

_log = logging.getLogger(__name__)


class DemonstrationWitnesses:
    """One directory each below ``DATA/witnesses``. Once made they run at every start: the policy asks for them."""

    def __init__(self, data: Path) -> None:
        self._directory = data / "witnesses"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}

    @property
    def made(self) -> bool:
        return self._directory.is_dir()

    def start(self, log: VerifierKey) -> None:
        """Make what is missing and start all three; none of them is waited for."""
        for name in NAMES:
            directory = self._directory / name
            if not (directory / "key").exists():
                make_key(directory, f"{name}.demonstration/witness")
            if not any((directory / "logs").iterdir()):
                enrol(directory, log, lambda: int(time.time()))
            self._ports[name] = _port(directory / "port")
            self._start(name)

    def policy(self, log: VerifierKey) -> Policy:
        """Two of the three, at the addresses they have now."""
        witnesses = {
            name: Witness(read_key(self._directory / name).verifier, f"http://127.0.0.1:{port}")
            for name, port in self._ports.items()
        }
        return Policy((log,), witnesses, {"agencies": Group(NEEDED, NAMES)}, "agencies")

    async def keep_up(self, stop: asyncio.Event) -> None:
        """Start one again that ended by itself, until ``stop`` is set; then end all."""
        try:
            while not await stopped_within(stop, _LOOK):
                for name, process in self._running.items():
                    if process.poll() is not None:
                        _log.warning("the witness %s ended with %s; starting it again", name, process.returncode)
                        self._start(name)
        finally:
            self.stop()

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()
        self._running.clear()

    def _start(self, name: str) -> None:
        directory = self._directory / name
        command = [sys.executable, "-m", "casemgmt", "witness", "serve", "--quiet", "--while-stdin-open"]
        command += ["--listen", f"127.0.0.1:{self._ports[name]}", str(directory)]
        with (directory / "output.log").open("wb") as output:
            # The pipe ends with this process, however it ends, and the witness with the pipe.
            self._running[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)


async def put_in_force(settings: Settings, wanted: Policy) -> None:
    """Make this the policy in force, as the demonstration's administrator; says so in the log when that fails."""
    from casemgmt.demo.setup import signed_in  # noqa: PLC0415  (only a demonstration loads it)

    database = Database(settings.app_dsn, settings.gate_dsn, size=1)
    await database.open()
    try:
        administrator = await signed_in(database, "admin")
        async with database.begin(administrator) as db:
            if str((await policy.in_force(db)).policy) != str(wanted):
                await policy.change(db, administrator, str(wanted), "demonstration witnesses on this machine")
    except DomainError as error:
        _log.warning("the demonstration's witness policy was not put in force: %s", error.message)
    finally:
        await database.close()


def log_key(settings: Settings) -> VerifierKey:
    """The public half of this machine's own log key."""
    if settings.log_key_file is None:
        raise RuntimeError("the demonstration signs its ledger with a key file")
    return SigningKey.parse(settings.log_key_file.read_text(encoding="ascii").strip()).verifier


def _port(file: Path) -> int:
    """The port this witness had before, if it is free; another one otherwise."""
    wanted = 0
    with contextlib.suppress(OSError, ValueError):
        wanted = int(file.read_text(encoding="ascii"))
    for port in (wanted, 0):
        with contextlib.suppress(OSError, OverflowError), socket.create_server(("127.0.0.1", port)) as probe:
            found = int(probe.getsockname()[1])
            file.write_text(str(found), encoding="ascii")
            return found
    raise RuntimeError("no port is free on this machine")
