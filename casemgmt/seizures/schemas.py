"""What comes in about a seizure."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Code = Annotated[str, msgspec.Meta(max_length=40)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Required = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=4000)]


class NewParticipant(msgspec.Struct):
    role: Code
    name: Required
    document: Line = ""
    address: Line = ""
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    refused_signature: bool = False


class NewConveyance(msgspec.Struct):
    """``country`` is two letters of ISO 3166, where the thing is registered."""

    kind: Code
    identifier: Line = ""
    country: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?$")] = ""


class NewSeizure(msgspec.Struct, kw_only=True):
    """``client_id`` is made by the sender and makes a repeat harmless. ``device`` (an identifier the device gave
    itself), ``device_at`` and the position are its claims: degrees, and metres of accuracy. ``captured_by`` is the code
    of the person whom a phone bound the record to when it was captured: nobody else can send it. ``number`` is one of
    those reserved for ``device``; without one the server gives the next.
    """

    client_id: uuid.UUID
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""
    captured_by: Code | None = None
    device: uuid.UUID | None = None
    seized_at: Aware
    device_at: Aware | None = None
    place: Line = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: Decimal | None = None
    direction: Code | None = None
    detection: Code | None = None
    ground: Annotated[str, msgspec.Meta(max_length=500)] = ""
    circumstances: Words = ""
    participants: Annotated[list[NewParticipant], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    conveyances: Annotated[list[NewConveyance], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)


class NewNumberBlock(msgspec.Struct):
    """``device`` is an identifier the device made once for itself; ``client_id`` makes a repeat harmless."""

    client_id: uuid.UUID
    device: uuid.UUID
    count: Annotated[int, msgspec.Meta(ge=1, le=50)] = 20


class Supplement(msgspec.Struct, kw_only=True):
    """People and conveyances that were there but not written down at once."""

    participants: Annotated[list[NewParticipant], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    conveyances: Annotated[list[NewConveyance], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)


class Correction(msgspec.Struct):
    """The right words for one field of a seizure, and why the record had others."""

    field: Code
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class NeedToKnow(msgspec.Struct):
    """``names`` are codes of people, beside the supervisor and the registering officer, who are always named."""

    need_to_know: bool
    names: Annotated[list[str], msgspec.Meta(max_length=200)] = msgspec.field(default_factory=list)
