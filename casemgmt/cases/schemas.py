"""What comes in about case files.

People, cases and units are named by their opaque code; a case or a seizure also by its number, as typed.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

Title = Annotated[str, msgspec.Meta(min_length=3, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=4000)]
Sentence = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewCase(msgspec.Struct):
    """``client_id`` is made once by the sender: sending it again opens no second case."""

    client_id: UUID
    title: Title
    summary: Words = ""
    unit: Annotated[str, msgspec.Meta(max_length=40)] = ""


class NewMember(msgspec.Struct):
    """``person``: opaque code, sign-in name, badge number or full name."""

    person: Name
    role: Annotated[str, msgspec.Meta(max_length=20)] = "member"


class AddedSeizure(msgspec.Struct):
    seizure: Name
    reason: Sentence = ""


class NewLink(msgspec.Struct):
    case: Name
    reason: Annotated[str, msgspec.Meta(max_length=40)]
    note: Sentence = ""


class StatusChange(msgspec.Struct):
    status: Annotated[str, msgspec.Meta(max_length=40)]
    note: Sentence = ""


class Leaving(msgspec.Struct):
    """Why a person or a seizure leaves the case."""

    reason: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
