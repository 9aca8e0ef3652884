"""Files taken in in pieces (tus), against the same files by plain PUT."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench.harness import Row, Stopwatch, speed, turns
from bench.http import BrokenRun, Client, Curl
from bench.instance import Site, instance
from bench.sizes import Sizes
from bench.uploads import Sender, Source, label, make_source

PIECES = 16
_TUS = {"Tus-Resumable": "1.0.0"}


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with instance(folder) as site:
        sender, pieces = Sender(site), Pieces(site)
        large, photo = make_source(folder, sizes.large), make_source(folder, sizes.photo)
        for source in (large, photo):
            sender.send(source)
            pieces.send(source, 1)
        samples = turns(lambda: pieces.send(large, 1), lambda: sender.send(large), sizes.rounds)
        yield speed(f"upload {label(large.size)} by tus, one PATCH", "the same file by PUT", samples, 0.9)
        samples = turns(lambda: pieces.send(large, PIECES), lambda: sender.send(large), sizes.rounds)
        yield speed(f"upload {label(large.size)} by tus in {PIECES} pieces", "the same file by PUT", samples, 0.6)
        count = min(50, sizes.photos)
        samples = turns(
            lambda: sum(pieces.send(photo, 1) for _ in range(count)),
            lambda: sum(sender.send(photo) for _ in range(count)),
            sizes.rounds,
        )
        yield speed(f"photographs of {label(photo.size)} by tus, one after another", "by PUT", samples, 0.4)


class Pieces:
    """aida, sending files of one exhibit in pieces of one size."""

    def __init__(self, site: Site) -> None:
        self._records, self._site, self._token = site.records(), site, site.token("aida")

    def send(self, source: Source, count: int) -> float:
        """Seconds from the first request to the last answer."""
        id_ = str(uuid.uuid4())
        with Stopwatch() as watch:
            with Client(self._site.url, self._token) as client:
                client.ask("POST", "/api/v1/uploads", b"", self._beginning(source, id_), expect=(201,))
            self._pieces(source, id_, count)
        with Client(self._site.url, self._token) as client:
            told = client.json("GET", f"/api/v1/uploads/{id_}")
        if told["state"] != "stored" or told["file"]["sha256"] != source.sha256:
            raise BrokenRun(f"{told['state']}: not the bytes that were sent")
        self._site.discard_objects()
        return watch.seconds

    def _beginning(self, source: Source, id_: str) -> dict[str, str]:
        said = {"id": id_, "exhibit": self._records.exhibit, "kind": "photo", "sha256": source.sha256}
        pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        return {**_TUS, "Upload-Length": str(source.size), "Upload-Metadata": ",".join(pairs)}

    def _pieces(self, source: Source, id_: str, count: int) -> None:
        size = -(-source.size // count)
        for start in range(0, source.size, size):
            part = source.path
            if count > 1:
                part = source.path.with_suffix(f".{start}-{size}")
                if not part.exists():
                    _cut(source.path, part, start, size)
            headers = {
                **_TUS, "Authorization": f"Bearer {self._token}", "Upload-Offset": str(start),
                "Content-Type": "application/offset+octet-stream",
            }  # fmt: skip
            options = [option for name, value in headers.items() for option in ("--header", f"{name}: {value}")]
            Curl(
                f"{self._site.url}/api/v1/uploads/{id_}", "--request", "PATCH", *options, "--upload-file", str(part)
            ).wait(204)


def _cut(whole: Path, part: Path, start: int, size: int) -> None:
    with whole.open("rb") as source, part.open("wb") as target:
        source.seek(start)
        while size > 0 and (block := source.read(min(size, 1 << 20))):
            target.write(block)
            size -= len(block)
