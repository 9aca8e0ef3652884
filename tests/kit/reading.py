"""Somebody reads VERIFY.md and does what it says, with only the tools on the PATH that it names."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kit.complete import Complete

POSIX = (
    "awk", "basename", "cat", "cmp", "comm", "cp", "cut", "date", "dirname", "fold", "head", "mktemp", "mv", "mkdir",
    "od", "rm", "sed", "sha256sum", "sort", "tail", "tr", "wc", "sh",
)  # fmt: skip
OTHERS = ("openssl", "unzip", "pdfsig")
PYTHON = ("bagit.py", "pyhanko")
OURS = ("casemgmt",)
SECTIONS = ("# How to check this package", "# Как проверить этот пакет", "# Бул пакетти кантип текшерүү керек")

_BLOCK = re.compile(r"^```sh ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """`needs`: what the package must have for it, or the program it runs."""

    needs: str
    text: str


def commands(guide: str) -> dict[str, list[Command]]:
    """By section, in order."""
    parts = re.split(r"(?m)^(?=# )", guide)[1:]
    return {part.splitlines()[0]: [Command(*found) for found in _BLOCK.findall(part)] for part in parts}


def tools(folder: Path, missing_part: Callable[[str], None]) -> Path:
    """A directory that holds the tools of the guide and no others."""
    folder.mkdir()
    for name in (*POSIX, *OTHERS):
        found = shutil.which(name)
        if found is None:
            missing_part(f"{name}: run tools/install-system-packages.sh")
        else:
            (folder / name).symlink_to(found)
    for name in (*PYTHON, *OURS):
        (folder / name).symlink_to(Path(sys.executable).with_name(name))
    return folder


class Reader:
    """Somebody with the archive, what was published, a shell and those tools."""

    def __init__(self, folder: Path, path: Path, made: Complete) -> None:
        self.folder, self.path, self.at = folder, path, folder
        (folder / f"{made.name}.zip").write_bytes(made.archive)
        made.publish(folder / "published")
        self.package = folder / made.name

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(self.path / "sh"), "-c", text], cwd=self.at, env=environment,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip


def in_order(section: list[Command]) -> list[Command]:
    """The first lines unpack; the short way, which stands before them, is taken after."""
    unpack = next(command for command in section if "unzip" in command.text)
    return [unpack, *(command for command in section if command is not unpack)]


def guide_of(made: Complete) -> str:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        return archive.read(f"{made.name}/verify/VERIFY.md").decode()


def as_published(package: Path) -> Complete:
    """A package of a running system, with what that system published at the time: here, what is in the package."""
    with zipfile.ZipFile(package) as archive:
        name = archive.namelist()[0].partition("/")[0]
        files = ("ledger/trust.policy", "keys/organisation-ca.pem", "keys/timestamp-ca.pem")
        policy, organisation, timestamp = (archive.read(f"{name}/{path}") for path in files)
    return Complete(package.read_bytes(), policy, organisation, timestamp, name)


def follow(reader: Reader, made: Complete) -> str:
    """Every command in order; what they printed. Each must end well."""
    unpack, *rest = in_order(commands(guide_of(made))[SECTIONS[0]])
    done = reader.run(unpack.text)
    assert done.returncode == 0, done.stderr
    reader.at = reader.package
    said = []
    for command in rest:
        done = reader.run(command.text)
        assert done.returncode == 0, f"{command.text}\n{done.stdout}{done.stderr}"
        said.append(done.stdout + done.stderr)
    everything = "\n".join(said)
    for words in (
        "RESULT: every step from 2 holds",
        "RESULT: VERIFIED. All 12 steps hold.",
        "is valid",
        "HOLDS: entry",
        "grew into it",
        "HOLDS: signed with passkey",
        "CAdES Verification successful",
        "Signature is Valid",
        "Total document signed",
        "The signature is judged VALID",
        "Verification: OK",
        "Time stamp:",
    ):
        assert words in everything, words
    manifest = re.search(r"^([0-9a-f]{64})  tagmanifest-sha256.txt$", everything, re.MULTILINE)
    assert manifest
    assert f'"tagmanifest_sha256":"{manifest[1]}"' in everything
    return everything
