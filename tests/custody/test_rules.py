"""The practice of handing over, as pure functions."""

from __future__ import annotations

from datetime import date

import pytest

from casemgmt.custody.rules import Seen, check_decision, giver_sees, needs_discrepancy, receiver_sees, result, same_seal
from casemgmt.custody.schemas import Decision

DAY = date(2026, 11, 21)
SEALED = Seen("B-1001", "intact")
UNSEALED = Seen(None, "none")


def decision(kind: str, **more: str) -> Decision:
    return Decision(exhibit="x", decision=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"), [("B-1001", "B 1001"), ("B-1001", "В-1001"), ("АВС 12", "abc12"), (None, None)]
)
def test_look_alike_letters_and_separators_are_the_same_seal(one, other):
    assert same_seal(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("B-1001", "B-1002"), ("B-1001", "B-1O01"), ("B-1001", None), (None, "B-1")]
)
def test_another_character_is_another_seal(one, other):
    assert not same_seal(one, other)


def test_the_giver_confirms_the_record_or_says_what_is_there():
    assert giver_sees(SEALED, "B 1001") == SEALED
    assert giver_sees(SEALED, "B-9") == Seen("B-9", "differs")
    assert giver_sees(SEALED, " ") == Seen(None, "missing")
    assert giver_sees(UNSEALED, "") == UNSEALED


def test_a_seal_read_as_recorded_and_intact_needs_no_words():
    data = decision("accepted", seal="B 1001", seal_state="intact")
    assert receiver_sees(SEALED, data) == SEALED
    assert check_decision(data, SEALED, DAY) == {}


def test_nothing_is_assumed_about_a_seal_the_receiver_did_not_describe():
    assert "seal_state" in check_decision(decision("accepted", seal="B-1001"), SEALED, DAY)
    assert "seal_state" in check_decision(decision("accepted", seal="B-1001", seal_state="differs"), SEALED, DAY)
    assert "seal" in check_decision(decision("accepted", seal_state="intact"), SEALED, DAY)


@pytest.mark.parametrize(
    ("seal", "state", "becomes"),
    [
        ("B-1007", "intact", Seen("B-1007", "differs")),
        ("B-1001", "damaged", Seen("B-1001", "damaged")),
        ("", "missing", Seen(None, "missing")),
    ],
)
def test_accepting_a_seal_that_differs_demands_words(seal, state, becomes):
    data = decision("accepted", seal=seal, seal_state=state)
    assert receiver_sees(SEALED, data) == becomes
    assert needs_discrepancy(SEALED, becomes)
    assert "discrepancy" in check_decision(data, SEALED, DAY)
    data.discrepancy = "The strip is torn on the left."
    assert check_decision(data, SEALED, DAY) == {}


def test_a_seal_found_on_an_exhibit_recorded_without_one_demands_words():
    assert check_decision(decision("accepted"), UNSEALED, DAY) == {}
    assert "discrepancy" in check_decision(decision("accepted", seal="B-1"), UNSEALED, DAY)


def test_a_refusal_needs_a_reason_and_some_reasons_need_a_sentence():
    assert "reason" in check_decision(decision("refused"), SEALED, DAY)
    assert "reason" in check_decision(decision("refused", reason="invented"), SEALED, DAY)
    assert check_decision(decision("refused", reason="seal_differs"), SEALED, DAY) == {}
    assert "note" in check_decision(decision("refused", reason="other"), SEALED, DAY)
    assert check_decision(decision("refused", reason="other", note="The box is wet."), SEALED, DAY) == {}


def test_a_handover_is_open_while_one_exhibit_waits():
    assert result(["accepted", "offered"]) == "offered"
    assert result(["accepted", "accepted"]) == "accepted"
    assert result(["accepted", "refused"]) == "mixed"
