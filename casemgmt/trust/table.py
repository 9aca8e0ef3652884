"""The one form of the CSV files in a package: UTF-8, a header line, every value quoted, rows of one kind."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, fields
from typing import Any, TypeVar

from casemgmt.trust.encoding import from_utf8, shown
from casemgmt.trust.errors import EncodingError, ManifestError

_Row = TypeVar("_Row")

_GUARDED = ("=", "+", "-", "@", "'")


def write_table(kind: type[Any], rows: Iterable[Any]) -> bytes:
    """The rows, all of the dataclass `kind`, whose fields are the columns.

    A value beginning with = + - @ or ' gets a ' in front: a spreadsheet program would run the
    first four as a formula, and file names come from strangers.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([column.name for column in fields(kind)])
    writer.writerows([_guarded(str(value)) for value in astuple(row)] for row in rows)
    try:
        return text.getvalue().encode("utf-8")
    except UnicodeEncodeError as error:
        raise ManifestError("text with half a surrogate pair") from error


def parse_table(path: str, kind: type[_Row], read: Callable[[Sequence[str]], _Row], data: bytes) -> list[_Row]:
    """Rows in order; `read` makes one from its values or raises `ManifestError`.

    Raises `ManifestError` unless `data` is what `write_table` would write for them.
    """
    columns = len(fields(kind))  # type: ignore[arg-type]
    try:
        lines = list(csv.reader(io.StringIO(from_utf8(data), newline=""), strict=True))
    except (csv.Error, EncodingError) as error:
        raise ManifestError(f"{path}: {error}") from error
    rows = []
    for line in lines[1:]:
        if len(line) != columns:
            raise ManifestError(f"{path}: not a row: {shown(repr(line))}")
        rows.append(read([value.removeprefix("'") for value in line]))
    if write_table(kind, rows) != data:
        raise ManifestError(f"{path} is not written as agreed")
    return rows


def whole_number(path: str, text: str) -> int:
    """A number as a column holds it."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ManifestError(f"{path}: not a number: {shown(text)}")
    return int(text)


def _guarded(value: str) -> str:
    return "'" + value if value.startswith(_GUARDED) else value
