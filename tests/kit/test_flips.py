"""One byte changed anywhere in a package: at least one verifier that we ship refuses it, and it is counted who did.

casemgmt verify and verify.html judge every change; the shell script and `unzip -t`, which start many processes, judge
the first of them. A change inside the archive's own structure is not there any more once the files are unpacked: for
those the script has nothing to refuse.
"""

from __future__ import annotations

import base64
import random
import subprocess
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.kit.verifiers import by_script, unpacked
from tests.trust.factory import full_draft
from tests.trust.repacking import files_of, laid_out, verify

pytestmark = pytest.mark.browser

CHANGES = 2000
BY_SCRIPT = 12
SEED = 20270203

_RUN = """async ([packed, changes]) => {
    const whole = Uint8Array.from(atob(packed), c => c.charCodeAt(0)), refused = [];
    for (const [at, by] of changes) {
        whole[at] ^= by;
        const report = await verifyPackage(new File([whole], "package.zip"));
        whole[at] ^= by;
        refused.push(report.results.some(one => one.outcome === "failed"));
    }
    return refused;
}"""


@pytest.fixture(scope="module")
def package() -> bytes:
    """Everything a package can have; without the tools in verify/, which would take most of the changes."""
    return laid_out(files_of(full_draft()))


def changes(package: bytes, seed: int = SEED) -> list[tuple[int, int]]:
    chosen = random.Random(seed)
    return [(chosen.randrange(len(package)), chosen.randrange(1, 256)) for _ in range(CHANGES)]


def changed(package: bytes, change: tuple[int, int]) -> bytes:
    at, by = change
    return package[:at] + bytes([package[at] ^ by]) + package[at + 1 :]


def test_every_one_of_2000_changed_bytes_is_refused(
    package: bytes, verifier: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = changes(package)
    refused: dict[str, list[bool]] = {
        "casemgmt verify": [bool(verify(changed(package, change), openssl=None).status == 1) for change in made],
        "verify.html": by_page_at_once(verifier, package, made),
        "verify_all.sh": [
            by_shell(changed(package, change), tmp_path / str(number)) for number, change in enumerate(made[:BY_SCRIPT])
        ],
        "unzip -t": [by_unzip(changed(package, change), tmp_path) for change in made[:100]],
    }  # fmt: skip
    for change, *by in zip(made, refused["casemgmt verify"], refused["verify.html"], strict=True):
        assert any(by), f"nobody saw byte {change[0]} changed by {change[1]:#04x}"
    counted = Counter({name: sum(one) for name, one in refused.items()})
    with capsys.disabled():
        of = ", ".join(f"{name} {counted[name]} of {len(one)}" for name, one in refused.items())
        print(f"\n{CHANGES} changed bytes, all refused; by {of}")
    assert counted["casemgmt verify"] == counted["verify.html"] == CHANGES
    assert counted["verify_all.sh"] > 0
    assert counted["unzip -t"] > 0


def test_a_verifier_that_checks_nothing_would_be_noticed(package: bytes, verifier: Page) -> None:
    """The campaign can fail: with the check of the lists taken out, changes get through."""
    unguarded = changes(package)[:60]
    script = _RUN.replace('one.outcome === "failed"', 'one.outcome === "failed" && ![1, 3, 4].includes(one.number)')
    seen = verifier.evaluate(script, [_packed(package), unguarded])
    assert not all(seen)


def by_page_at_once(page: Page, package: bytes, made: list[tuple[int, int]]) -> list[bool]:
    answers: list[bool] = []
    for start in range(0, len(made), 250):
        part: Any = page.evaluate(_RUN, [_packed(package), made[start : start + 250]])
        answers += part
    return answers


def by_shell(archive: bytes, folder: Path) -> bool:
    folder.mkdir()
    try:
        return by_script(unpacked(archive, folder)).status == 1
    except (zipfile.BadZipFile, ValueError, NotImplementedError, FileNotFoundError, RuntimeError):
        return True  # it cannot even be unpacked


def by_unzip(archive: bytes, folder: Path) -> bool:
    (folder / "one.zip").write_bytes(archive)
    return subprocess.run(["unzip", "-tqq", folder / "one.zip"], capture_output=True, check=False).returncode != 0


def _packed(package: bytes) -> str:
    return base64.b64encode(package).decode()
