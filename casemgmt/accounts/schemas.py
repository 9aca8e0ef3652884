"""What comes in about agencies, units, people and sign-in."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Login = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
NewPassword = Annotated[str, msgspec.Meta(min_length=10, max_length=1024)]


class SignIn(msgspec.Struct):
    login: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    password: Password


class NewAgency(msgspec.Struct):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    kind: Annotated[str, msgspec.Meta(max_length=40)]
    name: Name


class NewUnit(msgspec.Struct):
    agency_id: int
    code: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$")]
    name: Name
    place: Annotated[str, msgspec.Meta(max_length=200)] = ""


class NewPerson(msgspec.Struct):
    login: Login
    name: Name
    password: NewPassword
    badge: Annotated[str, msgspec.Meta(max_length=40)] = ""


class NewAppointment(msgspec.Struct):
    kind: str
    unit_id: int | None = None
    agency_id: int | None = None
    since: date | None = None
    until: date | None = None


class PasswordChange(msgspec.Struct):
    password: NewPassword


KEY_NAME = 60


class NewKey(msgspec.Struct):
    """Beginning an enrolment: the password again, and what the person calls the device."""

    password: Password
    name: Annotated[str, msgspec.Meta(max_length=KEY_NAME)] = ""


class NewPinKey(msgspec.Struct):
    """The public half of a phone's key (SubjectPublicKeyInfo in DER) and its own signature of the enrolment, both
    base64url; ``device`` is the identifier the phone made for itself, ``name`` what the phone says it is."""

    spki: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    proof: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    device: UUID
    name: Annotated[str, msgspec.Meta(max_length=KEY_NAME)] = ""


class KeyRevocation(msgspec.Struct):
    reason: Annotated[str, msgspec.Meta(max_length=20)] = ""
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
