"""The same uploads with the files kept on an S3 server, against the client library's own upload to that server."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from minio import Minio

from bench.harness import Row, Stopwatch, rate, speed, turns
from bench.instance import instance
from bench.sizes import Sizes
from bench.uploads import PHOTOGRAPHERS, Sender, Source, label, make_source
from casemgmt.storage.s3_sink import PART
from tests.servers import S3Server, rclone_s3

_BUCKET, _THEIRS = "evidence", "by-library"
_LIBRARY = "minio put_object, same server; one after another"


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """Against rclone, which is in the development dependencies. It shares the processors with everybody else."""
    with rclone_s3(folder) as server:
        address = server.endpoint.removeprefix("http://")
        settings = {
            "STORE_URL": f"s3://{address}/{_BUCKET}?tls=0",
            "STORE_ACCESS_KEY": server.access,
            "STORE_SECRET_KEY": server.secret,
        }
        with instance(folder, settings) as site:
            yield from _measure(folder, sizes, Sender(site, lambda: _empty(folder)), Library(server, folder))
    shutil.rmtree(folder / "rclone")


def _measure(folder: Path, sizes: Sizes, sender: Sender, library: Library) -> Iterator[Row]:
    photo, count = make_source(folder, sizes.photo), sizes.photos
    sender.send(photo)
    library.send(photo)

    large = make_source(folder, sizes.large)
    samples = turns(lambda: sender.send(large), lambda: library.send(large), sizes.rounds)
    yield speed(f"S3: upload {label(large.size)} by PUT", "minio put_object of the same bytes", samples, 0.9)

    middle = make_source(folder, sizes.middle)
    samples = turns(
        lambda: sender.send_at_once(middle, 8), lambda: sum(library.send(middle) for _ in range(8)), sizes.rounds
    )
    yield speed(f"S3: 8 uploads of {label(middle.size)} at once", _LIBRARY, samples, 0.9)

    samples = turns(
        lambda: sender.photographs(photo, count),
        lambda: count / sum(library.send(photo) for _ in range(count)),
        sizes.rounds,
    )
    yield rate(f"S3: photographs of {label(photo.size)}, {PHOTOGRAPHERS} connections", _LIBRARY, samples, 0.9)


class Library:
    """The minio client by itself: no request of ours, no record, no hash kept."""

    def __init__(self, server: S3Server, folder: Path) -> None:
        self._folder = folder
        address = server.endpoint.removeprefix("http://")
        self._client = Minio(address, server.access, server.secret, secure=False)
        self._client.make_bucket(_THEIRS)

    def send(self, source: Source) -> float:
        name = str(uuid.uuid4())
        with Stopwatch() as watch, source.path.open("rb") as file:
            self._client.put_object(_THEIRS, name, file, source.size, part_size=PART)
        if self._client.stat_object(_THEIRS, name).size != source.size:
            raise RuntimeError("the library stored something else")
        _empty(self._folder)
        return watch.seconds


def _empty(folder: Path) -> None:
    """Free the disk behind rclone's buckets."""
    for path in (folder / "rclone").glob("*/**/*"):
        if path.is_file():
            path.unlink()
