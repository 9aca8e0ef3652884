"""Short opaque codes for addresses and QR codes, so that record numbers cannot be walked.

A code is not a secret and never an authorization: what it names is still loaded under row-level
security. Each kind of record has an alphabet order of its own, so a seizure's code names no exhibit.
"""

from __future__ import annotations

from hashids import Hashids

from casemgmt.core.errors import NotFound

MIN_LENGTH = 8
MAX_LENGTH = 20  # of the longest code of a 64-bit id there are fewer; decoding takes time with the length
_TOO_BIG = 1 << 63  # PostgreSQL has no such id


class Codes:
    """Encodes and decodes record ids. ``salt`` must stay the same for the life of the installation."""

    def __init__(self, salt: str) -> None:
        self._salt = salt
        self._kinds: dict[str, Hashids] = {}

    def _of(self, kind: str) -> Hashids:
        if kind not in self._kinds:
            self._kinds[kind] = Hashids(salt=f"{self._salt}/{kind}", min_length=MIN_LENGTH)
        return self._kinds[kind]

    def encode(self, kind: str, id_: int) -> str:
        return str(self._of(kind).encode(id_))

    def decode(self, kind: str, code: str) -> int:
        """The id behind a code. Raises NotFound for anything that is not a code of this kind."""
        found: tuple[int, ...] = self._of(kind).decode(code) if len(code) <= MAX_LENGTH else ()
        if len(found) != 1 or found[0] >= _TOO_BIG:
            raise NotFound
        return int(found[0])
