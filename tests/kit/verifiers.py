"""The three verifiers of the kit as functions from an archive's bytes to what each step said."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from casemgmt.trust import kit
from tests.trust.factory import NAME

KIT = Path(kit.__file__).parent
PAGE = KIT / kit.PAGE

Outcomes = dict[int, str]
_LINE = re.compile(r"^ ?(\d{1,2})\. [^:]+: (holds|FAILED|not checked|none)$", re.MULTILINE)
_CHECK = """async ([packed, own, page]) => {
    const whole = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
    const report = await verifyPackage(new File([whole], "package.zip"), own);
    const plain = (_, value) => typeof value === "bigint" ? String(value) : value;
    return report.results.map(({ number, outcome, finding }) => [number, outcome, JSON.stringify(finding, plain)]);
}"""


@dataclass(frozen=True)
class Said:
    outcomes: Outcomes
    words: str
    status: int = 0

    @property
    def failed(self) -> list[int]:
        return [number for number, outcome in self.outcomes.items() if outcome in ("FAILED", "failed")]


def by_page(page: Page, archive: bytes, own: str = "") -> Said:
    """What verify.html, open in `page`, finds; `own` is what a reader pastes."""
    found: list[list[Any]] = page.evaluate(_CHECK, [base64.b64encode(archive).decode(), own, ""])
    return Said({number: outcome for number, outcome, _ in found}, "\n".join(words for *_, words in found))


def unpacked(archive: bytes, folder: Path) -> Path:
    """The directory of the package, with the tools of this release in its ``verify/``."""
    packed = folder / "package.zip"
    packed.write_bytes(archive)
    with zipfile.ZipFile(packed) as opened:
        opened.extractall(folder)
    return folder / NAME


def by_script(package: Path, *options: str, shell: Sequence[str] = ("sh",), scripts: Path = KIT) -> Said:
    """What verify_all.sh says of an unpacked package."""
    command = [*shell, str(scripts / "verify_all.sh"), *options, str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    outcomes = {int(number): outcome for number, outcome in _LINE.findall(done.stdout)}
    return Said(outcomes, done.stdout + done.stderr, done.returncode)


def shells() -> dict[str, list[str]]:
    """The shells of this machine that a reader may have."""
    found = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
    return {name: command for name, command in found.items() if shutil.which(command[0])}
