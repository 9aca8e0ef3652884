"""Hand-overs through the product's code, against pgbench with the statements one would write by hand.

One action is one offer or one answer: one custody event, its bytes in the ledger, the exhibit moved on. Measured twice:
as the actions that pages and the API call, with everything they read and check first, and as the pipeline that sends
what they decided.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import uvloop

from bench.databases import Populated, populated
from bench.handover_desk import Desk, Way
from bench.harness import Row, rate, turns
from bench.http import BrokenRun
from bench.population import seizures_of
from bench.sizes import Sizes
from casemgmt.embedded.cluster import server_binaries

BODY = 700  # bytes, about what the product's own bodies of these events have

_SEVEN = files("bench").joinpath("seven.sql")


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with (
        populated(folder, sizes.many_exhibits) as (database,),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as run,
    ):
        desk = run.run(Desk.open(database))
        try:
            for clients in (1, 16):
                pgbench = PgBench(database, clients)
                yield _compare(run, desk, desk.act, "actions offer and answer", pgbench, sizes)
                yield _compare(run, desk, desk.pipeline, "event pipeline alone", pgbench, sizes)
        finally:
            run.run(desk.close())


def _compare(run: asyncio.Runner, desk: Desk, way: Way, name: str, pgbench: PgBench, sizes: Sizes) -> Row:
    clients = pgbench.clients

    def ours() -> float:
        return run.run(desk.per_second(way, clients, sizes.seconds))

    ours()  # statements prepared, pages in memory
    samples = turns(ours, lambda: pgbench.per_second(sizes.seconds), sizes.rounds)
    what = f"hand-over {name}, {clients} client{'s' if clients > 1 else ''}"
    return rate(what, "pgbench -M prepared, the seven statements", samples, 0.7)


class PgBench:
    """The same work as a script, run by PostgreSQL's own load generator as the application's role."""

    def __init__(self, database: Populated, clients: int) -> None:
        self.clients = clients
        self._last = max(1, (seizures_of(database.exhibits) // 42 - 1) * 63 // 64 - 1)
        self._environ = {**os.environ, **_libpq(database.dsn("app"))}  # not in the arguments, which everybody can list

    def per_second(self, seconds: float) -> float:
        """Transactions per second; raises BrokenRun when one failed."""
        command = [str(server_binaries() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={_SEVEN}"]
        command += [f"--define=last={self._last}", f"--define=body={BODY}"]
        command += [f"--client={self.clients}", f"--jobs={min(2, self.clients)}", f"--time={max(1, round(seconds))}"]
        done = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 or found is None or "failed transactions: 0 " not in done.stdout:
            raise BrokenRun(f"pgbench: {done.stderr[-1000:]}{done.stdout[-500:]}")
        return float(found[1])


def _libpq(dsn: str) -> dict[str, str]:
    parts = urlsplit(dsn)
    return {
        "PGHOST": parse_qs(parts.query)["host"][0],
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": parts.path.lstrip("/"),
    }
