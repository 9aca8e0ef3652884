"""What is remarked on and never forbidden."""

from __future__ import annotations

import pytest

from casemgmt.reference.identifiers import Status
from casemgmt.seizures import rules


@pytest.mark.parametrize(
    ("kind", "text", "status"),
    [
        ("container", "CSQU3054383", Status.OK),
        ("container", "CSQU3054384", Status.MALFORMED),
        ("container", "ДОМ-7", Status.UNKNOWN),
        ("truck", "whatever it says", Status.UNKNOWN),
    ],
)
def test_a_painted_number_gets_a_verdict_whatever_it_is(kind: str, text: str, status: Status) -> None:
    verdict = rules.painted(kind, text)
    assert verdict is not None
    assert verdict.status is status


def test_nothing_painted_or_nothing_to_check_gets_no_verdict() -> None:
    assert rules.painted("container", "") is None
    assert rules.painted("animal", "brown") is None
    assert rules.verdict_of(rules.verdict_code(None)) is None


def test_a_kept_verdict_can_be_read_back() -> None:
    verdict = rules.painted("container", "CSQU3054384")
    again = rules.verdict_of(rules.verdict_code(verdict))
    assert verdict is not None
    assert again is not None
    assert (again.scheme, again.status, again.reason) == (verdict.scheme, verdict.status, verdict.reason)
