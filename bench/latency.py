"""What everybody else notices of one large upload: another person's small request, idle and meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.harness import Row, Samples, delay
from bench.http import Client
from bench.instance import Site, instance
from bench.sizes import Sizes
from bench.uploads import Sender, label, make_source

PAUSE = 0.005  # seconds between two requests
_PATH = "/api/v1/me"  # signed in, so it goes to the database


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with instance(folder) as site:
        sender, source = Sender(site), make_source(folder, sizes.large)
        neighbour = Neighbour(site)
        sender.send(source)
        neighbour.during(lambda: time.sleep(0.5))
        samples = Samples([], [])
        for _ in range(sizes.rounds):
            started = time.perf_counter()
            samples.ours.extend(neighbour.during(lambda: sender.send(source)))
            spent = time.perf_counter() - started
            samples.theirs.extend(neighbour.during(lambda seconds=spent: time.sleep(seconds)))  # type: ignore[misc]
        what = f"another request during a {label(source.size)} upload, p99"
        yield delay(what, "its p99 when idle", samples, 5, at=0.99, note=f"{len(samples.ours)} requests of {_PATH}")


class Neighbour:
    """Asks for one light page again and again on a connection of its own."""

    def __init__(self, site: Site) -> None:
        self._url, self._token = site.url, site.token("timur")

    def during(self, work: Callable[[], object]) -> list[float]:
        """Milliseconds of every request that ended before ``work`` did."""
        spent: list[float] = []
        faults: list[Exception] = []
        over = threading.Event()

        def ask() -> None:
            try:
                with Client(self._url, self._token) as client:
                    while not over.is_set():
                        spent.append(client.milliseconds(_PATH, containing=b"Timur"))
                        time.sleep(PAUSE)
            except Exception as fault:  # noqa: BLE001 - raised below, in the thread that measures
                faults.append(fault)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            work()
        finally:
            over.set()
            thread.join()
        if faults:
            raise faults[0]
        return spent
