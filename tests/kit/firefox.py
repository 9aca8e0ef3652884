"""A real Firefox, spoken to in its own language (Marionette: length, colon, JSON over TCP), without a driver."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Firefox:
    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rwb")
        self._number = 0
        self._read()  # it introduces itself
        self.ask("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": False}}})

    def ask(self, command: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        said = json.dumps([0, self._number, command, parameters]).encode()
        self._file.write(b"%d:%b" % (len(said), said))
        self._file.flush()
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{command}: {error}")
        return result

    def run(self, script: str) -> Any:
        """The value of an asynchronous function's body."""
        wrapped = f"(async () => {{{script}}})().then(arguments[0], error => arguments[0]('ERROR ' + error))"
        return self.ask("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": [], "newSandbox": False})["value"]

    def go(self, address: str) -> None:
        self.ask("WebDriver:Navigate", {"url": address})

    def choose(self, selector: str, path: Path) -> None:
        found = self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})["value"][ELEMENT]
        self.ask("WebDriver:ElementSendKeys", {"id": found, "text": str(path)})

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            byte = self._file.read(1)
            if not byte:
                raise RuntimeError("Firefox has hung up")
            length += byte
        return json.loads(self._file.read(int(length[:-1])))


def found() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Headless, with a profile of its own in `folder`."""
    port = free_port()
    (folder / "user.js").write_text(f'user_pref("marionette.port", {port});\nuser_pref("app.update.enabled", false);\n')
    command = [found() or "firefox", "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)}
    )
    try:
        yield Firefox(_connected(port, process))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("Firefox did not start")
