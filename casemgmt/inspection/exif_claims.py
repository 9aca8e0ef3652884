"""What the EXIF of a photograph says, as strings of bounded number and length. Runs only in the looking process."""

from __future__ import annotations

import io
import logging
import math
import re
from typing import Any

import exifread

from casemgmt.inspection.cleaning import clean

VERSION: str = exifread.__version__
MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 150, 60, 120

_TIME = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET = re.compile(r"[+-]\d\d:\d\d", re.ASCII)
_TIMES = (
    ("EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal"),
    ("EXIF DateTimeDigitized", "EXIF OffsetTimeDigitized"),
    ("Image DateTime", "EXIF OffsetTime"),
)
_WORDS = {
    "make": ("Image Make", 60), "model": ("Image Model", 60), "software": ("Image Software", 60),
    "lens": ("EXIF LensModel", 60), "serial": ("EXIF BodySerialNumber", 40),
}  # fmt: skip
# Pieces of pictures and of other programs' records, not claims about the photograph.
_LEFT_OUT = (
    "JPEGThumbnail",
    "TIFFThumbnail",
    "Thumbnail ",
    "EXIF MakerNote",
    "EXIF UserComment",
    "Image ApplicationNotes",
)


def prepare() -> None:
    logging.disable(logging.CRITICAL)  # every malformed tag would be a line
    read(b"II*\0\x08\0\0\0\0\0\0\0\0\0")


def read(data: bytes) -> dict[str, Any]:
    """``state`` found, none or unreadable. Times as written by the camera, ``offset`` only where it says one."""
    try:
        block = in_jpeg(data) if data.startswith(b"\xff\xd8") else data
        tags = exifread.process_file(io.BytesIO(block), details=False, extract_thumbnail=False) if block else {}
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - exifread raises whatever its arithmetic meets: the finding is its name
        return {"state": "unreadable", "error": clean(type(error).__name__, 60)}
    if not tags:
        return {"state": "none"}
    taken, offset = _taken(tags)
    found: dict[str, Any] = {"state": "found", "taken": taken, "offset": offset, "place": _place(tags)}
    for name, (tag, most) in _WORDS.items():
        found[name] = _text(tags.get(tag), most)
    fields = [(name, tag) for name, tag in tags.items() if not name.startswith(_LEFT_OUT)]
    found["fields"] = {clean(name, LONGEST_NAME): _text(tag, LONGEST_VALUE) for name, tag in fields[:MOST_FIELDS]}
    found["left_out"] = len(tags) - len(found["fields"])
    return found


def in_jpeg(data: bytes) -> bytes:
    """The TIFF block of a JPEG's EXIF segment; empty where there is none before the picture begins.

    Found by ourselves: exifread gives up at segments it does not know, and a C2PA manifest is one that stands before
    the EXIF.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + length]
        if marker in (0xDA, 0xD9) or length < 2:  # the picture begins, or the file ends
            break
        at += 2 + length
    return b""


def _text(tag: Any, most: int) -> str:
    return "" if tag is None else clean(tag.printable if hasattr(tag, "printable") else tag, most)


def _taken(tags: dict[str, Any]) -> tuple[str | None, str | None]:
    for name, offset_name in _TIMES:
        if found := _TIME.match(_text(tags.get(name), 40)):
            offset = _text(tags.get(offset_name), 10)
            year, month, day, *clock = found.groups()
            return f"{year}-{month}-{day}T{':'.join(clock)}", offset if _OFFSET.fullmatch(offset) else None
    return None, None


def _place(tags: dict[str, Any]) -> dict[str, str] | None:
    latitude = _degrees(tags, "Latitude", "S", 90)
    longitude = _degrees(tags, "Longitude", "W", 180)
    if latitude is None or longitude is None:
        return None
    return {"latitude": f"{latitude:.6f}", "longitude": f"{longitude:.6f}"}


def _degrees(tags: dict[str, Any], which: str, negative: str, most: int) -> float | None:
    tag = tags.get(f"GPS GPS{which}")
    try:
        degrees, minutes, seconds = (float(part) for part in getattr(tag, "values", ())[:3])
    except (TypeError, ValueError, ArithmeticError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not (math.isfinite(value) and 0 <= value <= most):
        return None
    return -value if _text(tags.get(f"GPS GPS{which}Ref"), 4).upper().startswith(negative) else value
