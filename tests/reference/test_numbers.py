"""Numbers with a check digit: what is printed, what is understood, what is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.reference import numbers
from casemgmt.reference.numbers import Kind, Mistake, Number

SAMPLES = [
    Number(Kind.SEIZURE, 2026, "0412", 137),
    Number(Kind.SEIZURE, 2031, "9007", 123_456),
    Number(Kind.CASE_FILE, 2026, "0412", 21),
    Number(Kind.HANDOVER, 2026, "0412", 99_999),
    Number(Kind.PACKAGE, 2026, "0001", 100_000),
]

any_number = st.builds(
    Number,
    kind=st.sampled_from([Kind.SEIZURE, Kind.CASE_FILE, Kind.HANDOVER, Kind.PACKAGE]),
    year=st.integers(2000, 2199),
    unit=st.from_regex(r"[0-9]{4}", fullmatch=True),
    serial=st.integers(1, numbers.LAST_SERIAL),
)


def mistake_in(text: str) -> Mistake | None:
    error = numbers.typing_error(text)
    return None if error is None else error.mistake


def test_the_layouts_are_as_documented() -> None:
    seizure = numbers.make(Kind.SEIZURE, year=2026, unit="0412", serial=137)
    assert seizure == "2026-0412-00137-" + Number(Kind.SEIZURE, 2026, "0412", 137).check_digit
    assert numbers.make_exhibit(seizure, 3) == f"{seizure}/3"
    assert numbers.make(Kind.CASE_FILE, year=2026, unit="0412", serial=21).startswith("2026-0412-7-00021-")
    assert numbers.make(Kind.HANDOVER, year=2026, unit="0412", serial=21).startswith("2026-0412-8-00021-")
    assert numbers.make(Kind.PACKAGE, year=2026, unit="0412", serial=21).startswith("2026-0412-9-00021-")


def test_the_examples_in_the_text_and_in_the_messages_are_real_numbers() -> None:
    assert numbers.check("2026-0412-00137-9")
    assert numbers.check("2026-0412-00137-9/3")
    assert numbers.check("2026-0412-7-00021-0")


def test_a_serial_grows_beyond_five_digits() -> None:
    assert numbers.make(Kind.SEIZURE, year=2026, unit="0412", serial=100_000).startswith("2026-0412-100000-")


@given(any_number)
def test_every_number_is_read_back_with_and_without_its_hyphens(number: Number) -> None:
    assert numbers.parse(str(number)) == number
    assert numbers.parse(number.digits) == number


@given(any_number.filter(lambda number: number.kind is Kind.SEIZURE), st.integers(1, numbers.LAST_ITEM))
def test_every_exhibit_is_read_back_and_knows_its_seizure(seizure: Number, item: int) -> None:
    exhibit = numbers.parse(numbers.make_exhibit(str(seizure), item))
    assert exhibit.item == item
    assert exhibit.seizure == seizure
    assert numbers.parse(exhibit.digits) == exhibit
    assert numbers.parse(str(exhibit).replace("/", "-")) == exhibit


@pytest.mark.parametrize("number", SAMPLES, ids=str)
def test_every_single_wrong_digit_is_caught(number: Number) -> None:
    text = str(number)
    for place, digit in itertools.product(range(len(text)), "0123456789"):
        if text[place].isdigit() and text[place] != digit:
            assert not numbers.check(text[:place] + digit + text[place + 1 :])
            solid = text[:place] + digit + text[place + 1 :]
            assert not numbers.check(solid.replace("-", ""))


@pytest.mark.parametrize("number", SAMPLES, ids=str)
def test_every_swap_of_neighbours_is_caught_also_across_a_hyphen(number: Number) -> None:
    digits = number.digits
    for place in range(len(digits) - 1):
        if digits[place] != digits[place + 1]:
            swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
            assert not numbers.check(swapped)


def test_kinds_with_the_same_year_unit_and_serial_are_never_mistaken_for_each_other() -> None:
    kinds = (Kind.SEIZURE, Kind.CASE_FILE, Kind.HANDOVER, Kind.PACKAGE)
    texts = {numbers.make(kind, year=2026, unit="0412", serial=21) for kind in kinds}
    assert {numbers.parse(text).kind for text in texts} == set(kinds)


@pytest.mark.parametrize(
    "typed",
    [
        "2026-0412-00137-9",
        "2026 0412 00137 9",
        "2026/0412/00137/9",
        "2026.0412.00137.9",
        "2026–0412—00137−9",
        "  2026 - 0412 - 00137 - 9 ",
        "20260412001379",
        "2026-412-137-9",
        "№ 2026-0412-00137-9",
        "No. 2026-0412-00137-9",
        "#2026-0412-00137-9",
        "2O26-О412-OO137-9",
        "2026-0412-00lЗ7-9",
        "٢٠٢٦-٠٤١٢-٠٠١٣٧-٩",
        "２０２６－０４１２－００１３７－９",
    ],
)
def test_it_understands_how_people_type(typed: str) -> None:
    assert str(numbers.parse(typed)) == "2026-0412-00137-9"


@pytest.mark.parametrize(
    "typed", ["2026-0412-00137-9/3", "20260412001379/3", "2026 0412 00137 9 - 03", "20260412001379 3"]
)
def test_it_understands_how_people_type_an_exhibit(typed: str) -> None:
    assert str(numbers.parse(typed)) == "2026-0412-00137-9/3"


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ("", Mistake.EMPTY),
        (" - / ", Mistake.EMPTY),
        ("№", Mistake.EMPTY),
        ("2026-0412-0013Q-4", Mistake.CHARACTER),
        ("2026-0412-00137-\x009", Mistake.CHARACTER),
        ("2026-0412-00137", Mistake.LAYOUT),
        ("2026-0412", Mistake.LAYOUT),
        ("2026-0412-00137-9/3/1", Mistake.LAYOUT),
        ("1" * 10_000, Mistake.LAYOUT),
        ("226-0412-00137-9", Mistake.YEAR),
        ("1926-0412-00137-9", Mistake.YEAR),
        ("2026-04120-00137-9", Mistake.UNIT),
        ("2026-0412-00000-4", Mistake.SERIAL),
        ("2026-0412-0001370-4", Mistake.SERIAL),
        ("2026-0412-000137-9", Mistake.SERIAL),
        ("2026-0412-700000-4", Mistake.SERIAL),
        ("2026-0412-00137-9/0", Mistake.ITEM),
        ("2026-0412-00137-9/10000", Mistake.ITEM),
        ("2026-0412-00137-5", Mistake.CHECK_DIGIT),
        ("2026-0412-00137-94", Mistake.CHECK_DIGIT),
        ("2026-0412-00173-9", Mistake.CHECK_DIGIT),
    ],
)
def test_it_says_which_part_is_wrong(typed: str, mistake: Mistake) -> None:
    assert mistake_in(typed) is mistake


def test_a_short_exhibit_that_looks_like_a_case_file_is_refused_and_not_guessed() -> None:
    exhibit = numbers.make_exhibit(numbers.make(Kind.SEIZURE, year=2026, unit="0412", serial=7), 3)
    assert numbers.check(exhibit)
    assert mistake_in(exhibit.replace("00007", "7").replace("/", "-")) is Mistake.SERIAL


def test_every_message_names_what_was_found() -> None:
    error = numbers.typing_error("2026-0412-0013Q-4")
    assert error is not None
    assert error.message % error.values == str(error)
    assert "“Q”" in str(error)


@pytest.mark.parametrize(
    "impossible",
    [
        {"kind": Kind.SEIZURE, "year": 26, "unit": "0412", "serial": 1},
        {"kind": Kind.SEIZURE, "year": 2026, "unit": "412", "serial": 1},
        {"kind": Kind.SEIZURE, "year": 2026, "unit": "0412", "serial": 0},
        {"kind": Kind.CASE_FILE, "year": 2026, "unit": "0412", "serial": 700_000},
        {"kind": Kind.EXHIBIT, "year": 2026, "unit": "0412", "serial": 1},
    ],
)
def test_it_makes_no_number_it_could_not_read(impossible: dict[str, object]) -> None:
    with pytest.raises(numbers.TypingError):
        numbers.make(**impossible)  # type: ignore[arg-type]


def test_an_exhibit_is_numbered_within_a_seizure_only() -> None:
    with pytest.raises(ValueError, match="not a seizure"):
        numbers.make_exhibit(numbers.make(Kind.CASE_FILE, year=2026, unit="0412", serial=1), 1)
    with pytest.raises(ValueError, match="not an exhibit"):
        _ = numbers.parse("2026-0412-00137-9").seizure


@given(st.text(max_size=80))
def test_no_text_makes_it_fail_in_another_way(text: str) -> None:
    numbers.typing_error(text)
    numbers.digits_typed(text)


@given(st.text(alphabet="0123456789-/ ", max_size=30))
def test_what_it_accepts_it_writes_in_one_form_only(text: str) -> None:
    if numbers.check(text):
        canonical = str(numbers.parse(text))
        assert str(numbers.parse(canonical)) == canonical
