"""What comes in about packages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

Reason = Annotated[str, msgspec.Meta(min_length=5, max_length=500)]
Code = Annotated[str, msgspec.Meta(max_length=64)]

MOST_WITHHELD = 2000


class Withhold(msgspec.Struct):
    """One thing to withhold: the opaque code of a file, or of a ledger entry (an event), and the code of a reason."""

    code: Code
    file: Code | None = None
    entry: Code | None = None


class NewPackage(msgspec.Struct):
    """``client_id`` is made once by the sender: sending it again seals no second package.

    ``exhibits`` are opaque codes; none given means every exhibit of the case that the sender may see. Leaving one out
    needs ``reason``, withholding something needs ``withheld_because``; both are recorded. ``languages`` are those of
    the report inside; none given means the sender's own.
    """

    client_id: UUID
    exhibits: list[str] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    languages: Annotated[list[str], msgspec.Meta(max_length=10)] | None = None
    withhold: Annotated[list[Withhold], msgspec.Meta(max_length=MOST_WITHHELD)] = []
    withheld_because: Annotated[str, msgspec.Meta(max_length=500)] = ""


class NewDownload(msgspec.Struct):
    reason: Reason
