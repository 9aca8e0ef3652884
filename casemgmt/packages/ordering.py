"""What somebody wants sealed: from what came in to ids, checked as far as that needs no record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from casemgmt.core.codes import Codes
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import N_, current_locale
from casemgmt.packages.schemas import NewPackage, Withhold
from casemgmt.packages.withholding import NOTHING, Withheld, checked

REPORT_LANGUAGES = {"en": "English", "ru": "Русский", "ky": "Кыргызча"}
"""Languages the custody report is written in, each by its own name."""


@dataclass(frozen=True, slots=True)
class Order:
    """``exhibits`` are ids, None for all the sender sees. ``asked`` is a hash of all of it but ``client_id``."""

    client_id: UUID
    exhibits: Collection[int] | None = None
    reason: str = ""
    languages: Sequence[str] = ("en",)
    withheld: Withheld = NOTHING
    asked: bytes | None = None


def order(codes: Codes, data: NewPackage, today: date) -> Order:
    """Raises Invalid for a code that stands for nothing, an unknown language or reason."""
    return Order(
        data.client_id,
        None if data.exhibits is None else exhibit_ids(codes, data.exhibits),
        data.reason,
        _languages(data.languages),
        checked(_withheld(codes, data.withhold, data.withheld_because), today),
        _asked(data),
    )


def exhibit_ids(codes: Codes, given: Collection[str]) -> set[int]:
    try:
        return {codes.decode("exhibit", code) for code in given}
    except NotFound:
        raise Invalid({"exhibits": N_("Choose among the exhibits of this case.")}) from None


def own_language() -> str:
    """The reader's, if the report speaks it."""
    language = current_locale().language
    return language if language in REPORT_LANGUAGES else "en"


def _languages(given: Collection[str] | None) -> list[str]:
    wanted = {own_language()} if given is None else set(given)
    if not wanted or not wanted <= set(REPORT_LANGUAGES):
        raise Invalid({"languages": N_("Choose at least one of the languages of the report.")})
    return [language for language in REPORT_LANGUAGES if language in wanted]


def _withheld(codes: Codes, given: Sequence[Withhold], words: str) -> Withheld:
    """Raises Invalid for a line that does not name one file or one entry."""
    unknown = Invalid({"withhold": N_("Withhold only what belongs to the chosen exhibits.")})
    if any((thing.file is None) == (thing.entry is None) for thing in given):
        raise unknown
    try:
        files = {codes.decode("file", thing.file): thing.code for thing in given if thing.file is not None}
        entries = {codes.decode("event", thing.entry): thing.code for thing in given if thing.entry is not None}
    except NotFound:
        raise unknown from None
    return Withheld(files, entries, words)


def _asked(data: NewPackage) -> bytes:
    things = sorted([thing.file or "", thing.entry or "", thing.code] for thing in data.withhold)
    languages = None if data.languages is None else sorted(data.languages)
    exhibits = None if data.exhibits is None else sorted(data.exhibits)
    asked = [exhibits, data.reason, languages, things, data.withheld_because]
    return hashlib.sha256(json.dumps(asked, ensure_ascii=False).encode("utf-8", "surrogatepass")).digest()
