"""How moments, numbers, quantities and sizes are written for the current reader.

Moments have one pattern in every language, day first and with the zone. The short dates of
the locale data are not used: 21/11/26 and 11/21/26 do not belong in a legal record.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.numbers import format_decimal

from casemgmt.core.i18n import current_locale, gettext, pgettext

_NO_BREAK = "\u00a0"


def format_datetime(moment: datetime, *, seconds: bool = False, zone: bool = True) -> str:
    """``21.11.2026 03:12 UTC+6`` in the reader's zone. A naive moment is a ``ValueError``.

    Leave the zone out only where something near says it, such as the head of a table.
    """
    local = localise(moment)
    text = local.strftime("%d.%m.%Y %H:%M:%S" if seconds else "%d.%m.%Y %H:%M")
    return f"{text}{_NO_BREAK}{offset_name(local)}" if zone else text


def format_date(day: date) -> str:
    """``21.11.2026``. A moment is taken to the reader's zone first."""
    if isinstance(day, datetime):
        day = localise(day)
    return day.strftime("%d.%m.%Y")


def localise(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a zone cannot be shown: {moment!r}")
    return moment.astimezone(current_locale().zone)


def offset_name(moment: datetime) -> str:
    """``UTC+6``, ``UTC+5:30`` or ``UTC``: understood where zone abbreviations are not."""
    offset = moment.utcoffset() or timedelta()
    if not offset:
        return "UTC"
    minutes = int(abs(offset).total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    sign = "+" if offset > timedelta() else "\u2212"
    return f"UTC{sign}{hours}:{rest:02}" if rest else f"UTC{sign}{hours}"


def format_number(value: int | Decimal) -> str:
    """The number as the reader groups it, with exactly the decimals it was recorded with.

    A weight of 12.50 stays 12.50: the zero says how well it was weighed. Floats are not
    taken, because they do not remember.
    """
    places = 0
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a finite number: {value}")
        places = max(0, -int(value.as_tuple().exponent))
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(value, format=pattern, locale=current_locale().language)


def format_quantity(value: int | Decimal, unit: object) -> str:
    """``512 g`` on one line. ``unit`` is the unit's own short text, already translatable."""
    return f"{format_number(value)}{_NO_BREAK}{unit}"


def format_filesize(size: int) -> str:
    """A size in bytes in decimal units with at most one decimal: ``9.8 MB``."""
    if size < 1000:
        return pgettext("file size", "%(size)s B", size=format_number(size))
    scaled = Decimal(size) / 1000
    for unit in ("kB", "MB", "GB"):
        if scaled < Decimal("999.5") or unit == "GB":
            break
        scaled /= 1000
    shown = format_number(scaled.quantize(Decimal("0.1") if scaled < 100 else Decimal(1)))
    if unit == "kB":
        return pgettext("file size", "%(size)s kB", size=shown)
    if unit == "MB":
        return pgettext("file size", "%(size)s MB", size=shown)
    return pgettext("file size", "%(size)s GB", size=shown)


def format_distance(metres: float) -> str:
    """The accuracy of a claimed place: whole metres, or kilometres from one up."""
    if metres < 1000:
        return gettext("%(distance)s m", distance=format_number(round(metres)))
    kilometres = Decimal(round(metres / 100)) / 10
    return gettext("%(distance)s km", distance=format_number(kilometres))
