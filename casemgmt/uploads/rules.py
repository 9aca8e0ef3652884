"""The headers of tus, read strictly. No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_
from casemgmt.uploads.refusals import BadRequest

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
ALGORITHMS = {"sha1": 20, "sha256": 32}
"""tus asks for sha1; its length in bytes beside it."""
MOST_METADATA = 8192
MOST_UNDER_WAY = 500
LARGEST_UNDER_WAY = 4
"""Times the largest file: the bytes one person may have announced and not finished."""

_NUMBER = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece is said to hash to."""

    algorithm: str
    value: bytes

    def hasher(self) -> Any:
        return hashlib.new(self.algorithm, usedforsecurity=False)


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that must be a number of bytes. Raises BadRequest."""
    text = headers.get(name.lower(), "")
    if not _NUMBER.fullmatch(text):
        raise BadRequest(N_("The header %(name)s must be a number of bytes.", name=name))
    return int(text)


def checksum(header: str | None) -> Checksum | None:
    """Raises BadRequest for an algorithm we do not have or a value that is none."""
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    try:
        found = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != ALGORITHMS.get(algorithm, -1):
        raise BadRequest(N_("The header Upload-Checksum must be sha1 or sha256 and its value in base64."))
    return Checksum(algorithm, found)


def metadata(header: str) -> dict[str, str]:
    """``key base64(value)`` pairs. Raises BadRequest for what is not that, a key twice or too much of it."""
    if len(header) > MOST_METADATA:
        raise BadRequest(N_("The header Upload-Metadata is too long."))
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise BadRequest(N_("The header Upload-Metadata could not be read.")) from None
        if key in found:
            raise BadRequest(N_("The header Upload-Metadata could not be read."))
        found[key] = text
    return found


def new_identifier() -> UUID:
    """For a client that made none."""
    return uuid4()


def identifier(text: str) -> UUID:
    """A UUID in its usual form, in lower case: other spellings would be other addresses of the same upload."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise Invalid({"id": N_("This must be a UUID in lower case.")})
    return found
