"""An instance in a process of its own that goes away again: for tests and for the walkthrough."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.lock import read_holder
from casemgmt.settings import PREFIX


class InstanceDidNotStartError(EmbeddedError):
    """The instance ended, or did not answer in time; the message ends with its last output."""


class TemporaryInstance:
    """``casemgmt up`` on a free port, in ``data`` or in a directory that is removed at the end.

    The settings of the calling process do not reach it; ``settings`` (names without ``CASEMGMT_``) do.
    ``start`` again after ``kill`` or ``stop`` is allowed as long as the ``with`` block lasts.
    """

    def __init__(self, data: Path | None = None, *, demo: bool = False, settings: dict[str, str] | None = None) -> None:
        self._removed_at_end = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="casemgmt-"))
        self.data.mkdir(parents=True, exist_ok=True)
        self._command = [sys.executable, "-m", "casemgmt", "up", "--data", str(self.data), "--port", "0"]
        if demo:
            self._command.append("--demo")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environ = inherited | {PREFIX + name: value for name, value in (settings or {}).items()}
        self._output = self.data / "output.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
            Cluster(self.data / "postgres").stop()  # left behind if the instance was killed
        finally:
            if self._removed_at_end:
                shutil.rmtree(self.data)

    def start(self, patience: float = 90.0) -> None:
        """Start it and return when ``url`` answers ``/healthz``; ``patience`` is in seconds."""
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, env=self._environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + patience
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise InstanceDidNotStartError(f"the instance did not start:\n{self.output()[-4000:]}")
            time.sleep(0.05)

    def stop(self, patience: float = 60.0) -> int | None:
        """Ask it to end and return its exit code; None when it was not running. Kills it after ``patience`` seconds."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = None

    def kill(self) -> None:
        """End it as a power cut would: no tidying up. Its PostgreSQL lives on until the next start."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def output(self) -> str:
        """What it has printed so far, over all starts."""
        return self._output.read_text(errors="replace")

    def _answers(self) -> bool:
        holder = read_holder(self.data)
        if self.process is None or holder.get("pid") != self.process.pid or "url" not in holder:
            return False
        self.url = str(holder["url"])
        try:
            with urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 (an address of our own)
                return bool(json.load(answer) == {"ok": True})
        except (URLError, TimeoutError, ConnectionError):
            return False
