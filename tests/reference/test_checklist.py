"""The photo checklist of an examination: when it is offered, and what it counts as missing."""

from __future__ import annotations

from datetime import date

from casemgmt.reference import checklist
from casemgmt.reference.lists import PHOTO_POINTS

TODAY = date(2026, 6, 1)


def codes(conveyances: set[str], said: set[str | None] = frozenset()) -> list[str]:  # type: ignore[assignment]
    return [point.code for point in checklist.points(TODAY, conveyances, said)]


def test_the_sequence_is_that_of_an_unloading() -> None:
    assert codes({"truck"}) == [
        "seals_before", "unloading", "unloaded", "left_inside", "opening", "goods", "seals_after",
    ]  # fmt: skip


def test_nothing_is_unloaded_from_a_traveller() -> None:
    assert codes({"pedestrian"}) == codes(set()) == ["seals_before", "opening", "goods", "seals_after"]
    assert codes(set(), {"unloading", None}) == codes({"truck"})


def test_goods_conveyance_or_the_way_it_was_found_speak_for_an_examination() -> None:
    assert checklist.is_examination({"TIMBER"}, set(), None)
    assert checklist.is_examination({"DRUG"}, {"container"}, None)
    assert checklist.is_examination({"DRUG"}, set(), "scanner")
    assert not checklist.is_examination({"DRUG"}, {"pedestrian"}, "public_tip")
    assert not checklist.is_examination({"no such"}, {"no such"}, "no such")


def test_what_is_missing_is_told_in_the_order_of_the_list() -> None:
    found = checklist.progress(checklist.points(TODAY, {"truck"}), {"goods", "unloading", None, "of another list"})
    assert [point.code for point in found.shown] == ["unloading", "goods"]
    assert [point.code for point in found.missing][:2] == ["seals_before", "unloaded"]
    assert found.total == 7


def test_every_point_says_whether_a_source_asks_for_it() -> None:
    assert {point.certainty for point in PHOTO_POINTS.items().values()} == {"source", "unverified"}
    assert all(point.certainty == "source" for point in PHOTO_POINTS.items().values() if point.hold)
