"""Last act: the package alone, without the server, checked by us and by other people's tools."""

from __future__ import annotations

import importlib.util
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from casemgmt.walkthrough.stage import Stage

FLIPS = 40


def verify_offline(stage: Stage) -> None:
    stage.transcript.heading("6. Verification without the server")
    archive: Path = stage.things["archive"]
    told = _verifier(archive, "--log-key", stage.things["log_key"])
    stage.transcript.quote(told.stdout)
    stage.transcript.check(told.returncode == 0, "`casemgmt verify` holds, with the log's key from elsewhere")
    told = _verifier(archive, "--policy", str(stage.things["policy"]))
    stage.transcript.check(told.returncode == 0, "and with the witnesses' policy as the auditor read it")
    folder = stage.out / "package"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(archive) as package:
        package.extractall(folder)
    (bag,) = folder.iterdir()
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        _other_tool(stage, ["sha256sum", "--strict", "--quiet", "-c", manifest], f"sha256sum -c {manifest}", bag)
    _other_tool(stage, ["unzip", "-tqq", str(archive)], "unzip -t", stage.out)
    if importlib.util.find_spec("bagit") is None:
        stage.transcript.say("bagit.py is not installed here; `pip install bagit` brings it.")
    else:
        command = [sys.executable, "-m", "bagit", "--validate", "--quiet", str(bag)]
        _other_tool(stage, command, "bagit.py --validate", stage.out)


def verify_redacted(stage: Stage) -> None:
    archive: Path = stage.things["redacted"]
    told = _verifier(archive, "--log-key", stage.things["log_key"])
    withheld = "1 files are withheld, proved to exist" in told.stdout
    stage.transcript.check(
        told.returncode == 0 and withheld, "the redacted package verifies, and says what it withholds"
    )
    with zipfile.ZipFile(archive) as package:
        names = [name.partition("/")[2] for name in package.namelist()]
    reports = sorted(name for name in names if name.startswith("data/report/"))
    stage.transcript.check(len(reports) == 3, "with the custody report in three languages")


def break_it(stage: Stage) -> None:
    """One flipped bit anywhere is found."""
    archive: Path = stage.things["archive"]
    whole = archive.read_bytes()
    copy = stage.out / "damaged.zip"
    chosen = random.Random(20261121)  # noqa: S311 - the same places every time
    for position in sorted(chosen.sample(range(len(whole)), FLIPS)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << chosen.randrange(8)
        copy.write_bytes(damaged)
        told = _verifier(copy)
        if told.returncode == 0 or "Traceback" in told.stderr:
            stage.transcript.check(False, f"a flipped bit at byte {position} is found")
    copy.unlink()
    stage.transcript.check(True, f"each of {FLIPS} packages with one flipped bit is refused")


def _verifier(archive: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "casemgmt", "verify", *options, str(archive)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _other_tool(stage: Stage, command: Sequence[str], name: str, folder: Path) -> None:
    if shutil.which(command[0]) is None:
        stage.transcript.say(f"{command[0]} is not installed here.")
        return
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        stage.transcript.quote(done.stdout + done.stderr)
    stage.transcript.check(done.returncode == 0, f"`{name}` holds")
