"""Identifier checks: they advise, they never raise, they never forbid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.reference.identifiers import Reason, Scheme, Status, Verdict, check, verdict_text
from casemgmt.reference.plates import plate_countries, plate_patterns

CASES = [
    (Scheme.CONTAINER, "CSQU3054383", Status.OK, Reason.FITS),
    (Scheme.CONTAINER, "MSKU6011672", Status.OK, Reason.FITS),
    (Scheme.CONTAINER, "msku 601167-2", Status.OK, Reason.FITS),
    (Scheme.CONTAINER, "CSQU3054384", Status.MALFORMED, Reason.CHECK_DIGIT),
    (Scheme.CONTAINER, "CSQU305438", Status.MALFORMED, Reason.NO_CHECK_DIGIT),
    (Scheme.CONTAINER, "CSQX3054383", Status.MALFORMED, Reason.CONTAINER_CATEGORY),
    (Scheme.CONTAINER, "УК-20 1234", Status.UNKNOWN, Reason.CONTAINER_OTHER),
    (Scheme.CONTAINER, " - ", Status.UNKNOWN, Reason.EMPTY),
    (Scheme.IMO, "9074729", Status.OK, Reason.FITS),
    (Scheme.IMO, "IMO 9319466", Status.OK, Reason.FITS),
    (Scheme.IMO, "ИМО 9319466", Status.OK, Reason.FITS),
    (Scheme.IMO, "IMO 9319467", Status.MALFORMED, Reason.CHECK_DIGIT),
    (Scheme.IMO, "931946", Status.UNKNOWN, Reason.IMO_SHAPE),
    (Scheme.IMEI, "490154203237518", Status.OK, Reason.FITS),
    (Scheme.IMEI, "49-015420-323751-8", Status.OK, Reason.FITS),
    (Scheme.IMEI, "490154203237517", Status.MALFORMED, Reason.CHECK_DIGIT),
    (Scheme.IMEI, "49015420323751", Status.UNKNOWN, Reason.NO_CHECK_DIGIT),
    (Scheme.IMEI, "4901", Status.UNKNOWN, Reason.IMEI_SHAPE),
    (Scheme.VIN, "1M8GDM9AXKP042788", Status.OK, Reason.FITS),
    (Scheme.VIN, "1М8GDМ9АХКР042788", Status.OK, Reason.FITS),
    (Scheme.VIN, "1M8GDM9A1KP042788", Status.MALFORMED, Reason.CHECK_DIGIT),
    (Scheme.VIN, "XTA210990Y2765499", Status.OK, Reason.SHAPE_FITS),
    (Scheme.VIN, "1M8GDM9AXKPO42788", Status.MALFORMED, Reason.VIN_LETTERS),
    (Scheme.VIN, "XTA21099", Status.UNKNOWN, Reason.VIN_LENGTH),
    (Scheme.WAGON, "52364569", Status.OK, Reason.FITS),
    (Scheme.WAGON, "52364568", Status.UNKNOWN, Reason.WAGON_CHECK_DIGIT),
    (Scheme.WAGON, "5236456", Status.UNKNOWN, Reason.WAGON_SHAPE),
    (Scheme.PLATE, "01 KG 123 ABC", Status.OK, Reason.SHAPE_FITS),
    (Scheme.PLATE, "DIPLOMAT 1", Status.UNKNOWN, Reason.PLATE_OTHER),
]


@pytest.mark.parametrize(("scheme", "text", "status", "reason"), CASES)
def test_each_check_gives_its_verdict_and_its_reason(scheme: Scheme, text: str, status: Status, reason: Reason) -> None:
    verdict = check(scheme, text)
    assert (verdict.status, verdict.reason) == (status, reason)


def test_a_container_typed_in_cyrillic_is_read_the_way_that_fits() -> None:
    by_sound, by_look = check(Scheme.CONTAINER, "МСКУ6011672"), check(Scheme.CONTAINER, "СSQU3054383")
    assert (by_sound.status, by_sound.latin) == (Status.OK, "MSKU6011672")
    assert (by_look.status, by_look.latin) == (Status.OK, "CSQU3054383")


def test_every_wrong_check_digit_of_a_container_is_called_malformed() -> None:
    for digit in "013456789":
        assert check(Scheme.CONTAINER, f"MSKU601167{digit}").status is Status.MALFORMED


@pytest.mark.parametrize(
    ("plate", "country"),
    [
        ("01KG123ABC", "KG"),
        ("B1234AB", "KG"),
        ("123ABC02", "KZ"),
        ("01A123BC", "UZ"),
        ("01123ABC", "UZ"),
        ("1234AB01", "TJ"),
        ("A123BC77", "RU"),
        ("А 123 ВС 77", "RU"),
    ],
)
def test_plates_of_the_region_name_their_country(plate: str, country: str) -> None:
    assert country in check(Scheme.PLATE, plate).countries


def test_every_plate_pattern_fits_its_own_example() -> None:
    for plate in plate_patterns():
        assert plate.country in plate_countries(plate.example)


def test_every_reason_has_its_sentence() -> None:
    for reason in Reason:
        assert verdict_text(Verdict(Scheme.VIN, Status.OK, reason, "")).endswith(".")


@given(st.sampled_from(Scheme), st.text(st.characters(), max_size=60))
def test_no_text_makes_a_check_fail(scheme: Scheme, text: str) -> None:
    verdict = check(scheme, text)
    assert verdict.scheme is scheme
    verdict.latin.encode()


@given(st.sampled_from(Scheme), st.from_regex(r"[A-ZА-Я]{0,4}[0-9]{5,17}", fullmatch=True))
def test_no_identifier_like_text_makes_a_check_fail(scheme: Scheme, text: str) -> None:
    check(scheme, text)
