"""What is said of a file before its bytes come."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

Kind = Literal["photo", "file"]
"""``photo``: the bytes must be a picture or a film. ``file``: any bytes."""


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file about to be received. ``client_id`` is made by the sender and stays the same when it sends again.

    All but the ids are claims: names may be hostile, hashes wrong. ``declared_sha256`` is 64 hexadecimal digits;
    ``size`` in bytes where the sender says it; the place in degrees (WGS 84), its accuracy in metres. At least one of
    ``seizure_id`` and ``exhibit_id``; without an exhibit the file belongs to the seizure as a whole. ``shows``: a code
    of the list of photo points, for what a photograph is said to show.
    """

    client_id: UUID
    seizure_id: int | None = None
    exhibit_id: int | None = None
    kind: Kind = "file"
    name: str = ""
    declared_type: str = ""
    declared_sha256: str | None = None
    size: int | None = None
    device_at: datetime | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: Decimal | None = None
    shows: str | None = None


class NewShowing(msgspec.Struct, frozen=True, kw_only=True):
    """What a received photograph shows, in the words of whoever saw it: a photo point, or None for none of them."""

    shows: str | None
    device_at: datetime | None = None
