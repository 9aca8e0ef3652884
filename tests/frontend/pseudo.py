"""A made-up language: every text is stretched by half and marked, placeholders and tags stay.

A page that stays English in it has a text that never went through gettext; a page that breaks in
it will break in the next real language.
"""

from __future__ import annotations

import re
from gettext import NullTranslations

from casemgmt.core.i18n import Locale, current_locale

PSEUDO = "en-XA"

_KEEP = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\}|<[^>]+>)")
_ACCENTS = str.maketrans("aeiounycAEIOUNYC", "åéïöüñýçÅÉÏÖÜÑÝÇ")


def stretch(text: str) -> str:
    parts = _KEEP.split(text)
    shown = "".join(part if index % 2 else part.translate(_ACCENTS) for index, part in enumerate(parts))
    words = max(1, round(len(text) * 0.5 / 6))
    return f"[{shown}{' ßßßßß' * words}]"


class Pseudo(NullTranslations):
    def gettext(self, message: str) -> str:
        return stretch(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return stretch(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return stretch(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return stretch(msgid1 if n == 1 else msgid2)


def pseudo_locale() -> Locale:
    return Locale("en", current_locale().zone, Pseudo())
