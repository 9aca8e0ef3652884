"""What comes in about packages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

Reason = Annotated[str, msgspec.Meta(min_length=5, max_length=500)]


class NewPackage(msgspec.Struct):
    """``client_id`` is made once by the sender: sending it again seals no second package.

    ``exhibits`` are opaque codes; none given means every exhibit of the case that the sender may see. Leaving one out
    needs ``reason``, which is recorded.
    """

    client_id: UUID
    exhibits: list[str] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class NewDownload(msgspec.Struct):
    reason: Reason
