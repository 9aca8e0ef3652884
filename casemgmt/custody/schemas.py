"""What comes in about hand-overs. People and exhibits are named by their opaque codes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

MOST = 50  # exhibits of one hand-over: more than two people compare in one go

MOST_PHOTOS = 5  # of one exhibit's seal, in one answer

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Code = Annotated[str, msgspec.Meta(max_length=40)]
SealText = Annotated[str, msgspec.Meta(max_length=60)]
Words = Annotated[str, msgspec.Meta(max_length=1000)]
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class OfferedExhibit(msgspec.Struct, kw_only=True):
    """``seq`` and ``prev`` (64 hexadecimal digits) are the last custody event the giver was shown.

    ``seal`` is what the giver reads on the exhibit; empty: there is none.
    """

    exhibit: Code
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 2)]
    prev: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    seal: SealText = ""


class NewOffer(msgspec.Struct, kw_only=True):
    """``client_id`` is made by the sender, once for each hand-over. The place and ``device_time`` are claims of the
    giver's device: degrees, metres."""

    client_id: UUID
    exhibits: Annotated[list[OfferedExhibit], msgspec.Meta(min_length=1, max_length=MOST)]
    to: Code = ""
    purpose: Code = ""
    place: Annotated[str, msgspec.Meta(max_length=200)] = ""
    note: Words = ""
    place_latitude: Decimal | None = None
    place_longitude: Decimal | None = None
    place_accuracy: Decimal | None = None
    device_time: Aware | None = None


class Decision(msgspec.Struct, kw_only=True):
    """What becomes of one exhibit; "" is no decision, and answered in words.

    ``seal`` and ``seal_state`` are what the receiver sees (intact, damaged, missing); ``discrepancy`` says in words how
    that differs from the record; ``reason`` is why it is refused. ``photos`` are the SHA-256 (hexadecimal) of
    photographs of it that are files of the exhibit already: the event names them.
    """

    exhibit: Code
    decision: Literal["accepted", "refused", "withdrawn", ""] = ""
    seal: SealText = ""
    seal_state: Code = ""
    discrepancy: Words = ""
    reason: Code = ""
    note: Words = ""
    photos: Annotated[list[Hash], msgspec.Meta(max_length=MOST_PHOTOS)] = []


class Answer(msgspec.Struct, kw_only=True):
    items: Annotated[list[Decision], msgspec.Meta(min_length=1, max_length=MOST)]
    device_time: Aware | None = None
