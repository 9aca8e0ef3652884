"""A chain that is whole and disputed all the same is never shown as clean."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from casemgmt.trust.disputes import DISPUTED, RESOLVED
from casemgmt.trust.verify.report import Report
from casemgmt.trust.verify.steps import verify_package
from tests.kit.verifiers import by_script, unpacked
from tests.trust.factory import Draft, draft

EXHIBIT = "KG-2027-000123/1"
PAIR: dict[str, object] = {
    "exhibit": EXHIBIT,
    "offer": "ab" * 32,
    "answer": "cd" * 32,
    "why": [{"code": "moved", "exhibit": EXHIBIT}],
}
NOBODY = {"id": 0, "name": "casemgmt", "badge": ""}


def package(*more: tuple[str, dict[str, object]]) -> bytes:
    made: Draft = draft()
    for kind, data in more:
        made.indexes.append(made.ledger.append(f"exhibit:{EXHIBIT}", kind, data, actor=NOBODY))
    made.size = made.ledger.tree.size
    return made.archive()


def disputed(*more: tuple[str, dict[str, object]]) -> Report:
    return verify_package(io.BytesIO(package(*more)), threads=1)


def chains(report: Report) -> str:
    return report.steps[6].finding


def test_a_dispute_that_nobody_resolved_is_said_at_the_chains_and_among_what_is_not_proved() -> None:
    report = disputed((DISPUTED, PAIR))
    assert report.holds
    assert f"DISPUTED, and nobody has resolved it: '{EXHIBIT}'" in chains(report)
    assert any("Custody of 1 exhibits is disputed" in caveat for caveat in report.caveats)
    assert "DISPUTED" in str(report)


def test_a_dispute_that_was_resolved_leaves_a_remark() -> None:
    report = disputed((DISPUTED, PAIR), (RESOLVED, PAIR | {"words": "found"}))
    assert f"DISPUTED, and it was resolved in words: '{EXHIBIT}'" in chains(report)
    assert not any("is disputed" in caveat for caveat in report.caveats)


@pytest.mark.parametrize("other", [{"offer": "00" * 32}, {"answer": "00" * 32}, {"answer": None}])
def test_the_end_of_another_dispute_ends_nothing(other: dict[str, object]) -> None:
    assert "nobody has resolved it" in chains(disputed((DISPUTED, PAIR), (RESOLVED, PAIR | other)))


def test_an_end_before_its_dispute_ends_nothing() -> None:
    assert "nobody has resolved it" in chains(disputed((RESOLVED, PAIR), (DISPUTED, PAIR)))


def test_without_a_dispute_nothing_is_said_of_one() -> None:
    report = disputed()
    assert "DISPUTED" not in str(report) and "disputed" not in str(report)


def test_the_scripts_say_it_too(tmp_path: Path) -> None:
    (tmp_path / "disputed").mkdir()
    assert "DISPUTED: 1 entries" in by_script(unpacked(package((DISPUTED, PAIR)), tmp_path / "disputed")).words
    (tmp_path / "clean").mkdir()
    assert "DISPUTED" not in by_script(unpacked(package(), tmp_path / "clean")).words
