"""Evidence packages on their way out: every byte hashed again, and any range at once."""

from __future__ import annotations

import contextlib
import io
import os
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench import plain, sealing
from bench.harness import Row, Stopwatch, delay, speed, turns
from bench.http import BrokenRun, Client, Curl
from bench.instance import Site, instance
from bench.sizes import MIB, Sizes
from bench.uploads import Sender, Source, label, make_source
from casemgmt.trust.verify.command import main as verify
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.steps import verify_package

PART = 64 * 1024  # bytes asked for at 90 %
PAUSE = 0.02  # seconds for the server to notice that the download before was given up


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with instance(folder) as site:
        source = make_source(folder, sizes.large)
        one, many = Download(site, source, 1), Download(site, source, sizes.parts)
        one.prove(folder / "package.zip")

        stored = site.objects()[0]
        samples = turns(one.whole, lambda: _read(stored, source), sizes.rounds)
        what = f"package with {label(source.size)} of evidence, hashed again while sent"
        yield speed(what, "read + SHA-256 of the stored file, one process", samples, 0.6)

        many.first_byte()
        many.first_byte(many.size * 9 // 10)
        samples = turns(lambda: many.first_byte(many.size * 9 // 10), many.first_byte, sizes.ranges)
        what = f"first byte at 90 % of a package of {label(sizes.parts * sizes.large)}"
        yield delay(what, "first byte of the whole", samples, 2)

        target = folder / "package.zip"
        many.keep(target)
        samples = turns(lambda: _verify(target), lambda: plain.hash_members(target), sizes.rounds)
        what = f"casemgmt verify, a package of {label(sizes.parts * sizes.large)}"
        yield speed(what, "SHA-256 of every file inside on all cores", samples, 0.9)
        target.unlink()

    with instance(folder) as site:
        yield from sealing.measure(site, folder, sizes)


class Download:
    """A sealed package of ``count`` files and somebody who may fetch it."""

    def __init__(self, site: Site, source: Source, count: int) -> None:
        sender = Sender(site, tidy=lambda: None)
        for _ in range(count):
            sender.send(source)
        self._token = site.token("saule")
        with Client(site.url, self._token) as client:
            case = sender.records.case
            package = client.json("POST", f"/api/v1/cases/{case}/packages", {"client_id": str(uuid.uuid4())})
            _await_seal(client, package["id"])
            reason = {"reason": "benchmark of the download"}
            self._path = client.json("POST", f"/api/v1/packages/{package['id']}/downloads", reason)["url"]
            answer = client.request("HEAD", self._path)
            answer.read()
            self.size = int(answer.headers["Content-Length"])
        self._url = site.url
        if answer.status != 200 or not count * source.size < self.size < count * source.size + MIB:
            raise BrokenRun(f"a package of {self.size} bytes cannot hold {count} files of {source.size}")

    def whole(self) -> float:
        """Seconds for the whole archive."""
        done = self._curl(Path(os.devnull)).wait(200)
        if done.received != self.size:
            raise BrokenRun(f"{done.received} of {self.size} bytes came")
        return done.seconds

    def keep(self, target: Path) -> None:
        """The archive as a file. Not measured."""
        self._curl(target).wait(200)

    def prove(self, target: Path) -> None:
        """Raises BrokenRun unless what is downloaded is a package that verifies. Not measured."""
        self._curl(target).wait(200)
        try:
            with zipfile.ZipFile(target) as archive:
                if (bad := archive.testzip()) is not None:
                    raise BrokenRun(f"{bad} is damaged")
            with contextlib.redirect_stdout(io.StringIO()) as told:
                verified = verify([str(target)]) == 0
            if not verified:
                raise BrokenRun(f"the downloaded package does not verify:\n{told.getvalue()}")
        finally:
            target.unlink(missing_ok=True)

    def first_byte(self, at: int | None = None) -> float:
        """Milliseconds from the request to the first byte of the whole, or of the range at ``at``."""
        time.sleep(PAUSE)
        with Client(self._url, self._token) as client:
            client.json("GET", "/api/v1/me")  # connects
            headers = {} if at is None else {"Range": f"bytes={at}-{at + PART - 1}"}
            started = time.perf_counter()
            answer = client.request("GET", self._path, headers=headers)
            first = answer.read(1)
            spent = (time.perf_counter() - started) * 1000
            expected = (200, self.size) if at is None else (206, PART)
            if (answer.status, int(answer.headers["Content-Length"])) != expected or len(first) != 1:
                raise BrokenRun(f"status {answer.status}, {answer.headers['Content-Length']} bytes announced")
            if at is not None and len(answer.read()) != PART - 1:
                raise BrokenRun("the range came short")
        return spent

    def _curl(self, output: Path) -> Curl:
        authorization = f"Authorization: Bearer {self._token}"
        return Curl(f"{self._url}{self._path}", "--header", authorization, output=output)


def _await_seal(client: Client, package: str) -> None:
    for _ in range(600):
        if client.json("GET", f"/api/v1/packages/{package}")["complete"]:
            return
        time.sleep(0.1)
    raise BrokenRun("the package was not sealed within a minute")


def _verify(path: Path) -> float:
    with Stopwatch() as watch:
        report = verify_package(path, openssl=OpenSsl.found())
    if report.status != 0:
        raise BrokenRun(str(report))
    return watch.seconds


def _read(path: Path, source: Source) -> float:
    seconds, sha256 = plain.read_and_hash(path)
    if sha256 != source.sha256:
        raise BrokenRun("the stored file is another one")
    return seconds
