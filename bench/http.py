"""Talking to the product from outside: curl for bytes, one kept connection for many small requests.

Every answer is checked where it arrives, so that a broken run cannot look fast.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE = 600.0  # seconds, for the longest transfer


class BrokenRun(Exception):
    """An answer was not what it must be; there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What curl says of one transfer. ``body`` is the answer, where it was kept."""

    seconds: float
    status: int
    received: int
    body: bytes


class Curl:
    """A curl on its way, started at once; ``wait`` for it. The answer goes to ``output``, or ``wait`` returns it."""

    def __init__(self, url: str, *options: str, output: Path | None = None) -> None:
        self._folder = TemporaryDirectory(prefix="bench-curl-")
        self._body = Path(self._folder.name) / "body"
        told = "%{time_total} %{http_code} %{size_download}"
        command = ["curl", "--silent", "--show-error", "--http1.1", "--header", "Expect:", "--write-out", told]
        command += ["--output", str(output or self._body), *options, url]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait(self, *statuses: int) -> Transfer:
        """Its end. Raises BrokenRun for any exit code but 0 (a cut download is a 200, too) and any other status."""
        with self._folder:
            told, complaint = self._process.communicate(timeout=PATIENCE)
            body = self._body.read_bytes() if self._body.exists() else b""
        if self._process.returncode != 0:
            raise BrokenRun(f"curl ended with {self._process.returncode}: {complaint.strip()}")
        seconds, status, received = told.split()
        if int(status) not in statuses:
            raise BrokenRun(f"status {status}: {body[:500]!r}")
        return Transfer(float(seconds), int(status), int(received), body)


class Client:
    """One kept connection, signed in by ``token`` through the API's header or, for pages, the session's cookie."""

    def __init__(self, url: str, token: str | None = None, *, cookie: str | None = None) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if cookie is not None:
            self._headers = {"Cookie": cookie, "Accept": "text/html", "Accept-Language": "en"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """The answer's head. Its body must be read, or the connection closed, before the next request."""
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        return self._connection.getresponse()

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None,
        *, expect: tuple[int, ...] = (200,),
    ) -> bytes:  # fmt: skip
        """The whole answer. Raises BrokenRun for an unexpected status."""
        answer = self.request(method, path, body, headers)
        read = answer.read()
        if answer.status not in expect:
            raise BrokenRun(f"{method} {path}: status {answer.status}: {read[:500]!r}")
        return read

    def json(self, method: str, path: str, value: object | None = None, *, expect: tuple[int, ...] = (200, 201)) -> Any:
        body = None if value is None else json.dumps(value).encode()
        return json.loads(self.ask(method, path, body, {"Content-Type": "application/json"}, expect=expect))

    def milliseconds(self, path: str, *, containing: bytes = b"") -> float:
        """How long a GET takes to its last byte. Raises BrokenRun unless it is 200 and holds ``containing``."""
        started = time.perf_counter()
        answer = self.request("GET", path)
        read = answer.read()
        spent = (time.perf_counter() - started) * 1000
        if answer.status != 200 or containing not in read:
            raise BrokenRun(f"GET {path}: status {answer.status}, {len(read)} bytes without {containing!r}")
        return spent
