"""Strings out of a hostile file, as they may be kept and shown: short, printable, in one direction."""

from __future__ import annotations

import unicodedata


def clean(value: object, most: int) -> str:
    """Text of at most ``most`` characters without control, format, private or direction-changing ones; NFC."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = unicodedata.normalize("NFC", text[: most * 4])
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(kept.split())[:most].rstrip()
