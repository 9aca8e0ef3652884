"""The numbers people read aloud, print on labels and type: digits and separators only, ending in a check digit.

    seizure       2026-0412-00137-9      year, unit, serial, check digit
    exhibit       2026-0412-00137-9/3    its seizure's number and its place in it
    case file     2026-0412-7-00021-0    year, unit, kind (7 case file, 8 hand-over, 9 package), serial, check digit

No letters: Cyrillic and Latin А В Е К М Н О Р С Т У Х look alike in print and differ in a computer.

The check digit is Damm's (H. M. Damm, 2004), over all digits before it, kind digit included. It catches every single
wrong digit and every swap of two neighbours, stays within the ten digits (ISO 7064 MOD 11-2 needs an X; MOD 11-10 and
Luhn miss some swaps), and is one 10 x 10 table, which a phone can carry (Verhoeff's needs two tables and positions).

Known limit: an exhibit's place, after the slash, is not covered. A wrong one names another exhibit of the same
seizure, which the description and the seal number on the label give away.

A serial has at least five digits and grows beyond when a unit needs it. The upper bound keeps a number readable
without its hyphens: a sixth serial digit is never 7, 8 or 9, which there would be a kind.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from stdnum import damm

from casemgmt.reference.messages import N_

LAST_SERIAL = 699_999
LAST_ITEM = 9_999


class Kind(StrEnum):
    SEIZURE = "seizure"
    EXHIBIT = "exhibit"
    CASE_FILE = "case_file"
    HANDOVER = "handover"
    PACKAGE = "package"


class Mistake(StrEnum):
    """Which part of a typed number cannot be right."""

    EMPTY = "empty"
    CHARACTER = "character"
    LAYOUT = "layout"
    YEAR = "year"
    UNIT = "unit"
    SERIAL = "serial"
    ITEM = "item"
    CHECK_DIGIT = "check_digit"


# Filled from TypingError.values by gettext's %-interpolation.
_MESSAGES = {
    Mistake.EMPTY: N_("Type the number."),
    Mistake.CHARACTER: N_("“%(found)s” cannot be part of a number. Numbers have only digits, hyphens and a slash."),
    Mistake.LAYOUT: N_("The number is not complete. It looks like 2026-0412-00137-9."),
    Mistake.YEAR: N_("The year “%(found)s” is wrong. The number begins with four digits of the year."),
    Mistake.UNIT: N_("The unit code “%(found)s” is wrong. It has four digits."),
    Mistake.SERIAL: N_("The serial number “%(found)s” is wrong. It has five digits, with its zeros."),
    Mistake.ITEM: N_("The exhibit “%(found)s” after the slash is wrong."),
    Mistake.CHECK_DIGIT: N_("One digit is wrong or two are swapped: the last digit does not fit the others."),
}

_KIND_DIGITS = {Kind.CASE_FILE: "7", Kind.HANDOVER: "8", Kind.PACKAGE: "9"}
_KIND_OF_DIGIT = {digit: kind for kind, digit in _KIND_DIGITS.items()}

_LONGEST_TYPED = 64
_PREFIX = re.compile(r"^(?:no\b\.?|n\b\.?|#)", re.IGNORECASE)  # NFKC writes the sign № as No
_SEPARATORS = re.compile(r"[\s._/\\|\-‐‑‒–—―−]+")
_LETTERS_FOR_DIGITS = str.maketrans("OoОоIlІіЗз", "0000111133")


class TypingError(ValueError):
    """The text is not one of our numbers, and which part is wrong.

    ``message`` is a message id whose placeholders are filled from ``values``.
    """

    def __init__(self, mistake: Mistake, found: str = "") -> None:
        self.mistake = mistake
        self.message = _MESSAGES[mistake]
        self.values = {"found": found}
        super().__init__(self.message % self.values)


@dataclass(frozen=True, slots=True)
class Number:
    """One of our numbers. ``str()`` is the form to print and store; making an impossible one is a TypingError."""

    kind: Kind
    year: int
    unit: str
    serial: int
    item: int | None = None

    def __post_init__(self) -> None:
        if not 2000 <= self.year <= 2199:
            _refuse(Mistake.YEAR, str(self.year))
        if not re.fullmatch(r"[0-9]{4}", self.unit):
            _refuse(Mistake.UNIT, self.unit)
        if not 1 <= self.serial <= LAST_SERIAL:
            _refuse(Mistake.SERIAL, str(self.serial))
        if (self.kind is Kind.EXHIBIT) != (self.item is not None):
            _refuse(Mistake.LAYOUT)
        if self.item is not None and not 1 <= self.item <= LAST_ITEM:
            _refuse(Mistake.ITEM, str(self.item))

    @property
    def groups(self) -> tuple[str, ...]:
        """The hyphenated parts before the check digit."""
        kind = _KIND_DIGITS.get(self.kind)
        return (f"{self.year}", self.unit, *([kind] if kind else []), f"{self.serial:05}")

    @property
    def check_digit(self) -> str:
        return damm.calc_check_digit("".join(self.groups))

    @property
    def digits(self) -> str:
        """The number without hyphens, as search compares it; an exhibit keeps its slash."""
        return "".join(self.groups) + self.check_digit + self._item_suffix()

    @property
    def seizure(self) -> Number:
        """The seizure an exhibit belongs to."""
        if self.kind is not Kind.EXHIBIT:
            raise ValueError(f"{self} is not an exhibit's number")
        return Number(Kind.SEIZURE, self.year, self.unit, self.serial)

    def __str__(self) -> str:
        return "-".join((*self.groups, self.check_digit)) + self._item_suffix()

    def _item_suffix(self) -> str:
        return "" if self.item is None else f"/{self.item}"


def make(kind: Kind, *, year: int, unit: str, serial: int) -> str:
    """The number to print, for everything but exhibits: those take theirs from the seizure, ``make_exhibit``."""
    return str(Number(kind, year, unit, serial))


def make_exhibit(seizure_number: str, item: int) -> str:
    """The number of the exhibit that is the ``item``-th of its seizure, counted from 1."""
    seizure = parse(seizure_number)
    if seizure.kind is not Kind.SEIZURE:
        raise ValueError(f"{seizure} is not a seizure's number")
    return str(Number(Kind.EXHIBIT, seizure.year, seizure.unit, seizure.serial, item))


def check(text: str) -> bool:
    """Whether the text, however typed, is one of our numbers."""
    return typing_error(text) is None


def typing_error(text: str) -> TypingError | None:
    """What is wrong with a typed number, to show beside its field; None when nothing is."""
    try:
        parse(text)
    except TypingError as error:
        return error
    return None


def parse(text: str) -> Number:
    """Read a number as people type it, or raise TypingError.

    Understood: spaces, slashes, dots and every kind of dash as separators, or none at all; a leading №; digits of any
    script; the letters O, I, l and З typed for 0, 1 and 3; left-out leading zeros of the unit and of the serial.
    With the zeros left out and a hyphen before the place, an exhibit may look like a case file
    (2026-0412-7-4-3): that one is refused, not guessed.
    """
    match _digit_groups(text):
        case [solid, *item] if len(solid) in {14, 15, 16} and len(item) <= 1:
            return _from_solid(solid, *item)
        case [year, unit, serial, check_digit]:
            typed = _Typed(Kind.SEIZURE, year, unit, serial, check_digit)
        case [year, unit, kind, serial, check_digit] if kind in _KIND_OF_DIGIT:
            if len(serial) == 1:
                _refuse(Mistake.SERIAL, serial)
            typed = _Typed(_KIND_OF_DIGIT[kind], year, unit, serial, check_digit)
        case [year, unit, serial, check_digit, item]:
            typed = _Typed(Kind.EXHIBIT, year, unit, serial, check_digit, item)
        case _:
            raise TypingError(Mistake.LAYOUT)
    return typed.checked()


def digits_typed(text: str) -> str | None:
    """All digits of a text that has only digits and separators, so perhaps part of a number; otherwise None."""
    try:
        return "".join(_digit_groups(text))
    except TypingError:
        return None


def _digit_groups(text: str) -> list[str]:
    # The length is looked at first: int() of a few thousand digits is an error of its own kind.
    if len(text) > _LONGEST_TYPED:
        _refuse(Mistake.LAYOUT)
    plain = _PREFIX.sub("", unicodedata.normalize("NFKC", text).strip()).translate(_LETTERS_FOR_DIGITS)
    groups = [group for group in _SEPARATORS.split(plain) if group]
    if not groups:
        _refuse(Mistake.EMPTY)
    return ["".join(map(_digit, group)) for group in groups]


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is None:
        _refuse(Mistake.CHARACTER, character if character.isprintable() else "�")
    return str(value)


def _from_solid(digits: str, item: str | None = None) -> Number:
    """Fourteen digits are a seizure; after the unit, 7, 8 or 9 with a fifteenth digit is a kind."""
    year, unit, check_digit = digits[:4], digits[4:8], digits[-1]
    kind = _KIND_OF_DIGIT.get(digits[8]) if len(digits) > 14 else None
    if kind is not None and item is None:
        return _Typed(kind, year, unit, digits[9:-1], check_digit).checked()
    return _Typed(Kind.EXHIBIT if item else Kind.SEIZURE, year, unit, digits[8:-1], check_digit, item).checked()


@dataclass(frozen=True, slots=True)
class _Typed:
    """The parts of a number as typed, digits only, not yet known to be right."""

    kind: Kind
    year: str
    unit: str
    serial: str
    check_digit: str
    item: str | None = None

    def checked(self) -> Number:
        if len(self.year) != 4:
            _refuse(Mistake.YEAR, self.year)
        if len(self.serial) > 6 or (len(self.serial) == 6 and self.serial[0] == "0"):
            _refuse(Mistake.SERIAL, self.serial)
        item = None if self.item is None else int(self.item)
        number = Number(self.kind, int(self.year), self.unit.zfill(4), int(self.serial), item)
        if self.check_digit != number.check_digit:
            _refuse(Mistake.CHECK_DIGIT)
        return number


def _refuse(mistake: Mistake, found: str = "") -> NoReturn:
    raise TypingError(mistake, found)
