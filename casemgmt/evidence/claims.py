"""What a photograph says of itself beside what its sender's device said: where they differ, and how it is told.

A difference is pointed out and not judged: clocks are wrong, cameras are borrowed, programs strip and invent. No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from casemgmt.core.formats import format_distance
from casemgmt.core.i18n import N_, Text, gettext, ngettext
from casemgmt.core.parts import Kind
from casemgmt.evidence.models import File, Observation

SAME_TIME = timedelta(minutes=10)
SAME_PLACE = 1000.0  # metres
EARTH = 6_371_008.8  # metres, mean radius
WIDEST_ZONES = timedelta(hours=14)  # how far from UTC a camera's clock may be set

Summary = Mapping[str, Any]
"""The summary of an observation, docs/spec/observation.md."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the device said when it sent the file, and when the file arrived."""

    device_at: datetime | None
    latitude: Decimal | None
    longitude: Decimal | None
    accuracy_m: Decimal | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Inside:
    """The claims inside one file, for a page. ``rows``: term and value; ``origin``: the state
    of its C2PA signature in words; ``differences``: whole sentences."""

    rows: list[tuple[str, str]]
    origin: str
    origin_kind: Kind
    differences: list[str]

    @property
    def needs_a_look(self) -> bool:
        return bool(self.differences) or self.origin_kind == "bad"


_TROUBLES: dict[str, Text] = {
    "slow": N_("not read: looking into it took too long"),
    "memory": N_("not read: looking into it took too much memory"),
    "crashed": N_("not read: the program that looked into it was brought down by it"),
    "garbage": N_("not read: looking into it gave nothing that can be used"),
    "too-large": N_("not read: larger than the files that are looked into"),
}
_EXIF: dict[str, Text] = {
    "none": N_("none found"),
    "unreadable": N_("there, but cannot be read"),
    "not-looked": N_("not looked for in this kind of file"),
}
_C2PA: dict[str, tuple[Text, Kind]] = {
    "trusted": (N_("C2PA signature holds; its signer is on this installation's list"), "ok"),
    "valid": (N_("C2PA signature holds; its signer is not known here"), "info"),
    "invalid": (N_("C2PA signature does not hold"), "bad"),
    "none": (N_("No C2PA signature"), "info"),
    "unreadable": (N_("C2PA data cannot be read"), "warn"),
    "not-looked": (N_("C2PA is not looked for in this kind of file"), "info"),
}
_MADE_BY_MACHINE = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")


def inside(summary: Summary, claimed: Claimed, zone: tzinfo) -> Inside:
    """In the reader's language. ``zone`` is assumed where a camera does not say its own."""
    exif, c2pa = summary["exif"], summary["c2pa"]
    words, kind = _C2PA.get(c2pa["state"], _C2PA["unreadable"])
    if c2pa.get("trouble"):
        words, kind = N_("C2PA: %(trouble)s", trouble=_trouble(c2pa["trouble"])), "warn"
    rows = _of_exif(exif) if exif["state"] == "found" else [(gettext("EXIF"), _missing(exif))]
    return Inside(
        rows + _of_c2pa(c2pa), str(words), kind, [str(words) for words in differences(summary, claimed, zone)]
    )


def of_files(files: Iterable[File], looks: Mapping[int, Observation], zone: tzinfo) -> dict[int, Inside]:
    """By file id; files that were not looked into are left out."""
    return {
        file.id: inside(
            looks[file.id].summary,
            Claimed(file.device_at, file.latitude, file.longitude, file.accuracy_m, file.received_at),
            zone,
        )
        for file in files
        if file.id in looks
    }


def differences(summary: Summary, claimed: Claimed, zone: tzinfo) -> list[Text]:
    """What a reader should look at twice."""
    exif, c2pa = summary["exif"], summary["c2pa"]
    found = [*_of_time(exif, claimed, zone), *_of_place(exif, claimed)]
    if made := [source for source in c2pa.get("sources", ()) if source in _MADE_BY_MACHINE]:
        found.append(N_("The file says that a program made it or parts of it (%(source)s).", source=made[0]))
    return found


def _of_exif(exif: Summary) -> list[tuple[str, str]]:
    camera = " ".join(part for part in (exif.get("make"), exif.get("model")) if part)
    place = exif.get("place")
    return [
        (gettext("Time of the camera"), _local(exif)),
        (gettext("Place"), f"{place['latitude']}, {place['longitude']}" if place else "–"),
        (gettext("Camera"), camera or "–"),
        (gettext("Program"), exif.get("software") or "–"),
    ]


def _of_c2pa(c2pa: Summary) -> list[tuple[str, str]]:
    if c2pa["state"] not in ("trusted", "valid", "invalid"):
        return []
    signer = ", ".join(part for part in (c2pa.get("signer"), c2pa.get("issuer")) if part)
    rows = [
        (gettext("C2PA signer"), signer or "–"),
        (gettext("C2PA signing time"), c2pa.get("signed_at") or "–"),
        (gettext("Made with"), c2pa.get("generator") or "–"),
    ]
    if failures := c2pa.get("failures"):
        rows.append((gettext("What does not hold"), ", ".join(failures)))
    return rows


def _local(exif: Summary) -> str:
    taken = exif.get("taken")
    if not taken:
        return "–"
    day, clock = taken.split("T")
    said = f"{'.'.join(reversed(day.split('-')))} {clock}"
    offset = exif.get("offset")
    return f"{said} (UTC{offset})" if offset else gettext("%(moment)s, without a time zone", moment=said)


def _missing(exif: Summary) -> str:
    return _trouble(exif["trouble"]) if exif.get("trouble") else str(_EXIF.get(exif["state"], _EXIF["unreadable"]))


def _trouble(name: str) -> str:
    return str(_TROUBLES.get(name, _TROUBLES["garbage"]))


def _of_time(exif: Summary, claimed: Claimed, zone: tzinfo) -> list[Text]:
    taken = _moment(exif.get("taken"), exif.get("offset"), zone)
    if taken is None:
        return []
    said = exif.get("offset") is not None
    device = claimed.device_at
    # what arrived cannot have been taken later; without a zone in the file, later anywhere on Earth
    if taken - claimed.received_at > SAME_TIME + (timedelta() if said else WIDEST_ZONES):
        return [N_("By its camera's clock the file was made after it was received here.")]
    if device is None or abs(taken - device) <= SAME_TIME:
        return []
    text = (
        N_(
            "The camera's clock and the sending device's differ by %(difference)s.",
            difference=_span(abs(taken - device)),
        )
        if said
        else N_(
            "The camera's clock and the sending device's differ by %(difference)s, if the camera was set to %(zone)s.",
            difference=_span(abs(taken - device)),
            zone=str(zone),
        )
    )
    return [text]


def _moment(taken: str | None, offset: str | None, zone: tzinfo) -> datetime | None:
    if taken is None:
        return None
    try:
        local = datetime.fromisoformat(taken)
        if offset is None:
            return local.replace(tzinfo=zone).astimezone(UTC)
        hours, minutes = int(offset[1:3]), int(offset[4:6])
        away = timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)
        return local.replace(tzinfo=timezone(away)).astimezone(UTC)
    except (ValueError, OverflowError):  # 0000:00:00, 25 o'clock, an offset of 99 hours
        return None


def _span(difference: timedelta) -> str:
    minutes = round(difference.total_seconds() / 60)
    if minutes >= 2 * 24 * 60:
        return ngettext("%(num)s day", "%(num)s days", round(minutes / (24 * 60)))
    if minutes >= 2 * 60:
        return ngettext("%(num)s hour", "%(num)s hours", round(minutes / 60))
    return ngettext("%(num)s minute", "%(num)s minutes", minutes)


def _of_place(exif: Summary, claimed: Claimed) -> list[Text]:
    place = exif.get("place")
    if not place or claimed.latitude is None or claimed.longitude is None:
        return []
    away = distance(
        (float(place["latitude"]), float(place["longitude"])), (float(claimed.latitude), float(claimed.longitude))
    )
    if away <= max(SAME_PLACE, float(claimed.accuracy_m or 0)):
        return []
    return [N_("The file and the sending device name places %(distance)s apart.", distance=format_distance(away))]


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres on the sphere between two places in degrees: good to half a percent, which is what claims are worth."""
    (lat1, lon1), (lat2, lon2) = (tuple(math.radians(part) for part in place) for place in (one, other))
    part = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(part)))
