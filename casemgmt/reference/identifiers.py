"""What a check says about an identifier painted, stamped or printed on a thing. It advises and never forbids.

The record keeps what is really on the box, even when it is wrong: a wrong number is evidence too. So every check takes
any text, never raises, and returns a verdict for the page to show beside the field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from stdnum import imo, iso6346, luhn

from casemgmt.reference.fold import latin_readings
from casemgmt.reference.messages import N_
from casemgmt.reference.plates import plate_countries


class Scheme(StrEnum):
    CONTAINER = "container"
    VIN = "vin"
    IMO = "imo"
    IMEI = "imei"
    PLATE = "plate"
    WAGON = "wagon"


class Status(StrEnum):
    """OK: as the standard wants it. Malformed: meant to follow it, and does not. Unknown: it cannot be told."""

    OK = "ok"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    FITS = "fits"
    SHAPE_FITS = "shape_fits"
    EMPTY = "empty"
    CHECK_DIGIT = "check_digit"
    NO_CHECK_DIGIT = "no_check_digit"
    CONTAINER_CATEGORY = "container_category"
    CONTAINER_OTHER = "container_other"
    VIN_LETTERS = "vin_letters"
    VIN_LENGTH = "vin_length"
    IMO_SHAPE = "imo_shape"
    IMEI_SHAPE = "imei_shape"
    PLATE_OTHER = "plate_other"
    WAGON_SHAPE = "wagon_shape"
    WAGON_CHECK_DIGIT = "wagon_check_digit"


_TEXTS = {
    Reason.FITS: N_("The check digit fits."),
    Reason.SHAPE_FITS: N_("The form fits. This kind of number has no check digit to confirm it."),
    Reason.EMPTY: N_("No number was given."),
    Reason.CHECK_DIGIT: N_("The check digit does not fit. Compare with the original; if it is really so, keep it."),
    Reason.NO_CHECK_DIGIT: N_("The check digit, the last one, is missing."),
    Reason.CONTAINER_CATEGORY: N_("The fourth letter of a container number is U, J, Z or R."),
    Reason.CONTAINER_OTHER: N_("This is not an ISO 6346 container number. Domestic ones have their own."),
    Reason.VIN_LETTERS: N_("A VIN never has the letters I, O or Q. Compare with the digits 1 and 0."),
    Reason.VIN_LENGTH: N_("A VIN has 17 characters. Older vehicles may have a shorter chassis number."),
    Reason.IMO_SHAPE: N_("An IMO number has seven digits."),
    Reason.IMEI_SHAPE: N_("An IMEI has fifteen digits."),
    Reason.PLATE_OTHER: N_("The plate fits none of the forms known here."),
    Reason.WAGON_SHAPE: N_("A wagon number of the 1520 mm railways has eight digits."),
    Reason.WAGON_CHECK_DIGIT: N_("The last digit does not fit the other seven. Compare with the wagon."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``latin`` is how the text was read: Latin capitals and digits. ``countries`` is filled for plates only."""

    scheme: Scheme
    status: Status
    reason: Reason
    latin: str
    countries: tuple[str, ...] = ()


Finding = tuple[Status, Reason]


def check(scheme: Scheme, text: str) -> Verdict:
    """Judge a text as an identifier of this scheme.

    Cyrillic letters are read by look and by sound, and the reading the scheme likes better decides.
    """
    readings = latin_readings(text)
    if not readings[0]:
        return Verdict(scheme, Status.UNKNOWN, Reason.EMPTY, "")
    judge = _JUDGES[scheme]
    findings = [(*judge(latin), latin) for latin in readings]
    status, reason, latin = min(findings, key=lambda finding: _ORDER[finding[0]])
    return Verdict(scheme, status, reason, latin, plate_countries(latin) if scheme is Scheme.PLATE else ())


def verdict_text(verdict: Verdict) -> str:
    """The message id of one sentence that explains the verdict."""
    return _TEXTS[verdict.reason]


def _container(latin: str) -> Finding:
    if re.fullmatch(r"[A-Z]{3}[UJZR][0-9]{7}", latin):
        return _by_check_digit(fits=iso6346.calc_check_digit(latin[:-1]) == latin[-1])
    if re.fullmatch(r"[A-Z]{3}[UJZR][0-9]{6}", latin):
        return Status.MALFORMED, Reason.NO_CHECK_DIGIT
    if re.fullmatch(r"[A-Z]{4}[0-9]{7}", latin):
        return Status.MALFORMED, Reason.CONTAINER_CATEGORY
    return Status.UNKNOWN, Reason.CONTAINER_OTHER


def _vin(latin: str) -> Finding:
    """ISO 3779. The ninth character is a check digit by law only in North America (1 to 5) and China (L)."""
    if not re.fullmatch(r"[A-Z0-9]{17}", latin):
        return Status.UNKNOWN, Reason.VIN_LENGTH
    if re.search(r"[IOQ]", latin):
        return Status.MALFORMED, Reason.VIN_LETTERS
    if _vin_check_digit(latin) == latin[8]:
        return Status.OK, Reason.FITS
    if latin[0] in "12345L":
        return Status.MALFORMED, Reason.CHECK_DIGIT
    return Status.OK, Reason.SHAPE_FITS


def _vin_check_digit(vin: str) -> str:
    values = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    return "0123456789X"[sum(values[c] * weight for c, weight in zip(vin, weights, strict=True)) % 11]


def _imo(latin: str) -> Finding:
    """IMO resolution A.1117(30). Many ships carry a number whose check digit is wrong."""
    digits = latin.removeprefix("IMO")
    if not re.fullmatch(r"[0-9]{7}", digits):
        return Status.UNKNOWN, Reason.IMO_SHAPE
    return _by_check_digit(fits=imo.calc_check_digit(digits[:6]) == digits[6])


def _imei(latin: str) -> Finding:
    digits = latin.removeprefix("IMEI")
    if re.fullmatch(r"[0-9]{14}", digits):
        return Status.UNKNOWN, Reason.NO_CHECK_DIGIT
    if not re.fullmatch(r"[0-9]{15}", digits):
        return Status.UNKNOWN, Reason.IMEI_SHAPE
    return _by_check_digit(fits=luhn.is_valid(digits))


def _plate(latin: str) -> Finding:
    if plate_countries(latin):
        return Status.OK, Reason.SHAPE_FITS
    return Status.UNKNOWN, Reason.PLATE_OTHER


def _wagon(latin: str) -> Finding:
    """Eight digits; products with 2, 1, 2 … added digit by digit to a multiple of ten.

    The rule is general knowledge, not read in the railways' own instruction, so a misfit is only *unknown*.
    """
    if not re.fullmatch(r"[0-9]{8}", latin):
        return Status.UNKNOWN, Reason.WAGON_SHAPE
    products = (int(digit) * weight for digit, weight in zip(latin, (2, 1, 2, 1, 2, 1, 2, 1), strict=True))
    if sum(product // 10 + product % 10 for product in products) % 10:
        return Status.UNKNOWN, Reason.WAGON_CHECK_DIGIT
    return Status.OK, Reason.FITS


def _by_check_digit(*, fits: bool) -> Finding:
    return (Status.OK, Reason.FITS) if fits else (Status.MALFORMED, Reason.CHECK_DIGIT)


_ORDER = {Status.OK: 0, Status.MALFORMED: 1, Status.UNKNOWN: 2}

_JUDGES: dict[Scheme, Callable[[str], Finding]] = {
    Scheme.CONTAINER: _container,
    Scheme.VIN: _vin,
    Scheme.IMO: _imo,
    Scheme.IMEI: _imei,
    Scheme.PLATE: _plate,
    Scheme.WAGON: _wagon,
}
