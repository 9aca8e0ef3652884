"""``python -m bench [names...] [--quick] [--dir DIR]``: every benchmark, one table.

Run it alone on the machine: a neighbour on one of the processors changes what is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    access,
    handovers,
    latency,
    ledger,
    packages,
    pages,
    phone,
    pieces,
    report,
    reports,
    s3,
    uploads,
    verifier,
    witnesses,
)
from bench.harness import Row, Stopwatch
from bench.sizes import FULL, QUICK, Sizes

ROOM = 16 << 30  # bytes, for a full run
RESULTS = Path("test-results/bench")

BENCHMARKS: dict[str, Callable[[Path, Sizes], Iterator[Row]]] = {
    "uploads": uploads.measure,
    "pieces": pieces.measure,
    "s3": s3.measure,
    "latency": latency.measure,
    "packages": packages.measure,
    "reports": reports.measure,
    "handovers": handovers.measure,
    "pages": pages.measure,
    "access": access.measure,
    "ledger": ledger.measure,
    "witnesses": witnesses.measure,
    "verifier": verifier.measure,
    "phone": phone.measure,
}


def main() -> int:
    args = _arguments()
    sizes = QUICK if args.quick else FULL
    folder = (args.dir or Path(tempfile.mkdtemp(prefix="casemgmt-bench-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _look_around(folder, quick=args.quick)
    machine, rows, broken = report.machine(), list[Row](), list[str]()
    try:
        for name in args.names or BENCHMARKS:
            with Stopwatch() as watch:
                if not _run(name, folder, sizes, rows):
                    broken.append(name)
            print(f"{name}: {watch.seconds:.0f} s", file=sys.stderr, flush=True)
    finally:
        if not args.dir:
            shutil.rmtree(folder)
    report.write(RESULTS, rows, machine, quick=args.quick)
    print(report.heading(quick=args.quick), "", report.table(rows), sep="\n")
    for name in broken:
        print(f"\n{name} did not run to its end; see above.")
    return 1 if broken else 0


def _run(name: str, folder: Path, sizes: Sizes, rows: list[Row]) -> bool:
    """Add the rows of one benchmark. One that breaks leaves the others their turn; its fault is told, not its speed."""
    try:
        for row in BENCHMARKS[name](folder, sizes):
            print(f"  {row.what}: {row.ratio:.2f} ({row.aim})", file=sys.stderr, flush=True)
            rows.append(row)
    except Exception:  # noqa: BLE001 - shown in full, and the run ends as broken
        traceback.print_exc()
        return False
    return True


def _look_around(folder: Path, *, quick: bool) -> None:
    """Raises SystemExit where the disk is too small, and says when somebody else is at work."""
    if not quick and shutil.disk_usage(folder).free < ROOM:
        raise SystemExit(f"{folder} has less than {ROOM >> 30} GiB free; choose another directory with --dir.")
    if os.getloadavg()[0] > 0.5:
        print("others are at work on this machine: expect worse than the truth", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that everything runs, measures nothing"
    )
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="work here, and keep the filled databases for the next run"
    )
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
