"""``metadata/withheld.csv``: what a package leaves out on purpose, why, and the hashes it cannot be changed behind.

A withheld file is named by the entry that received it; a withheld entry by its leaf hash, which stands in the
ledger like any other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemgmt.trust.encoding import is_hash_hex, shown
from casemgmt.trust.errors import ManifestError
from casemgmt.trust.events import PASSKEY_STREAM, Unread
from casemgmt.trust.manifest import PAYLOAD, check_path
from casemgmt.trust.table import parse_table, whole_number, write_table

PATH = "metadata/withheld.csv"

FILE, ENTRY = "file", "entry"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WithheldRow:
    """`sha256` and `size` are of the bytes that would lie at `path`; the next four name an entry of the ledger."""

    kind: str
    path: str
    sha256: str
    size: int
    index: int
    leaf_hash: str
    stream: str
    seq: int
    code: str
    reason: str

    @property
    def unread(self) -> Unread:
        """The place in its chain that a withheld entry keeps."""
        return Unread(self.stream, self.seq, bytes.fromhex(self.leaf_hash))


def write_withheld(rows: Iterable[WithheldRow]) -> bytes:
    """Files in order of path, then entries in order of index."""
    return write_table(WithheldRow, sorted(rows, key=_order))


def parse_withheld(data: bytes) -> list[WithheldRow]:
    """Raises `ManifestError` unless `data` is what `write_withheld` would write, with nothing twice."""
    rows = parse_table(PATH, WithheldRow, _row, data)
    if sorted(rows, key=_order) != rows or len({row.path for row in rows}) != len(rows) or not rows:
        raise ManifestError(f"{PATH} is empty, names something twice or is not in order")
    return rows


def _order(row: WithheldRow) -> tuple[bool, str, int]:
    return (False, row.path, 0) if row.kind == FILE else (True, "", row.index)


def _row(values: Sequence[str]) -> WithheldRow:
    kind, path, sha256, size, index, leaf_hash, stream, seq, code, reason = values
    sizes = [whole_number(PATH, text) for text in (size, index, seq)]
    row = WithheldRow(kind, path, sha256, sizes[0], sizes[1], leaf_hash, stream, sizes[2], code, reason)
    own = f"ledger/{row.index}.event" if kind == ENTRY else check_path(path)
    if (
        kind not in (FILE, ENTRY)
        or path != own
        or (kind == FILE and not path.startswith(PAYLOAD))
        or not (is_hash_hex(sha256) and is_hash_hex(leaf_hash) and _CODE.fullmatch(code))
        or not stream
        or row.seq < 1
    ):
        raise ManifestError(f"{PATH}: not a row: {shown(repr(values))}")
    if kind == ENTRY and stream.startswith(PASSKEY_STREAM):
        raise ManifestError(f"{PATH}: what is recorded about a signer's passkeys cannot be withheld")
    return row
