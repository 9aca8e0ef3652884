"""Lighthouse over a page, as a weak telephone on a bad line loads it: 400 kbit/s, 400 ms there and back, a processor
six times as slow. tools/get-lighthouse.sh brings it.

Its own way of slowing down (``simulate``) computes a slow line from a fast load, in which scripts come before the first
picture that on the real line come long after it; so the line is really slowed here (``devtools``). Either way the score
is a measurement: on a machine that does other things meanwhile it says more of them than of the page, and now and then
Lighthouse gives up. So it belongs to the benchmarks. The suite looks at accessibility with axe, of which Lighthouse has
an older one, and at what makes the score: bytes, and scripts that a page does not name (tests/phone/test_budgets.py).
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.http import BrokenRun
from tests.chromium import program

PROGRAM = Path(__file__).resolve().parents[1] / ".tools/lighthouse/node_modules/lighthouse/cli/index.js"

Category = Literal["performance", "accessibility"]

_TELEPHONE = {
    "throttling-method": "devtools",
    "throttling.requestLatencyMs": 400,
    "throttling.downloadThroughputKbps": 400,
    "throttling.uploadThroughputKbps": 400,
    "throttling.cpuSlowdownMultiplier": 6,
    "form-factor": "mobile",
    "screenEmulation.mobile": "true",
    "screenEmulation.width": 412,
    "screenEmulation.height": 839,
    "screenEmulation.deviceScaleFactor": 2.625,
}
_CHROMIUM = "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scores are of 100; ``faults`` names what of accessibility does not pass; times are milliseconds."""

    scores: dict[str, int]
    faults: list[str]
    largest_paint: float


def look(address: str, *categories: Category, cookie: str = "") -> Verdict:
    """Raises BrokenRun when Lighthouse could not look, with its words."""
    options = [f"--{name}={value}" for name, value in _TELEPHONE.items()]
    if cookie:
        options.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
    command = [
        "node", str(PROGRAM), address, "--output=json", "--quiet", f"--chrome-flags={_CHROMIUM}",
        f"--only-categories={','.join(categories)}", *options,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "CHROME_PATH": program()}
    )
    if done.returncode != 0:
        raise BrokenRun(f"Lighthouse ended with {done.returncode}: {done.stderr[-1000:]}")
    return _read(json.loads(done.stdout))


def _read(said: dict[str, Any]) -> Verdict:
    if problem := said.get("runtimeError"):
        raise BrokenRun(f"{said['finalDisplayedUrl']}: {problem['message']}")
    audits = said["audits"]
    asked = said["categories"].get("accessibility", {"auditRefs": []})["auditRefs"]
    weighty = [ref["id"] for ref in asked if ref["weight"] > 0]
    return Verdict(
        {name: round(100 * category["score"]) for name, category in said["categories"].items()},
        [audits[name]["title"] for name in weighty if audits[name]["score"] not in (None, 1)],
        audits.get("largest-contentful-paint", {}).get("numericValue", 0.0),
    )
