"""Which PostgreSQL process works in a data directory, and how to end one that a killed instance left behind."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from casemgmt.embedded.errors import EmbeddedError

_PATIENCE = 10.0  # seconds a leftover process gets
_UNTIL_TOLD = 5.0  # seconds of these before it is told to quit


class LeftoverServerError(EmbeddedError):
    """A server process of a former instance does not go away."""


def find_server(data: Path) -> psutil.Process | None:
    """The running server of ``data``: the process its pid file names, if that really is PostgreSQL at work there."""
    pid = _recorded_pid(data)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return process if _works_in(process, data) else None


def end_leftover_server(data: Path, stop: Callable[[], None]) -> None:
    """Return when no PostgreSQL process works in ``data`` and no stale pid file would keep one from starting.

    A server left alone is ended with ``stop`` and not adopted: only a start of ours proves that it runs with
    our rules. Backends whose server was killed end by themselves within moments; a busy one is told to.
    Raises LeftoverServerError when a process survives that.
    """
    if find_server(data) is not None:
        stop()
    elif _recorded_pid(data) is not None:
        # PostgreSQL would refuse to start if some unrelated process of this user now has that number.
        (data / "postmaster.pid").unlink(missing_ok=True)
    started = time.monotonic()
    while leftovers := [process for process in psutil.process_iter() if _works_in(process, data)]:
        waited = time.monotonic() - started
        if waited > _PATIENCE:
            pids = ", ".join(str(process.pid) for process in leftovers)
            raise LeftoverServerError(
                f"PostgreSQL processes of a former instance still run in {data}: {pids}. End them and start again."
            )
        if waited > _UNTIL_TOLD:
            for process in leftovers:
                _tell_to_quit(process)
        time.sleep(0.05)


def _recorded_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Every PostgreSQL process has its data directory as working directory; nothing else tells it as surely."""
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended, a zombie, or somebody else's
        return False


def _tell_to_quit(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGQUIT)
    except psutil.NoSuchProcess:
        return
