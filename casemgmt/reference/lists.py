"""The code lists: what may be chosen in a form, and what a stored code means.

Each list is one file in ``data/``, with a note of its source. A code keeps its meaning for ever. It is retired by a
last day, never removed, so an old record can always be read, and a record of an earlier day offers the codes of
that day.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Generic, Literal, TypeVar

from casemgmt.reference.identifiers import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``label`` is a message id. ``valid_from`` and ``valid_to`` are the first and the last day; None is open."""

    code: str
    label: str
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Item):
    """What was seized. ``units`` are those it may be measured in, the default one among them.

    ``first`` puts it on the first screen of the phone, where there is room for six. ``examined``: usually found in
    loads, so that the photo checklist of an examination is offered (``checklist``).
    """

    icon: str
    default_unit: str
    units: tuple[str, ...]
    first: bool = False
    examined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit(Item):
    """``whole`` units have no fractions: a quantity of 2.5 pieces is a typing error."""

    dimension: str
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis(Item):
    """How a quantity was found. Without ``has_quantity`` the quantity stays empty."""

    has_quantity: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Conveyance(Item):
    """``identifiers`` are the checks for what is written on it, the usual one first; empty when none fits.

    ``examined``: it has a hold that is unloaded, and the photo checklist asks for it.
    """

    identifiers: tuple[Scheme, ...] = ()
    examined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection(Item):
    """How it was found. ``examined``: by looking inside something."""

    examined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoPoint(Item):
    """What a photograph of an examination is to show; the order of the list is that of taking them. Advice: whatever is
    missing is told and nothing waits for it.

    ``certainty``: "source" where a text was read that asks for it, "unverified" where it is general knowledge.
    ``hold`` points make sense only where a conveyance is unloaded.
    """

    certainty: Literal["source", "unverified"]
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealState(Item):
    """``observed`` states are what a person can see and choose; the others follow from the record."""

    observed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoned(Item):
    """A choice that, when ``needs_note``, says nothing without a sentence beside it."""

    needs_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStatus(Item):
    """``next`` are the statuses a case may go to from here."""

    next: tuple[str, ...] = ()


ItemT = TypeVar("ItemT", bound=Item)


class UnknownCodeError(LookupError):
    """No such list, or no such code in it, on any day."""


@dataclass(frozen=True, slots=True)
class CodeList(Generic[ItemT]):
    name: str
    item_type: type[ItemT]

    def choices(self, on: date) -> list[ItemT]:
        """What may be chosen for something that happened on that day, in the order to offer it."""
        return [item for item in self.items().values() if item.is_valid(on)]

    def get(self, code: str) -> ItemT:
        """The meaning of a code, in force or retired; UnknownCodeError when there never was one."""
        try:
            return self.items()[code]
        except KeyError:
            raise UnknownCodeError(f"{self.name} has no code {code!r}") from None

    def may_choose(self, code: str, on: date) -> bool:
        item = self.items().get(code)
        return item is not None and item.is_valid(on)

    def items(self) -> dict[str, ItemT]:
        return _load(self)


CATEGORIES = CodeList("categories", Category)
UNITS = CodeList("units", Unit)
QUANTITY_BASES = CodeList("quantity_bases", Basis)
DETECTION_METHODS = CodeList("detection_methods", Detection)
DIRECTIONS = CodeList("directions", Item)
PARTICIPANT_ROLES = CodeList("participant_roles", Reasoned)
CONVEYANCES = CodeList("conveyances", Conveyance)
PHOTO_POINTS = CodeList("photo_points", PhotoPoint)
SEAL_KINDS = CodeList("seal_kinds", Item)
SEAL_STATES = CodeList("seal_states", SealState)
HANDOVER_PURPOSES = CodeList("handover_purposes", Item)
REFUSAL_REASONS = CodeList("refusal_reasons", Reasoned)
DISPUTE_REASONS = CodeList("dispute_reasons", Item)
DISPUTE_OUTCOMES = CodeList("dispute_outcomes", Item)
AGENCY_KINDS = CodeList("agency_kinds", Item)
APPOINTMENT_KINDS = CodeList("appointment_kinds", Item)
CASE_STATUSES = CodeList("case_statuses", CaseStatus)
LINK_REASONS = CodeList("link_reasons", Reasoned)
GRANT_PURPOSES = CodeList("grant_purposes", Reasoned)
CURRENCIES = CodeList("currencies", Item)
MEDIA_HANDLING = CodeList("media_handling", Item)
KEY_REVOCATIONS = CodeList("key_revocations", Reasoned)
WITHHOLDING_REASONS = CodeList("withholding_reasons", Reasoned)

ALL: dict[str, CodeList[Item]] = {
    code_list.name: code_list  # type: ignore[misc]  # a list of a subclass, read only
    for code_list in (
        CATEGORIES,
        UNITS,
        QUANTITY_BASES,
        DETECTION_METHODS,
        DIRECTIONS,
        PARTICIPANT_ROLES,
        CONVEYANCES,
        PHOTO_POINTS,
        SEAL_KINDS,
        SEAL_STATES,
        HANDOVER_PURPOSES,
        REFUSAL_REASONS,
        DISPUTE_REASONS,
        DISPUTE_OUTCOMES,
        AGENCY_KINDS,
        APPOINTMENT_KINDS,
        CASE_STATUSES,
        LINK_REASONS,
        GRANT_PURPOSES,
        CURRENCIES,
        MEDIA_HANDLING,
        KEY_REVOCATIONS,
        WITHHOLDING_REASONS,
    )
}


def choices(list_name: str, on: date) -> list[Item]:
    """``CodeList.choices`` for a list named in a template or an address."""
    return _named(list_name).choices(on)


def get(list_name: str, code: str) -> Item:
    """``CodeList.get`` for a list named in a template or an address."""
    return _named(list_name).get(code)


def _named(list_name: str) -> CodeList[Item]:
    try:
        return ALL[list_name]
    except KeyError:
        raise UnknownCodeError(f"there is no list {list_name!r}") from None


@cache
def _load(code_list: CodeList[ItemT]) -> dict[str, ItemT]:
    source = files("casemgmt.reference").joinpath("data", f"{code_list.name}.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(source)["item"]
    items = [code_list.item_type(**{key: _frozen(key, value) for key, value in row.items()}) for row in rows]
    return {item.code: item for item in items}


def _frozen(key: str, value: Any) -> Any:
    if key == "identifiers" and isinstance(value, list):
        return tuple(Scheme(name) for name in value)
    return tuple(value) if isinstance(value, list) else value
