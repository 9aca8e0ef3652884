"""Programs that are not ours and speak the same formats; ``tools/get-tlog-peers.sh`` builds them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LITEWITNESS = REPOSITORY / ".tools" / "bin" / "litewitness"
TLOGPEER = REPOSITORY / ".tools" / "bin" / "tlogpeer"


def require(missing_part: Callable[[str], None], *programs: Path) -> None:
    """Skip, or fail in CI, when one was not built."""
    for program in programs:
        if not program.exists():
            missing_part(f"{program.name} is not built: run tools/get-tlog-peers.sh")


def peer(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """One run of tlogpeer: Go's sumdb/tlog and sumdb/note."""
    return subprocess.run([str(TLOGPEER), *arguments], input=given, capture_output=True, check=False, timeout=60)
