"""What comes in about grants and referrals."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

Sentence = Annotated[str, msgspec.Meta(max_length=500)]
Words = Annotated[str, msgspec.Meta(max_length=4000)]
Receiver = Annotated[str, msgspec.Meta(max_length=80)]


class NewGrant(msgspec.Struct):
    """Exactly one of ``to`` and ``person``; exactly one of ``until`` and ``endless``.

    ``to`` is ``unit:CODE``, ``agency:CODE`` or ``person:CODE`` with the opaque code; ``person`` a sign-in name, badge
    number or full name, as typed. ``until`` is the last day, in the installation's time zone. ``with_seizures`` is for
    a case only.
    """

    purpose: Annotated[str, msgspec.Meta(max_length=40)]
    to: Receiver = ""
    person: Annotated[str, msgspec.Meta(max_length=200)] = ""
    note: Sentence = ""
    until: date | None = None
    endless: bool = False
    onward: bool = False
    with_seizures: bool = False


class GrantEnding(msgspec.Struct):
    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]


class NewReferral(msgspec.Struct):
    """``unit`` is a prosecution unit's opaque code; ``seizures`` the opaque codes of what goes with the case.

    ``client_id`` is made once by the sender: sending it again refers nothing twice.
    """

    client_id: UUID
    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    seizures: Annotated[list[str], msgspec.Meta(max_length=500)]
    qualification: Sentence = ""
    note: Words = ""
