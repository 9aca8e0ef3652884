"""Every command of VERIFY.md is run as it stands there, with only the tools on the PATH that the guide names."""

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

import pytest

from casemgmt.trust import kit
from tests.kit.complete import Complete, complete
from tests.trust.factory import LOG

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


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Complete:
    return await complete(tmp_path_factory.mktemp("authorities") / "demonstration")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, missing_part: Callable[[str], None]) -> Path:
    """A directory that holds the tools of the guide and no others."""
    folder = tmp_path_factory.mktemp("path")
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


@pytest.fixture
def reader(tmp_path: Path, path: Path, made: Complete) -> Reader:
    return Reader(tmp_path, path, made)


def guide_of(made: Complete) -> str:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        return archive.read(f"{made.name}/verify/VERIFY.md").decode()


def test_the_three_languages_have_the_same_commands(made: Complete) -> None:
    found = commands(guide_of(made))
    assert tuple(found) == SECTIONS
    english, russian, kyrgyz = found.values()
    assert english == russian == kyrgyz
    assert len(english) >= 14
    assert "Долбоор" in guide_of(made)


def test_every_command_of_the_guide_runs_and_shows_what_it_says(made: Complete, reader: Reader) -> None:
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


@pytest.mark.parametrize(
    ("spoiled", "refusing"),
    [
        ("data/exhibits/KG-2027-000123-1/0001.jpg", {"bagit.py", "sha256sum -c --quiet manifest", "verify_all.sh"}),
        ("metadata/case.jsonld", {"bagit.py", "sha256sum -c --quiet tagmanifest", "verify_all.sh"}),
        ("tagmanifest-sha256.txt", {"openssl cms", "openssl ts -verify", "verify_all.sh"}),
        ("tagmanifest-sha256.txt.event", {"--after", "verify_all.sh"}),
        ("ledger/trust.policy", {"cmp", "sha256sum -c --quiet tagmanifest", "verify_all.sh"}),
        ("ledger/1.event", {'"$e"', "sha256sum -c --quiet tagmanifest", "verify_all.sh"}),
    ],
)
def test_a_changed_byte_is_refused_by_the_commands_that_look_at_it(
    spoiled: str, refusing: set[str], made: Complete, reader: Reader
) -> None:
    unpack, *rest = in_order(commands(guide_of(made))[SECTIONS[0]])
    assert reader.run(unpack.text).returncode == 0
    reader.at = reader.package
    data = bytearray((reader.package / spoiled).read_bytes())
    data[len(data) // 2] ^= 1
    (reader.package / spoiled).write_bytes(data)
    for words in refusing:
        command = next(one for one in rest if words in one.text)
        done = reader.run(command.text)
        assert done.returncode != 0, command.text


def test_another_published_policy_or_authority_is_noticed(made: Complete, reader: Reader) -> None:
    unpack, *rest = in_order(commands(guide_of(made))[SECTIONS[0]])
    assert reader.run(unpack.text).returncode == 0
    reader.at = reader.package
    (reader.folder / "published" / "trust.policy").write_text(f"log {LOG.verifier}\nquorum none\n")
    (reader.folder / "published" / "organisation-ca.pem").write_bytes(made.timestamp_ca)
    assert reader.run(next(one.text for one in rest if "cmp" in one.text)).returncode != 0
    (reader.folder / "published" / "trust.policy").write_bytes(made.policy.replace(b"agencies 2", b"agencies 3"))
    done = reader.run(next(one.text for one in rest if "verify_all.sh" in one.text))
    assert done.returncode == 1
    assert "the quorum agencies is not met" in done.stdout


def test_the_guide_names_its_package_and_leaves_no_blank(made: Complete) -> None:
    guide = guide_of(made)
    for words in (made.name, LOG.name, "-attime", "published", "DEMONSTRATION", "quorum none", "--ca"):
        assert words in guide
    assert not re.search(r"\$(package|origin|size)\b|\$\$", guide)


def test_the_documents_are_those_the_layout_names() -> None:
    assert set(kit.documents("A", "log.example", 1)) == {
        "VERIFY.md", "verify_proof.sh", "verify_passkey.sh", "verify_all.sh", "verify.html",
    }  # fmt: skip
