"""Reading urlencoded forms: bounded, in UTF-8, with names like ``exhibits-0-quantity`` for lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from litestar import Request

from casemgmt.core.errors import Invalid, TooLarge
from casemgmt.core.i18n import N_

MAX_BYTES = 256 << 10
MAX_FIELDS = 1000

Fields = dict[str, list[str]]


async def read_urlencoded(request: Request[Any, Any, Any]) -> Fields:
    """The fields of an urlencoded body. Raises TooLarge or Invalid; never reads more than MAX_BYTES."""
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BYTES:
        raise TooLarge
    body = await request.body()  # bounded by the application's request_max_body_size
    if len(body) > MAX_BYTES:
        raise TooLarge
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError) as error:
        raise Invalid({}, N_("The form could not be read.")) from error


def first(fields: Fields, name: str, default: str = "") -> str:
    values = fields.get(name)
    return values[0] if values else default


def nested(fields: Fields, *, many: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Fields as one mapping: ``a-0-b`` becomes ``{"a": [{"b": ...}]}``; names in ``many`` keep all values.

    Numbers in names only order the entries: gaps left by removed rows close up. An entry whose
    values are all blank is left out, so an unused row of a form says nothing.
    """
    plain: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, str]]] = {}
    for name, values in fields.items():
        head, _, rest = name.partition("-")
        index, _, leaf = rest.partition("-")
        if leaf and index.isascii() and index.isdigit() and len(index) <= 4:
            rows.setdefault(head, {}).setdefault(int(index), {})[leaf] = values[0]
        elif name in many:
            plain[name] = values
        else:
            plain[name] = values[0]
    for head, entries in rows.items():
        plain[head] = [entry for _, entry in sorted(entries.items()) if any(v.strip() for v in entry.values())]
    return plain
