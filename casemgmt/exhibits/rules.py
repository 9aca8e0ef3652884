"""What an exhibit must be, and whether its chain of custody is whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from casemgmt.core.i18n import N_, Text, gettext
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.reference.lists import CATEGORIES, CURRENCIES, QUANTITY_BASES, UNITS
from casemgmt.trust.errors import EventError
from casemgmt.trust.events import EXHIBIT_STREAM, Event

MOST = 20  # exhibits of one registration; more come in a second one
_CHOOSE = N_("Choose one of the given values.")


def with_basis(data: NewExhibit) -> str:
    """How the quantity was found, where that follows from the rest; "" where only a person can say."""
    if data.basis:
        return data.basis
    if data.quantity is None:
        return "not_weighed"
    unit = UNITS.items().get(data.unit or "")
    return "counted" if unit is not None and unit.whole else ""


def check(data: NewExhibit, day: date) -> dict[str, Text]:
    """What is wrong with an exhibit recorded on ``day``, by field name."""
    errors: dict[str, Text] = {}
    if not CATEGORIES.may_choose(data.category, day):
        return {"category": _CHOOSE}
    errors |= _check_quantity(data, day)
    errors |= _check_value(data, day)
    return errors


def _check_quantity(data: NewExhibit, day: date) -> dict[str, Text]:
    basis = with_basis(data)
    if not basis:
        return {"basis": N_("Say how it was measured: gross, net or estimated.")} if data.unit else _unit_missing()
    if not QUANTITY_BASES.may_choose(basis, day):
        return {"basis": _CHOOSE}
    if not QUANTITY_BASES.get(basis).has_quantity:
        wrong = N_("A thing not weighed or counted yet has no quantity.")
        return {"quantity": wrong} if data.quantity is not None else {}
    if data.quantity is None:
        return {"quantity": N_("Give the quantity, or say that it was not weighed or counted yet.")}
    if not data.unit:
        return _unit_missing()
    if not fits(data.quantity, whole=12, decimals=6) or data.quantity <= 0:
        return {"quantity": N_("The quantity must be greater than zero, with at most 6 decimals.")}
    if not UNITS.may_choose(data.unit, day):
        return {"unit": _CHOOSE}
    if data.unit not in CATEGORIES.get(data.category).units:
        return {"unit": N_("This kind of goods is not measured in this unit.")}
    if UNITS.get(data.unit).whole and data.quantity != data.quantity.to_integral_value():
        return {"quantity": N_("This unit is counted in whole numbers.")}
    return {}


def _unit_missing() -> dict[str, Text]:
    return {"unit": N_("Choose the unit of the quantity.")}


def _check_value(data: NewExhibit, day: date) -> dict[str, Text]:
    if data.value is None:
        return {}
    if not fits(data.value, whole=16, decimals=2) or data.value < 0:
        return {"value": N_("A sum of money has at most two decimals and is not negative.")}
    if not data.currency:
        return {"currency": N_("Choose the currency.")}
    return {} if CURRENCIES.may_choose(data.currency, day) else {"currency": _CHOOSE}


def fits(value: Decimal, *, whole: int, decimals: int) -> bool:
    """Can the number be kept exactly as it was written, with these many digits before and after the point?"""
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= decimals and value.adjusted() < whole


def searchable_words(data: NewExhibit, number: str, labels: Sequence[str]) -> str:
    """The text whose words find the exhibit: what it is in every language, how it was described, its numbers."""
    return " ".join((*labels, data.description, number, data.seal or ""))


def label_lines(*, number: str, what: str, quantity: str, seal: str | None, officer: str, taken: str) -> list[str]:
    """The text of a label, line by line. It names no person but the officer."""
    lines = [number, what]
    if quantity:
        lines.append(quantity)
    if seal:
        lines.append(gettext("Seal %(number)s", number=seal))
    return [*lines, officer, taken]


@dataclass(frozen=True, slots=True)
class Link:
    """A custody event as its table has it."""

    seq: int
    hash: bytes
    prev: bytes | None


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first custody event that does not hold, and why."""

    seq: int
    why: Text


def find_break(
    number: str, head: tuple[int, bytes], links: Sequence[Link], bodies: Mapping[int, bytes]
) -> ChainBreak | None:
    """Recompute the chain of the exhibit ``number`` from the exact bytes of its events; None when it is whole.

    ``links`` are the custody rows in order, ``bodies`` the ledger's entries by number, ``head`` what the exhibit itself
    says of its last event.
    """
    prev: bytes | None = None
    for seq, link in enumerate(links, 1):
        if link.seq != seq or seq not in bodies:
            return ChainBreak(seq, N_("An event is missing."))
        try:
            event = Event.parse(bodies[seq])
        except EventError:
            return ChainBreak(seq, N_("The entry in the ledger cannot be read."))
        if event.hash != link.hash:
            return ChainBreak(seq, N_("The entry in the ledger is not the one that was recorded."))
        named = bytes.fromhex(event.prev) if event.prev else None
        if event.stream != EXHIBIT_STREAM + number or event.seq != seq or not named == link.prev == prev:
            return ChainBreak(seq, N_("The event does not name the one before it."))
        prev = event.hash
    if (len(links), prev) != head or len(bodies) != len(links):
        return ChainBreak(len(links) + 1, N_("The record and its last event do not agree."))
    return None
