"""The command line of the doctor."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from casemgmt.doctor.examination import examine
from casemgmt.doctor.finding import Outcome
from casemgmt.embedded.inspection import settings_for_inspection
from casemgmt.settings import PREFIX, Settings, load


def main(argv: Sequence[str]) -> int:
    """0: no fault. 1: at least one, named."""
    parser = argparse.ArgumentParser(
        prog="casemgmt doctor",
        description="Looks at the database's walls, the records and what the object store really protects.",
    )
    parser.add_argument("--data", metavar="DIR", help="the data directory of `casemgmt up` (default: ./data)")
    args = parser.parse_args(argv)
    if os.environ.get(f"{PREFIX}APP_URL") or os.environ.get(f"{PREFIX}APP_URL_FILE"):
        return asyncio.run(_report(load()))
    data = Path(args.data or os.environ.get(f"{PREFIX}DATA_DIR") or "data").expanduser().absolute()
    with settings_for_inspection(data, os.environ) as settings:
        return asyncio.run(_report(settings))


async def _report(settings: Settings) -> int:
    faults = 0
    async for finding in examine(settings):
        print(finding, flush=True)
        faults += finding.outcome is Outcome.FAULT
    print(f"\n{faults} faults." if faults else "\nNo fault found.")
    return 1 if faults else 0
