"""Three truths, each for itself: nothing unchecked is ever called confirmed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from casemgmt.core.i18n import N_
from casemgmt.desk.signs import Check, Look, custody_sign, file_sign, seal_sign
from casemgmt.exhibits.rules import ChainBreak

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


def at(outcome: str, hours: int = 0) -> Check:
    return Check(outcome, NOW - timedelta(hours=hours))


@pytest.mark.parametrize(
    ("checks", "state"),
    [
        ({}, "unknown"),
        ({1: at("unchanged")}, "unknown"),
        ({1: at("unchanged"), 2: at("unchanged", 5)}, "ok"),
        ({1: at("unchanged"), 2: at("changed")}, "bad"),
        ({2: at("missing")}, "bad"),
        ({1: at("unchanged"), 2: at("unreadable")}, "warn"),
        ({1: at("changed"), 2: at("unreadable")}, "bad"),
    ],
)
def test_files_are_unchanged_only_when_every_one_was_read_again(checks: dict[int, Check], state: str) -> None:
    assert file_sign([1, 2], checks).state == state


def test_the_oldest_of_the_newest_checks_is_the_time_that_is_said() -> None:
    assert file_sign([1, 2], {1: at("unchanged"), 2: at("unchanged", 5)}).checked_at == NOW - timedelta(hours=5)


def test_no_files_is_not_a_confirmation() -> None:
    assert file_sign([], {}).state == "unknown"


def test_a_hash_made_at_receipt_is_not_called_checked() -> None:
    assert "not re-read yet" in str(file_sign([1], {}).sentence)


def test_a_broken_chain_is_named_with_its_event() -> None:
    assert custody_sign(3, None, NOW).state == "ok"
    disputed = custody_sign(3, None, NOW, disputed=1, resolved=1)
    assert disputed.state == "warn" and "nobody has resolved it" in str(disputed.sentence)
    resolved = custody_sign(3, None, NOW, resolved=2)
    assert resolved.state == "warn" and "2 disputes about it were resolved" in str(resolved.sentence)
    broken = custody_sign(3, ChainBreak(2, N_("An event is missing.")), NOW)
    assert broken.state == "bad"
    assert "event 2" in str(broken.sentence)


@pytest.mark.parametrize(
    ("state", "sign"),
    [("intact", "ok"), ("damaged", "bad"), ("missing", "bad"), ("differs", "bad"), ("none", "unknown")],
)
def test_the_seal_is_what_a_person_saw_last(state: str, sign: str) -> None:
    assert seal_sign(Look(state, "00451879", "Nurlan Satybaldiev", NOW)).state == sign


def test_a_seal_nobody_looked_at_is_not_confirmed() -> None:
    assert seal_sign(None).state == "unknown"
