"""The table, on the terminal and in files."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.harness import Row

_HEAD = ("what", "against", "ours", "theirs", "ratio", "aim", "met?")


def table(rows: Sequence[Row]) -> str:
    """Markdown that also reads well in a terminal."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    printed = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
               for line in lines]  # fmt: skip
    printed.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*printed, *(["", *notes] if notes else [])])


def write(folder: Path, rows: Sequence[Row], machine: dict[str, object], *, quick: bool) -> None:
    """``bench.md`` for people and ``bench.json`` with every sample."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine, "quick": quick, "rows": [asdict(row) for row in rows]}
    (folder / "bench.json").write_text(json.dumps(kept, indent=1) + "\n")
    facts = ", ".join(f"{name}: {value}" for name, value in machine.items())
    (folder / "bench.md").write_text(f"{heading(quick=quick)}\n\n{table(rows)}\n\n{facts}\n")


def heading(*, quick: bool) -> str:
    if quick:
        return "Quick run: sizes too small to judge by, only proof that everything runs."
    return "Ratios of medians, both sides measured in turn in this run. Absolute values are this machine's."


def machine() -> dict[str, object]:
    """What a reader needs to know of where this was measured; ``load`` tells whether we were alone."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        row.against,
        _value(row.ours, row.unit),
        _value(row.theirs, row.unit),
        f"{row.ratio:.2f}",
        row.aim,
        "yes" if row.met else "NO",
    )


def _value(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 20 else 2
    return f"{value:.{digits}f}{'' if unit.startswith('/') else ' '}{unit}"
