"""Which PostgreSQL processes work in a data directory, and how to end them, whoever left them there."""

import signal
import time
from pathlib import Path

import psutil

from casemgmt.embedded.errors import EmbeddedError

_FAST = 60.0  # seconds a server gets to write its last checkpoint
_ORPHANED = 5.0  # seconds the processes of a killed server get to notice it
_AFTER_QUIT = 15.0  # seconds any of them gets once it was told to drop everything


class ServerSurvivesError(EmbeddedError):
    """A server process does not go away."""


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


def end_server(data: Path) -> None:
    """Return when no PostgreSQL process works in ``data`` and no stale pid file would keep one from starting.

    A server is asked for a fast shutdown: open transactions end, nothing committed is lost. What is too slow is told
    to drop everything, after which the next start recovers. Raises ServerSurvivesError when a process survives that.
    """
    server = find_server(data)
    if server is not None:
        _signal(server, signal.SIGINT)
    patience = _ORPHANED if server is None else _FAST
    began = time.monotonic()
    while processes := [process for process in psutil.process_iter() if _works_in(process, data)]:
        waited = time.monotonic() - began
        if waited > patience + _AFTER_QUIT:
            pids = ", ".join(str(process.pid) for process in processes)
            raise ServerSurvivesError(f"PostgreSQL processes still run in {data}: {pids}. End them and start again.")
        if waited > patience:
            for process in processes:
                _signal(process, signal.SIGQUIT)
        time.sleep(0.05)
    # PostgreSQL would refuse to start if some unrelated process of this user had the recorded number by now.
    (data / "postmaster.pid").unlink(missing_ok=True)


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


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
