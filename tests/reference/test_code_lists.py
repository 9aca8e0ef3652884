"""The code lists: complete, consistent with each other, dated, and known to the translators."""

import io
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import pytest
from babel.messages.extract import extract

from casemgmt.reference import lists
from casemgmt.reference.lists import CodeList, Item

TODAY = date(2026, 6, 1)


def every_item() -> Iterator[Item]:
    for code_list in lists.ALL.values():
        yield from code_list.items().values()


@pytest.mark.parametrize("name", lists.ALL)
def test_each_list_loads_and_offers_something_today(name: str) -> None:
    offered = lists.choices(name, TODAY)
    assert offered
    assert all(item.code and item.label for item in offered)
    assert [lists.get(name, item.code) for item in offered] == offered


@pytest.mark.parametrize("name", lists.ALL)
def test_no_code_or_label_appears_twice_in_a_list_and_its_source_is_noted(name: str) -> None:
    text = files("casemgmt.reference").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    items = lists.ALL[name].items()
    assert text.count("[[item]]") == len(items)
    assert len({item.label for item in items.values()}) == len(items)
    assert "\nsource = " in text


def test_every_data_file_is_a_list_somebody_can_choose_from() -> None:
    names = {path.name.removesuffix(".toml") for path in files("casemgmt.reference").joinpath("data").iterdir()}
    assert names == {*lists.ALL, "plates"}


def test_every_category_is_measured_in_known_units_its_default_among_them() -> None:
    for category in lists.CATEGORIES.choices(TODAY):
        assert category.default_unit in category.units
        assert set(category.units) <= set(lists.UNITS.items())
        assert category.icon


def test_the_phone_shows_six_categories_first() -> None:
    assert [category.first for category in lists.CATEGORIES.choices(TODAY)][:7] == [True] * 6 + [False]
    assert sum(category.first for category in lists.CATEGORIES.choices(TODAY)) == 6


def test_the_families_of_the_enforcement_network_are_all_there() -> None:
    families = "DRUG PREC TOBA ALCO FUEL CITES TIMBER ENV IPR MED FOOD CURR WEAP STCE NUC CULT TAX MIGR OTHER"
    assert set(lists.CATEGORIES.items()) == set(families.split())


def test_case_statuses_lead_only_to_statuses_and_every_one_can_be_reached() -> None:
    statuses = lists.CASE_STATUSES.items()
    reached, waiting = {"open"}, ["open"]
    while waiting:
        for code in statuses[waiting.pop()].next:
            if code not in reached:
                reached.add(code)
                waiting.append(code)
    assert reached == set(statuses)
    assert all(status.next for status in statuses.values())


def test_a_container_wants_the_container_check_first() -> None:
    assert lists.CONVEYANCES.get("container").identifiers[0] == "container"


def test_a_person_sees_three_states_of_a_seal() -> None:
    assert [state.code for state in lists.SEAL_STATES.choices(TODAY) if state.observed] == [
        "intact",
        "damaged",
        "missing",
    ]


def test_the_appointments_are_those_that_carry_authority() -> None:
    kinds = {"officer", "custodian", "investigator", "supervisor", "prosecutor", "expert", "auditor", "administrator"}
    assert set(lists.APPOINTMENT_KINDS.items()) == kinds


def test_every_other_reason_asks_for_a_note() -> None:
    for code_list in (lists.REFUSAL_REASONS, lists.LINK_REASONS, lists.GRANT_PURPOSES, lists.PARTICIPANT_ROLES,
                      lists.WITHHOLDING_REASONS):  # fmt: skip
        assert code_list.get("other").needs_note


def test_currencies_are_iso_codes() -> None:
    assert all(len(code) == 3 and code.isupper() and code.isascii() for code in lists.CURRENCIES.items())


def test_a_code_is_offered_from_its_first_day_to_its_last_and_read_for_ever() -> None:
    item = Item(code="x", label="X", valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
    assert [
        item.is_valid(day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_a_retired_code_is_not_offered_but_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Item(code="old", label="Old", valid_to=date(2020, 12, 31))
    monkeypatch.setattr(lists, "_load", lambda _: {"old": old})
    code_list = CodeList("anything", Item)
    assert code_list.choices(TODAY) == []
    assert not code_list.may_choose("old", TODAY)
    assert code_list.may_choose("old", date(2020, 6, 1))
    assert code_list.get("old") is old


def test_an_unknown_code_and_an_unknown_list_are_named() -> None:
    with pytest.raises(lists.UnknownCodeError, match="units has no code 'stone'"):
        lists.get("units", "stone")
    with pytest.raises(lists.UnknownCodeError, match="no list 'moods'"):
        lists.choices("moods", TODAY)
    assert not lists.UNITS.may_choose("stone", TODAY)


def test_babel_finds_the_label_of_every_code() -> None:
    found = set()
    for name in lists.ALL:
        source = io.BytesIO(files("casemgmt.reference").joinpath("data", f"{name}.toml").read_bytes())
        found |= {message for _, message, _, _ in extract("casemgmt.reference.extraction:extract_labels", source)}
    assert found == {item.label for item in every_item()}


def test_labels_hold_no_percent_sign_that_translation_would_read_as_a_placeholder() -> None:
    assert not [item.label for item in every_item() if "%" in item.label]
