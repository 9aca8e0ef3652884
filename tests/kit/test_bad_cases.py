"""Every verifier refuses every named bad package, in the same step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.kit.cases import BAD, Bad
from tests.kit.forging import forged
from tests.kit.verifiers import by_page, by_script, shells
from tests.trust.factory import draft, receive
from tests.trust.repacking import failed, files_of, verify

pytestmark = pytest.mark.browser

Unpack = Callable[[bytes], Path]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_each_verifier_refuses_it_in_its_own_step_and_no_other(bad: Bad, verifier: Page, unpack: Unpack) -> None:
    archive = bad.make()
    report = verify(archive)
    assert failed(report)[:1] == [bad.step], str(report)
    shown = by_page(verifier, archive)
    assert shown.failed == [bad.step], shown.words
    said = by_script(unpack(archive))
    assert said.failed == [bad.step], said.words
    assert said.status == 1


@pytest.mark.parametrize("name", ["full", "pin", "redacted", "bare"])
def test_each_verifier_accepts_a_good_package(
    name: str, good: dict[str, bytes], verifier: Page, unpack: Unpack
) -> None:
    shown = by_page(verifier, good[name])
    assert not shown.failed, shown.words
    assert "not_checked" not in {shown.outcomes[step] for step in range(1, 11)}, shown.words
    said = by_script(unpack(good[name]))
    assert said.status == 0, said.words
    assert said.outcomes[1] == "not checked"
    for step in range(2, 11):
        assert said.outcomes[step] == shown.outcomes[step], said.words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pin", "1 entries are signed with passkeys by the people they name, user verified. WEAKER: 3 by PIN"),
        ("redacted", "0 by a session only, 1 withheld entries of exhibits, any of which may be a hand-over."),
    ],
)
def test_the_script_counts_what_is_weaker(name: str, words: str, good: dict[str, bytes], unpack: Unpack) -> None:
    assert words in by_script(unpack(good[name])).words


def test_a_file_that_came_without_a_name_is_no_reason_to_refuse(verifier: Page, unpack: Unpack) -> None:
    package = draft()
    receive(package, None, b"nobody named it", name="")
    row = replace(package.files[-1].row, path="data/seizures/KG-2027-000123/0002.jpg")
    package.files[-1] = replace(package.files[-1], row=row)
    package.size = package.ledger.tree.size
    archive = package.archive()
    assert verify(archive).holds
    assert not by_page(verifier, archive).failed
    said = by_script(unpack(archive))
    assert said.status == 0, said.words
    files = files_of(package)
    other = files["metadata/files.csv"].replace(b'"15"', b'"16"')
    assert other != files["metadata/files.csv"]
    lied = by_script(unpack(forged(package, lambda inside: inside.update({"metadata/files.csv": other}))))
    assert "another size" in lied.words
    assert lied.failed == [9]


def test_the_scripts_say_the_same_in_every_shell(good: dict[str, bytes], unpack: Unpack) -> None:
    package = unpack(good["full"])
    said = {name: by_script(package, shell=shell) for name, shell in shells().items()}
    assert len({one.words for one in said.values()}) == 1, said
    assert {one.status for one in said.values()} == {0}


def test_the_script_says_whose_word_the_witnesses_are(good: dict[str, bytes], unpack: Unpack, tmp_path: Path) -> None:
    package = unpack(good["full"])
    policy = package / "ledger" / "trust.policy"
    key = policy.read_text(encoding="utf-8").split()[1]
    published = tmp_path / "published.policy"
    published.write_bytes(policy.read_bytes())
    assert "Quorum of witnesses FROM THE PACKAGE" in by_script(package, "--log-key", key).words
    assert "Quorum of witnesses: agencies" in by_script(package, "--policy", str(published)).words
