"""What a file may be called, shown as and handed out as; and who may add one. No I/O."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import quote

from casemgmt.core import sniff
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import N_, Text
from casemgmt.evidence.schemas import NewFile
from casemgmt.reference.lists import PHOTO_POINTS

LONGEST_NAME = 150  # characters; with a long extension still below the 255 bytes of most file systems in ASCII
NAMELESS = "file"

VIEWABLE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Types a page may show with ``<img>``: every browser draws them and none runs them."""

_KINDS = (
    *(known for _, known in sniff.STARTS),
    *sniff.RIFF.values(),
    *sniff.BRANDS.values(),
    *(sniff.MP4, sniff.TEXT, sniff.ZIP),
)
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_EXTENSIONS = {
    **{kind.name: kind.extension for kind in _KINDS},
    **{name: ending for _, name, ending in sniff.OFFICE},
    **{f"{_OPEN_DOCUMENT}{word.decode()}": ending for word, ending in sniff.OPEN_DOCUMENT.items()},
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
}
_ALSO = {"jpg": {"jpeg", "jpe"}, "tif": {"tiff"}, "txt": {"log", "csv"}, "mp4": {"m4v"}, "ogg": {"oga", "ogv", "opus"}}

# What Windows does not let a file be called, whatever follows the dot.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*%;]')


def display_name(claimed: str) -> str:
    """A claimed file name as it is kept and shown: its last part, without control and direction-changing characters.

    ``..\\..\\photo.jpg`` becomes ``photo.jpg``; a mark that would show ``gpj.exe`` backwards is lost.
    """
    last = re.split(r"[/\\]", claimed)[-1]
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", last))
    name = " ".join(kept.split()).strip(". ")
    if len(name) > LONGEST_NAME:
        stem, dot, suffix = name.rpartition(".")
        name = (
            f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}" if dot and len(suffix) <= 10 else name[:LONGEST_NAME]
        )
    return name or NAMELESS


def extension(media_type: str) -> str:
    """The extension, without a dot, that says what the bytes are; ``bin`` for what we cannot tell."""
    return _EXTENSIONS.get(media_type, sniff.UNKNOWN.extension)


def download_name(name: str, media_type: str) -> str:
    """The name a file is handed out under: ends with what the bytes are, so that opening it runs no program.

    ``invoice.exe`` of unknown bytes becomes ``invoice.exe.bin``; ``photo.jpeg`` that is a JPEG stays.
    """
    safe = _NOT_IN_NAMES.sub("_", display_name(name))
    if _DEVICES.match(safe):
        safe = f"_{safe}"
    wanted = extension(media_type)
    given = safe.rpartition(".")[2].lower()
    return safe if given == wanted or given in _ALSO.get(wanted, ()) else f"{safe}.{wanted}"


def content_disposition(name: str) -> str:
    """RFC 6266: an ASCII name for old clients and the true one, percent-encoded, for all others. Always a download."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "replace").decode()
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()-]", "_", plain)
    encoded = quote(name, safe="!#$&+^`|~", encoding="utf-8", errors="replace")
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"


def declared_type(claimed: str) -> str:
    """A claimed media type without parameters, short enough to keep; "" for what is none."""
    plain = claimed.partition(";")[0].strip().lower()
    return plain if re.fullmatch(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}", plain) else ""


def is_picture(media_type: str) -> bool:
    """What a camera makes: a picture or a film."""
    return media_type.startswith(("image/", "video/"))


def type_differs(declared: str, media_type: str) -> bool:
    """Whether a sender said one type and the bytes are another. Told to people; never a reason to lose evidence."""
    return sniff.contradicts(declared, sniff.MediaType(media_type, extension(media_type)))


def check_claims(file: NewFile) -> None:
    """Raises Invalid for claims that cannot be kept: a hash that is none, a place that is not on Earth, a point of no
    list."""
    wrong: dict[str, Text] = {}
    if file.declared_sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", file.declared_sha256):
        wrong["sha256"] = N_("A SHA-256 has 64 hexadecimal digits.")
    if (file.latitude is None) != (file.longitude is None):
        wrong["place_latitude"] = N_("A place needs both its latitude and its longitude.")
    for name, value, least, most in (
        ("place_latitude", file.latitude, -90, 90),
        ("place_longitude", file.longitude, -180, 180),
        ("place_accuracy", file.accuracy_m, 0, 10_000_000),
    ):
        if value is not None and not (value.is_finite() and least <= value <= most):
            wrong[name] = N_("This is not a place on Earth.")
    if file.shows is not None:
        wrong |= wrong_point(file.shows)
        if file.kind != "photo":
            wrong["shows"] = N_("Only a photograph or a film shows something.")
    if wrong:
        raise Invalid(wrong)


def wrong_point(shows: str) -> dict[str, Text]:
    """What is wrong with what a photograph is said to show. A point that was retired since is none the worse for it."""
    return {} if shows in PHOTO_POINTS.items() else {"shows": N_("Choose one of the given values.")}


def check_may_add(actor: Actor, unit_id: int, keepers: Collection[int | None]) -> None:
    """Files are added by the unit that made the seizure, and by whoever holds the exhibit or was offered it.

    Seeing a record (by a grant, as an auditor) is not a right to add to it. Raises Forbidden.
    """
    if unit_id not in actor.unit_ids and actor.id not in keepers:
        raise Forbidden(N_("Only the unit that made the seizure, or who keeps the exhibit, adds files to it."))
