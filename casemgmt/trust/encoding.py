"""Strict text forms: every value has exactly one spelling, so no signed or proven text is malleable."""

import base64
import binascii
import re

from casemgmt.trust.errors import EncodingError

MAX_DECIMAL = 2**63 - 1
"""Largest tree size, index or POSIX time: the limit the C2SP formats share."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HASH_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def to_base64(data: bytes) -> str:
    """Standard alphabet with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Decodes only what `to_base64` could have written: no white space, no loose bits, no missing padding."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise EncodingError(f"not base64: {shown(text)}") from error
    if to_base64(data) != text:
        raise EncodingError(f"base64 not in its one allowed form: {shown(text)}")
    return data


def hash_from_base64(text: str) -> bytes:
    """A SHA-256 value: exactly 32 bytes."""
    data = from_base64(text)
    if len(data) != 32:
        raise EncodingError(f"a hash has 32 bytes, this has {len(data)}")
    return data


def is_hash_hex(text: object) -> bool:
    """Whether `text` is 64 lowercase hexadecimal digits."""
    return isinstance(text, str) and _HASH_HEX.fullmatch(text) is not None


def from_decimal(text: str) -> int:
    """ASCII digits without a leading zero, at most `MAX_DECIMAL`."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_DECIMAL:
        raise EncodingError(f"not a number in its one allowed form: {shown(text)}")
    return int(text)


def from_utf8(data: bytes) -> str:
    """Strict UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EncodingError(f"not UTF-8 at byte {error.start}") from error


def shown(text: str, limit: int = 80) -> str:
    """`text` made safe to print: quoted, control characters escaped, cut after `limit` characters."""
    return ascii(text) if len(text) <= limit else ascii(text[:limit]) + "..."
