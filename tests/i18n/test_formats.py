"""Moments, numbers and sizes as a legal record needs them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from casemgmt.core import formats
from casemgmt.core.i18n import Locale, speaking, translations

MOMENT = datetime(2026, 11, 20, 21, 12, 31, tzinfo=UTC)


def reader(language: str, zone: str = "Asia/Bishkek") -> Locale:
    return Locale(language, ZoneInfo(zone), translations(language))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_moment_has_one_pattern_in_every_language(language: str) -> None:
    with speaking(reader(language)):
        assert formats.format_datetime(MOMENT) == "21.11.2026 03:12\u00a0UTC+6"
        assert formats.format_datetime(MOMENT, seconds=True, zone=False) == "21.11.2026 03:12:31"


@pytest.mark.parametrize(
    ("zone", "name"),
    [("UTC", "UTC"), ("Asia/Kolkata", "UTC+5:30"), ("America/St_Johns", "UTC\u22123:30"), ("Asia/Almaty", "UTC+5")],
)
def test_the_zone_is_named_by_its_offset(zone: str, name: str) -> None:
    with speaking(reader("en", zone)):
        assert formats.format_datetime(MOMENT).endswith(name)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        formats.format_datetime(datetime(2026, 11, 20))  # noqa: DTZ001 - the very fault


def test_the_day_of_a_moment_is_the_readers_day() -> None:
    with speaking(reader("en")):
        assert formats.format_date(MOMENT) == "21.11.2026"
        assert formats.format_date(date(2026, 11, 20)) == "20.11.2026"


def test_a_weight_keeps_the_decimals_it_was_weighed_with() -> None:
    with speaking(reader("en")):
        assert formats.format_number(Decimal("1512.50")) == "1,512.50"
        assert formats.format_number(Decimal("0.0000001")) == "0.0000001"
        assert formats.format_number(Decimal("1E+3")) == "1,000"
    with speaking(reader("ru")):
        assert formats.format_quantity(Decimal("1512.50"), "г") == "1\u00a0512,50\u00a0г"


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        formats.format_number(Decimal("NaN"))


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (5_154_513, "5.2 MB"), (214_000_000, "214 MB"),
        (999_999, "1.0 MB"), (4_294_967_296, "4.3 GB"), (7_000_000_000_000, "7,000 GB"),
    ],
)  # fmt: skip
def test_a_size_is_written_in_decimal_units(size: int, shown: str) -> None:
    with speaking(reader("en")):
        assert formats.format_filesize(size) == shown


def test_a_size_is_written_in_the_readers_language() -> None:
    with speaking(reader("ru")):
        assert formats.format_filesize(5_154_513) == "5,2 МБ"


def test_an_accuracy_is_whole_metres_or_kilometres() -> None:
    with speaking(reader("en")):
        assert formats.format_distance(12.4) == "12 m"
        assert formats.format_distance(2450) == "2.4 km"
