"""Canonical JSON (RFC 8785) for the values ledger events are made of.

Objects, arrays, text, true, false, null and whole numbers within +-(2**53 - 1).  Fractions are
refused: an amount is written as text ("12.50"), so that no two readers can round it differently.
Within these values the bytes equal those of any RFC 8785 implementation.
"""

import json
from json.encoder import encode_basestring
from typing import NoReturn

from casemgmt.trust.encoding import from_utf8, shown
from casemgmt.trust.errors import EventError

MAX_INTEGER = 2**53 - 1


def canonical_json(value: object) -> bytes:
    """The one spelling of `value`; raises `EventError` for a value outside the subset."""
    parts: list[str] = []
    try:
        _write(value, parts)
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError as error:
        raise EventError("text with half a surrogate pair") from error
    except RecursionError as error:
        raise EventError("nested too deeply") from error


def parse_canonical(data: bytes) -> object:
    """The value of `data`; raises `EventError` unless `data` is exactly its one spelling."""
    try:
        value = json.loads(
            from_utf8(data), object_pairs_hook=_object, parse_float=_refuse_number, parse_constant=_refuse_number
        )
    except (ValueError, RecursionError) as error:
        raise EventError(f"not JSON: {error}") from error
    if canonical_json(value) != data:
        raise EventError("JSON, but not in its canonical form (RFC 8785)")
    return value


def _write(value: object, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        parts.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise EventError(f"the number {shown(str(value))} is too large for every reader to keep exactly")
        parts.append(str(value))
    elif isinstance(value, dict):
        _write_object(value, parts)
    elif isinstance(value, list | tuple):
        parts.append("[")
        for position, item in enumerate(value):
            parts.append("," if position else "")
            _write(item, parts)
        parts.append("]")
    else:
        raise EventError(f"a {type(value).__name__} has no place in an event; write it as text")


def _write_object(value: dict[object, object], parts: list[str]) -> None:
    names = [name for name in value if isinstance(name, str)]
    if len(names) != len(value):
        raise EventError("an object whose names are not all text")
    parts.append("{")
    for position, name in enumerate(sorted(names, key=_utf16)):
        parts.append("," if position else "")
        _write(name, parts)
        parts.append(":")
        _write(value[name], parts)
    parts.append("}")


def _utf16(name: str) -> bytes:
    """RFC 8785 section 3.2.3: names are ordered by their UTF-16 code units."""
    return name.encode("utf-16-be")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise EventError("an object with the same name twice")
    return value


def _refuse_number(text: str) -> NoReturn:
    raise EventError(f"not a whole number: {shown(text)}")
