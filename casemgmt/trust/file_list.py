"""``metadata/files.csv``: for people, what each payload file was called and who received it when."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from casemgmt.trust.encoding import from_utf8, shown
from casemgmt.trust.errors import EncodingError, ManifestError

PATH = "metadata/files.csv"

_GUARDED = ("=", "+", "-", "@", "'")


@dataclass(frozen=True, slots=True)
class FileRow:
    """All but `path` repeats what the event that received the file says; see `receipts.file_row`."""

    path: str
    file: str
    original_name: str
    sha256: str
    size: int
    received_at: str
    received_by: str


_COLUMNS = [column.name for column in fields(FileRow)]


def write_files(rows: Iterable[FileRow]) -> bytes:
    """UTF-8 with a header line, every value quoted.

    A value beginning with = + - @ or ' gets a ' in front: a spreadsheet program would run the
    first four as a formula, and file names come from strangers.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_guarded(str(value)) for value in astuple(row)] for row in rows)
    try:
        return text.getvalue().encode("utf-8")
    except UnicodeEncodeError as error:
        raise ManifestError("a file name with half a surrogate pair") from error


def parse_files(data: bytes) -> list[FileRow]:
    """Rows in order; raises `ManifestError` unless `data` is what `write_files` would write for them."""
    try:
        lines = list(csv.reader(io.StringIO(from_utf8(data), newline=""), strict=True))
        rows = [_row([value.removeprefix("'") for value in line]) for line in lines[1:]]
    except (csv.Error, EncodingError) as error:
        raise ManifestError(f"{PATH}: {error}") from error
    if write_files(rows) != data:
        raise ManifestError(f"{PATH} is not written as agreed")
    return rows


def _row(values: list[str]) -> FileRow:
    if len(values) != len(_COLUMNS) or not (values[4].isascii() and values[4].isdigit() and len(values[4]) < 20):
        raise ManifestError(f"{PATH}: not a row: {shown(repr(values))}")
    path, file, original_name, sha256, size, received_at, received_by = values
    return FileRow(path, file, original_name, sha256, int(size), received_at, received_by)


def _guarded(value: str) -> str:
    return "'" + value if value.startswith(_GUARDED) else value
