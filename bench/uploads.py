"""Files taken in over HTTP, against a plain loop over the same bytes on the same disk."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import plain
from bench.harness import Row, Stopwatch, rate, speed, turns
from bench.http import BrokenRun, Client, Curl
from bench.instance import Records, Site, instance
from bench.sizes import Sizes

PHOTOGRAPHERS = 4
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
_LOOP = "hash, write 1 MiB blocks, fsync; one after another"


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send, and what the server must say of it."""

    path: Path
    size: int
    sha256: str


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with instance(folder) as site:
        sender, target = Sender(site), folder / "plain.bin"
        for source in (sizes.large, sizes.middle, sizes.photo):
            sender.send(make_source(folder, source))  # the first request of a process is nobody's measure
        sender.tidy()

        large = make_source(folder, sizes.large)
        samples = turns(lambda: sender.send(large), lambda: plain.keep(large.path, target), sizes.rounds)
        yield speed(f"upload {label(large.size)} by PUT", "the same bytes: hash, write, fsync", samples, 1.2)

        middle = make_source(folder, sizes.middle)
        samples = turns(
            lambda: sender.send_at_once(middle, 8),
            lambda: sum(plain.keep(middle.path, target) for _ in range(8)),
            sizes.rounds,
        )
        yield speed(f"8 uploads of {label(middle.size)} at once", _LOOP, samples, 0.9)

        photo = make_source(folder, sizes.photo)
        count = sizes.photos
        samples = turns(
            lambda: sender.photographs(photo, count),
            lambda: count / sum(plain.keep(photo.path, target) for _ in range(count)),
            sizes.rounds,
        )
        what = f"photographs of {label(photo.size)}, {PHOTOGRAPHERS} connections"
        yield rate(what, _LOOP, samples, 0.9)


def make_source(folder: Path, size: int) -> Source:
    """A file of ``size`` bytes that nothing can compress and that begins as a photograph does; made once."""
    path = folder / f"source-{size}"
    if not path.exists():
        bytes_ = random.Random(size)
        with path.open("wb") as file:
            file.write(_JPEG)
            left = size - len(_JPEG)
            while left:
                left -= file.write(bytes_.randbytes(min(left, plain.BLOCK)))
    _, sha256 = plain.read_and_hash(path)
    return Source(path, size, sha256)


class Sender:
    """aida, sending files of one exhibit. Every answer must name the size and hash of what was sent.

    ``tidy`` frees the store's disk; it is called after each measure, outside the measured time.
    """

    def __init__(self, site: Site, tidy: Callable[[], None] | None = None) -> None:
        self.records: Records = site.records()
        self.tidy = tidy or site.discard_objects
        self._url = site.url
        self._token = site.token("aida")

    def send(self, source: Source) -> float:
        """Seconds for one file, by curl."""
        spent = self._checked(source, self._curl(source))
        self.tidy()
        return spent

    def send_at_once(self, source: Source, count: int) -> float:
        with Stopwatch() as watch:
            for curl in [self._curl(source) for _ in range(count)]:
                self._checked(source, curl)
        self.tidy()
        return watch.seconds

    def photographs(self, source: Source, count: int) -> float:
        """Photographs per second, each acknowledged before the connection sends its next."""
        body, faults = source.path.read_bytes(), list[BaseException]()

        def photographer(share: int) -> None:
            try:
                with Client(self._url, self._token) as client:
                    for _ in range(share):
                        headers = {"Content-Type": "image/jpeg"}
                        answer = client.ask("PUT", f"{self._path()}?kind=photo", body, headers, expect=(201,))
                        _check(source, answer)
            except (BrokenRun, OSError) as fault:
                faults.append(fault)

        shares = [len(range(first, count, PHOTOGRAPHERS)) for first in range(PHOTOGRAPHERS)]
        threads = [threading.Thread(target=photographer, args=(share,)) for share in shares]
        with Stopwatch() as watch:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.tidy()
        if faults:
            raise faults[0]
        return count / watch.seconds

    def _path(self) -> str:
        return f"/api/v1/exhibits/{self.records.exhibit}/files/{uuid.uuid4()}"

    def _curl(self, source: Source) -> Curl:
        authorization = f"Authorization: Bearer {self._token}"
        return Curl(f"{self._url}{self._path()}", "--header", authorization, "--upload-file", str(source.path))

    def _checked(self, source: Source, curl: Curl) -> float:
        done = curl.wait(201)
        _check(source, done.body)
        return done.seconds


def _check(source: Source, answer: bytes) -> None:
    told = json.loads(answer)
    if (told["size"], told["sha256"]) != (source.size, source.sha256):
        raise BrokenRun(f"{told['size']} bytes were stored, not the {source.size} sent, or others")


def label(size: int) -> str:
    """A size for people: ``64 MiB``."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if size >= factor:
            return f"{size / factor:g} {unit}"
    return f"{size >> 10} KiB"
