"""A real WebKit: GTK's MiniBrowser on a screen of its own, spoken to through its WebDriver in plain HTTP."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.servers import free_port

_PROGRAMS = ("WebKitWebDriver", "Xvfb")


def _browser() -> str | None:
    return next((str(path) for path in Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser")), None)


class WebKit:
    """One window, in a session that WebKit keeps in memory only: that is how it lets itself be driven."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._session = ""
        # WebKit freezes a page that was left, in the middle of a transaction with IndexedDB too, and whoever wants the
        # same store waits for ever. Over HTTPS it spares pages that say no-store, as ours do; here is HTTP.
        options = {"binary": _browser(), "args": ["--automation", "--enable-page-cache=false"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        said = self.ask("POST", "/session", {"capabilities": wanted})
        self.version = said["capabilities"]["browserVersion"]
        self._session = f"/session/{said['sessionId']}"
        self.ask("POST", "/timeouts", {"script": 120_000, "pageLoad": 60_000})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=150)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, self._session + path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())["value"]
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {said}")
        return said

    def go(self, address: str) -> None:
        self.ask("POST", "/url", {"url": address})

    def run(self, script: str) -> Any:
        """The value of an asynchronous function's body."""
        wrapped = f"(async () => {{{script}}})().then(arguments[0], error => arguments[0]('ERROR ' + error))"
        return self.ask("POST", "/execute/async", {"script": wrapped, "args": []})


def missing() -> list[str]:
    programs = [name for name in _PROGRAMS if shutil.which(name) is None]
    return programs if _browser() else [*programs, "MiniBrowser of WebKitGTK"]


@contextmanager
def webkit(folder: Path) -> Iterator[WebKit]:
    folder.mkdir(mode=0o700, exist_ok=True)
    own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x900x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    driver = None
    try:
        assert screen.stdout is not None
        display = screen.stdout.readline().decode().strip()
        if not display:
            raise RuntimeError("Xvfb did not start")
        port = free_port()
        driver = subprocess.Popen(
            ["WebKitWebDriver", f"--port={port}"], env={**os.environ, **own, "DISPLAY": f":{display}"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _wait(port, driver)
        browser = WebKit(port)
        try:
            yield browser
        finally:
            browser.ask("DELETE", "")
    finally:
        for process in (driver, screen):
            if process is not None:
                process.terminate()
                process.wait(timeout=30)


def _wait(port: int, driver: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and driver.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/status")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError("WebKitWebDriver did not start")
