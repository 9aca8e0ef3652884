"""Secrets in pages that are compressed.

Who sees how long an encrypted answer is, and can put words of their own into the page, may find a secret of it letter
by letter: a right guess compresses better (BREACH). So a secret never stands twice in the same way.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode


def mask(secret: str) -> str:
    """Another text every time; nothing stays nothing."""
    plain = secret.encode()
    pad = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(pad + _xor(plain, pad)).decode()


def unmask(text: str) -> str:
    """The secret that was masked; of any other text, something that is no secret."""
    try:
        both = urlsafe_b64decode(text.encode())
        pad, rest = both[: len(both) // 2], both[len(both) // 2 :]
        return _xor(rest, pad).decode()
    except (binascii.Error, ValueError):
        return ""


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
