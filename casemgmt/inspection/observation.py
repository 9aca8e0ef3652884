"""What was found inside a file, in the shapes we accept from the looking process: an answer of any other form is none.

Everything here is a claim of whoever made the file, and nobody answers for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(max_length=200)]
Lines = Annotated[list[Line], Meta(max_length=20)]
Trouble = Literal["slow", "memory", "crashed", "garbage", "too-large"]
"""Why a file could not be looked into: it took too long, too much memory, ended the process, made it answer nonsense,
or is larger than is looked into."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Degrees, WGS 84, six decimals."""

    latitude: Annotated[str, Meta(pattern=r"^-?[0-9]{1,2}\.[0-9]{6}$")]
    longitude: Annotated[str, Meta(pattern=r"^-?[0-9]{1,3}\.[0-9]{6}$")]


class Exif(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``taken`` is local time without a zone, ``offset`` its distance from UTC where the camera wrote one.

    ``left_out`` counts fields that are not in ``fields``.
    """

    state: Literal["found", "none", "unreadable", "not-looked"]
    taken: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$")] | None = None
    offset: Annotated[str, Meta(pattern=r"^[+-][0-9]{2}:[0-9]{2}$")] | None = None
    place: Place | None = None
    make: Line = ""
    model: Line = ""
    software: Line = ""
    lens: Line = ""
    serial: Line = ""
    fields: Annotated[dict[Line, Line], Meta(max_length=150)] = {}
    left_out: int = 0
    error: Line = ""
    trouble: Trouble | None = None


class C2pa(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``valid``: the manifest holds, and its signer is nobody we were told to trust. ``json`` is the whole manifest
    store as read, None where it is too long to keep."""

    state: Literal["trusted", "valid", "invalid", "none", "unreadable", "not-looked"]
    failures: Lines = []
    remarks: Lines = []
    generator: Line = ""
    title: Line = ""
    issuer: Line = ""
    signer: Line = ""
    signed_at: Line = ""
    sources: Lines = []
    manifests: int = 0
    json: Annotated[str, Meta(max_length=96 << 10)] | None = None
    error: Line = ""
    trouble: Trouble | None = None


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one file says of itself, and by which programs it was read, with their versions."""

    exif: Exif
    c2pa: C2pa
    programs: Annotated[dict[Line, Line], Meta(max_length=10)]


class ExifAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exif: Exif


class C2paAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    c2pa: C2pa


class BothAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    exif: Exif
    c2pa: C2pa
