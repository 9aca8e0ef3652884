"""One reading of input for forms and JSON alike: a msgspec struct, or words beside each field.

``msgspec`` stops at the first error and speaks English; people need all of them, in their language.
So each field is converted on its own and the errors are gathered under dotted names
(``exhibits.0.quantity``).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_, Text

T = TypeVar("T", bound=msgspec.Struct)


def parse(type_: type[T], raw: Mapping[str, Any], *, lax: bool) -> T:
    """``raw`` as ``type_``. ``lax`` reads forms: numbers from text, blank text as absent.

    Raises Invalid with every field that does not fit; unknown names are ignored in forms and refused
    in JSON.
    """
    errors: dict[str, Text] = {}
    value = _struct(type_, raw, "", lax, errors)
    if errors:
        raise Invalid(errors)
    return typing.cast("T", value)


def _struct(type_: type[msgspec.Struct], raw: object, path: str, lax: bool, errors: dict[str, Text]) -> Any:
    if not isinstance(raw, Mapping):
        errors[path or "body"] = N_("This must be an object with named fields.")
        return None
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(type_):
        name = f"{path}{field.encode_name}"
        present = field.encode_name in raw
        given = raw.get(field.encode_name)
        if lax and isinstance(given, str):
            given = given.strip()
            if given == "" and not field.required:
                present = False
        if not present:
            if field.required:
                errors[name] = N_("Fill this in.")
            continue
        if lax and given == "":
            errors[name] = N_("Fill this in.")
            continue
        values[field.name] = _value(field.type, given, name, lax, errors)
    if not lax:
        known = {f.encode_name for f in msgspec.structs.fields(type_)}
        for unknown in raw.keys() - known:
            errors[f"{path}{unknown}"] = N_("This field is not known here.")
    if errors:
        return None
    return type_(**values)


def _value(type_: Any, given: Any, name: str, lax: bool, errors: dict[str, Text]) -> Any:
    plain = _without_none(type_)
    if given is None and plain is not type_:
        return None
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return _struct(plain, given, f"{name}.", lax, errors)
    item = _struct_item(plain)
    if item is not None:
        if not isinstance(given, list):
            errors[name] = N_("This must be a list.")
            return None
        limit = _max_length(plain)
        if limit is not None and len(given) > limit:
            errors[name] = N_("At most %(limit)s of these at once.", limit=limit)
            return None
        return [_struct(item, element, f"{name}.{i}.", lax, errors) for i, element in enumerate(given)]
    try:
        value = msgspec.convert(_decimal(given) if lax else given, type_, strict=not lax)
    except msgspec.ValidationError as error:
        errors[name] = _words(str(error))
        return None
    if words := _unstorable(value):
        errors[name] = words
    return value


_LONG = 1 << 63  # PostgreSQL's bigint ends below it
_DIGITS = 60  # before or after the point: no quantity, place or sum is so large or so fine


def _unstorable(value: object) -> Text | None:
    """What is wrong with a well-formed value that neither PostgreSQL nor a calendar can hold."""
    match value:
        case str() if "\x00" in value:
            return N_("The text holds a character that cannot be stored.")
        case int() if not -_LONG <= value < _LONG:
            return N_("This must be a whole number in the allowed range.")
        case Decimal() if value.is_finite() and not _is_written_out(value):
            return N_("This must be a number, for example 12.5.")
        case date() if not 1900 <= value.year < 9999:  # datetimes too: a zone must not move them out of the calendar
            return N_("This is not a date and time.")
        case list():
            return next(filter(None, map(_unstorable, value)), None)
    return None


def _decimal(given: Any) -> Any:
    # phones in this region write 12,5
    if isinstance(given, str) and given.count(",") == 1 and given.replace(",", "").replace("-", "").isdigit():
        return given.replace(",", ".")
    return given


def _without_none(type_: Any) -> Any:
    if typing.get_origin(type_) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(type_) if a is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return type_


def _bare(type_: Any) -> Any:
    return typing.get_args(type_)[0] if typing.get_origin(type_) is typing.Annotated else type_


def _struct_item(type_: Any) -> type[msgspec.Struct] | None:
    bare = _bare(type_)
    if typing.get_origin(bare) is list:
        (item,) = typing.get_args(bare)
        if isinstance(item, type) and issubclass(item, msgspec.Struct):
            return item
    return None


def _max_length(type_: Any) -> int | None:
    if typing.get_origin(type_) is typing.Annotated:
        for meta in typing.get_args(type_)[1:]:
            if isinstance(meta, msgspec.Meta) and meta.max_length is not None:
                return meta.max_length
    return None


def _is_written_out(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_DIGITS and max(value.adjusted(), exponent) <= _DIGITS


# msgspec's own sentences, by how they begin
_SENTENCES: tuple[tuple[str, Text], ...] = (
    ("Expected `str` of length <=", N_("This is too long.")),
    ("Expected `str` of length >=", N_("Fill this in.")),
    ("Expected `array` of length", N_("This list has too many or too few entries.")),
    ("Expected `str` matching", N_("This is not written in the expected form.")),
    ("Expected `int`", N_("This must be a whole number in the allowed range.")),
    ("Expected `float`", N_("This must be a number in the allowed range.")),
    ("Expected `decimal`", N_("This must be a number, for example 12.5.")),
    ("Invalid decimal", N_("This must be a number, for example 12.5.")),
    ("Expected `datetime`", N_("This is not a date and time.")),
    ("Invalid RFC3339", N_("This is not a date and time.")),
    ("Invalid UUID", N_("This is not a valid identifier.")),
    ("Invalid enum value", N_("Choose one of the given values.")),
    ("Expected `bool`", N_("Say yes or no.")),
)


def _words(sentence: str) -> Text:
    for beginning, words in _SENTENCES:
        if sentence.startswith(beginning):
            return words
    return N_("This does not fit here.")
