"""Every command of VERIFY.md is run as it stands there, with only the tools on the PATH that the guide names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from casemgmt.trust import kit
from tests.kit.complete import Complete, complete
from tests.kit.reading import SECTIONS, Reader, commands, follow, guide_of, in_order, tools
from tests.trust.factory import LOG


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Complete:
    return await complete(tmp_path_factory.mktemp("authorities") / "demonstration")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, missing_part: Callable[[str], None]) -> Path:
    return tools(tmp_path_factory.mktemp("tools") / "bin", missing_part)


@pytest.fixture
def reader(tmp_path: Path, path: Path, made: Complete) -> Reader:
    return Reader(tmp_path, path, made)


def test_the_three_languages_have_the_same_commands(made: Complete) -> None:
    found = commands(guide_of(made))
    assert tuple(found) == SECTIONS
    english, russian, kyrgyz = found.values()
    assert english == russian == kyrgyz
    assert len(english) >= 14
    assert "Долбоор" in guide_of(made)


def test_every_command_of_the_guide_runs_and_shows_what_it_says(made: Complete, reader: Reader) -> None:
    follow(reader, made)


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
