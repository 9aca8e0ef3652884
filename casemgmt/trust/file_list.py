"""``metadata/files.csv``: for people, what each payload file was called and who received it when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemgmt.trust.table import parse_table, whole_number, write_table

PATH = "metadata/files.csv"


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


def write_files(rows: Iterable[FileRow]) -> bytes:
    return write_table(FileRow, rows)


def parse_files(data: bytes) -> list[FileRow]:
    """Raises `ManifestError` unless `data` is what `write_files` would write."""
    return parse_table(PATH, FileRow, _row, data)


def _row(values: Sequence[str]) -> FileRow:
    path, file, original_name, sha256, size, received_at, received_by = values
    return FileRow(path, file, original_name, sha256, whole_number(PATH, size), received_at, received_by)
