"""A looking process that has been taken over: run with what it does, and optionally one wall that is not built.

python -I evil.py <deed> [without-<wall>]
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from casemgmt.inspection import child, confinement


def told(words: str) -> bytes:
    return json.dumps({"exif": {"state": "unreadable", "error": words}, "c2pa": {"state": "none"}}).encode()


def attempt(deed: Callable[[], object]) -> bytes:
    try:
        deed()
    except OSError as error:
        return told(f"refused: {type(error).__name__}")
    return told("done")


def spin() -> bytes:
    while True:
        pass


def sleep() -> bytes:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def devour() -> bytes:
    held = [b"x" * (64 << 20) for _ in range(12)]
    return told(f"done, {len(held)}")


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def thread() -> None:
    import threading

    worker = threading.Thread(target=lambda: None)
    worker.start()
    worker.join()


DEEDS: dict[str, Callable[[], bytes]] = {
    "spin": spin,
    "sleep": sleep,
    "devour": devour,
    "crash": lambda: ctypes.string_at(1),
    "leave": lambda: os._exit(0),
    "fail": lambda: told(str(int("no"))),
    "nonsense": lambda: b"{{{",
    "other-form": lambda: json.dumps({"exif": {"state": "found", "secret": "x"}, "c2pa": {"state": "none"}}).encode(),
    "long-words": lambda: told("x" * 5000),
    "deep": lambda: b"[" * 100_000,
    "flood": lambda: b"x" * (4 << 20),
    "chatter": lambda: told("spoke") if print("x" * 9) is None and os.write(1, b"\0\0\0\1x") else b"",
    "socket": lambda: attempt(socket.socket),
    "open": lambda: attempt(lambda: Path("/etc/passwd").read_bytes()),
    "write": lambda: attempt(lambda: Path(f"/tmp/evil-{os.getpid()}").write_bytes(b"x")),
    "program": lambda: attempt(lambda: subprocess.run(["/bin/true"], check=True)),
    "fork": lambda: attempt(fork),
    "kill": lambda: attempt(lambda: os.kill(os.getppid(), 0)),
    "thread": lambda: attempt(thread),
    "secrets": lambda: told(" ".join(sorted(os.environ))),
}


def prepare(_: Mapping[str, Any]) -> tuple[dict[str, child.Work], dict[str, str]]:
    deed = DEEDS[sys.argv[1]]
    return dict.fromkeys(("claims", "exif", "c2pa", "preview"), lambda *_: deed()), {"evil": "1"}


if __name__ == "__main__":
    without = sys.argv[2:]
    if "without-filter" in without:
        confinement.filter_calls = lambda: True
    if "without-limits" in without:
        confinement.lower = lambda limits: None
    child.main(prepare)
