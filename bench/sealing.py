"""Sealing: from the request to the moment a package of many files could begin to flow, beside bagit.py's own making of
a bag of the same files."""

from __future__ import annotations

import shutil
import statistics
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bagit

from bench.harness import Row, Stopwatch, speed, turns
from bench.http import BrokenRun, Client
from bench.instance import Site
from bench.sizes import Sizes
from bench.uploads import Sender, make_source

SMALL = 4096  # bytes: what is measured is sealing, not reading
TARGET = 2.0  # seconds


def measure(site: Site, folder: Path, sizes: Sizes) -> Iterator[Row]:
    sender, source = Sender(site, tidy=lambda: None), make_source(folder, SMALL)
    sender.photographs(source, sizes.sealed)
    token = site.token("saule")

    def seal() -> float:
        """Seconds until the package is sealed, signed, stamped, proved, and its first byte is here."""
        with Client(site.url, token) as client, Stopwatch() as watch:
            data = {"client_id": str(uuid.uuid4())}
            package = client.json("POST", f"/api/v1/cases/{sender.records.case}/packages", data)
            if not package["complete"] or len(package["files"]) < sizes.sealed // 4 * 4:
                raise BrokenRun(f"a package of {len(package['files'])} files, complete: {package['complete']}")
            reason = {"reason": "benchmark of sealing"}
            path = client.json("POST", f"/api/v1/packages/{package['id']}/downloads", reason)["url"]
            answer = client.request("GET", path)
            answer.read(1)
        return watch.seconds

    def bag() -> float:
        """Seconds for a bag with SHA-256 of as many files, nothing signed, stamped or proved."""
        target = folder / "bag"
        target.mkdir()
        for number in range(sizes.sealed):
            shutil.copy(source.path, target / f"{number:04}.jpg")
        with Stopwatch() as watch:
            bagit.make_bag(str(target), checksums=["sha256"])
        shutil.rmtree(target)
        return watch.seconds

    seal()
    samples = turns(seal, bag, sizes.rounds)
    row = speed(f"package of {sizes.sealed} files, until its first byte", "bagit.py makes a bag of them", samples, 0.05)
    took = statistics.median(samples.ours)
    yield replace(row, note=f"aim {TARGET:g} s: {took:.2f} s", met=row.met and took <= TARGET)
