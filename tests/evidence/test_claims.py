"""Where what a photograph says and what its sender's device said differ. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from casemgmt.evidence.claims import Claimed, differences, distance, inside

BISHKEK = timezone(timedelta(hours=6), "UTC+6")
DEVICE = datetime(2026, 11, 20, 9, 15, tzinfo=BISHKEK)


def claimed(**other: Any) -> Claimed:
    said: dict[str, Any] = {
        "device_at": DEVICE, "latitude": Decimal("42.87"), "longitude": Decimal("74.61"), "accuracy_m": Decimal(20),
        "received_at": DEVICE + timedelta(minutes=3),
    }  # fmt: skip
    return Claimed(**{**said, **other})


def summary(**exif: Any) -> dict[str, Any]:
    return {"exif": {"state": "found", **exif}, "c2pa": {"state": "none"}}


def said(found: dict[str, Any], about: Claimed) -> list[str]:
    return [str(words) for words in differences(found, about, BISHKEK)]


DIFFER = "The camera's clock and the sending device's differ by "
AFTER = "By its camera's clock the file was made after it was received here."


@pytest.mark.parametrize(
    ("exif", "words"),
    [
        ({}, []),
        ({"taken": "2026-11-20T09:15:00", "offset": "+06:00"}, []),
        ({"taken": "2026-11-20T03:20:00", "offset": "+00:00"}, []),
        ({"taken": "2026-11-20T09:15:00"}, []),
        ({"taken": "2026-11-20T09:26:00", "offset": "+06:00"}, [DIFFER + "11 minutes."]),
        ({"taken": "2026-11-17T09:15:00", "offset": "+06:00"}, [DIFFER + "3 days."]),
        ({"taken": "2026-11-20T04:15:00"}, [DIFFER + "5 hours, if the camera was set to UTC+6."]),
        ({"taken": "2026-11-20T12:00:00", "offset": "+06:00"}, [AFTER]),
        ({"taken": "2027-03-01T09:15:00"}, [AFTER]),
        ({"taken": "0000-00-00T00:00:00"}, []),
        ({"taken": "2026-11-20T25:61:61", "offset": "+06:00"}, []),
        ({"taken": "9999-12-31T23:59:59", "offset": "-99:99"}, []),
    ],
)  # fmt: skip
def test_times(exif: dict[str, Any], words: list[str]) -> None:
    assert said(summary(**exif), claimed()) == words


def test_without_a_device_claim_only_the_future_is_pointed_out() -> None:
    assert said(summary(taken="2019-01-01T00:00:00"), claimed(device_at=None)) == []


@pytest.mark.parametrize(
    ("latitude", "accuracy", "told"),
    [
        ("42.870000", 20, False),
        ("42.878000", 20, False),
        ("42.890000", 20, True),
        ("42.890000", 5000, False),
        ("-42.870000", 20, True),
    ],
)  # fmt: skip
def test_places(latitude: str, accuracy: int, told: bool) -> None:
    found = summary(place={"latitude": latitude, "longitude": "74.610000"})
    assert bool(said(found, claimed(accuracy_m=Decimal(accuracy)))) is told


def test_a_distance_that_is_known() -> None:
    assert distance((42.8746, 74.5698), (43.2220, 76.8512)) == pytest.approx(189_500, rel=0.01)  # Bishkek, Almaty
    assert distance((0.0, 179.9), (0.0, -179.9)) == pytest.approx(22_239, rel=0.01)


def test_what_says_a_program_made_it_is_pointed_out() -> None:
    found = {"exif": {"state": "none"}, "c2pa": {"state": "valid", "sources": ["trainedAlgorithmicMedia"]}}
    assert said(found, claimed()) == ["The file says that a program made it or parts of it (trainedAlgorithmicMedia)."]


@pytest.mark.parametrize("trouble", ["slow", "memory", "crashed", "garbage", "too-large", "a later program's word"])
def test_trouble_is_told_in_words(trouble: str) -> None:
    found = {"exif": {"state": "unreadable", "trouble": trouble}, "c2pa": {"state": "unreadable", "trouble": trouble}}
    told = inside(found, claimed(), UTC)
    assert told.rows[0][1].startswith("not read: ")
    assert (told.origin.startswith("C2PA: not read: "), told.origin_kind) == (True, "warn")


@pytest.mark.parametrize("state", ["trusted", "valid", "invalid", "none", "unreadable", "not-looked"])
def test_every_state_has_words_that_do_not_judge(state: str) -> None:
    told = inside(
        {"exif": {"state": "none"}, "c2pa": {"state": state, "failures": ["x"], "signer": "A"}}, claimed(), UTC
    )
    assert "C2PA" in told.origin
    assert "genuine" not in told.origin
    assert told.rows[0] == ("EXIF", "none found")
    assert told.needs_a_look is (state == "invalid")
