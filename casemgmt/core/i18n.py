"""The language and time zone of the current request, and every text a person reads.

The English text is the message id. Texts use named placeholders and are always interpolated,
so a literal percent sign is written ``%%`` everywhere, in Python and in templates alike:

    gettext("Accepted by %(name)s", name=person.name)

Nothing here knows about HTTP: the request middleware chooses a language with
``choose_language`` and calls ``activate`` once, before the handler runs.
"""

from __future__ import annotations

import gettext as gettext_module
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUE_ROOT = Path(__file__).resolve().parent.parent / "locale"
CATALOGUE_NAME = "casemgmt.po"

SOURCE_LANGUAGE = "en"

# Each language under its own name, in the order the menu offers them.
LANGUAGES: dict[str, str] = {"en": "English", "ru": "Русский", "ky": "Кыргызча", "kk": "Қазақша"}

DRAFTS: dict[str, str] = {"ky": "ru", "kk": "ru"}
"""Languages whose translation nobody has reviewed yet, and the one their missing texts are shown in.

They are offered by name, said to be drafts, and never chosen for somebody by their browser's settings.
"""

# A phone set to a language we do not speak yet, or only in a draft, gets the one its owner most likely reads.
_NEAREST = {"ky": "ru", "kk": "ru", "tg": "ru", "uz": "ru", "be": "ru"}


@dataclass(frozen=True, slots=True)
class Locale:
    """What decides how a text, a number and a moment are written for one reader."""

    language: str
    zone: tzinfo
    translations: gettext_module.NullTranslations


_SOURCE = Locale(SOURCE_LANGUAGE, UTC, gettext_module.NullTranslations())
_current: ContextVar[Locale] = ContextVar("casemgmt_locale", default=_SOURCE)


def current_locale() -> Locale:
    return _current.get()


def activate(language: str, zone: tzinfo = UTC) -> None:
    """Write for this reader until the current task ends or activates another.

    ``language`` must be a key of ``LANGUAGES``; anything else is a ``KeyError``, because
    ``choose_language`` never returns it.
    """
    use(Locale(language, zone, translations(language)))


def use(locale: Locale) -> None:
    """``activate`` for a locale made by hand, such as the stretched one of the tests."""
    _current.set(locale)


@contextmanager
def speaking(locale: Locale) -> Iterator[None]:
    """Write for another reader inside the block: a background job, a printed form, a test."""
    token = _current.set(locale)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def translations(language: str) -> gettext_module.NullTranslations:
    """The catalogue of a language, compiled in memory from its ``.po`` file on first use."""
    if language not in LANGUAGES:
        raise KeyError(language)
    if language == SOURCE_LANGUAGE:
        return gettext_module.NullTranslations()
    compiled = io.BytesIO()
    with catalogue_path(language).open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    found = gettext_module.GNUTranslations(compiled)
    if language in DRAFTS:
        found.add_fallback(translations(DRAFTS[language]))
    return found


def catalogue_path(language: str) -> Path:
    return CATALOGUE_ROOT / language / "LC_MESSAGES" / CATALOGUE_NAME


def choose_language(
    user_setting: str | None = None,
    cookie: str | None = None,
    accept_language: str | None = None,
    default: str = SOURCE_LANGUAGE,
) -> str:
    """The language to answer in: the person's setting, else the cookie, else the browser's list.

    Unknown and malformed values are passed over, never refused. The result is always a key of
    ``LANGUAGES``.
    """
    for wanted in (user_setting, cookie):
        if wanted in LANGUAGES:
            return wanted
    for wanted in _by_preference(accept_language or ""):
        primary = wanted.split("-", 1)[0]
        primary = _NEAREST.get(primary, primary)
        if primary in LANGUAGES:
            return primary
    return default


def _by_preference(accept_language: str) -> list[str]:
    """The tags of an Accept-Language header (RFC 9110, 12.5.4), most wanted first."""
    weighted: list[tuple[float, str]] = []
    for part in accept_language.lower().split(","):
        tag, _, parameter = part.partition(";")
        name, _, value = parameter.partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag.strip() and weight > 0:
            weighted.append((weight, tag.strip()))
    weighted.sort(key=lambda pair: -pair[0])
    return [tag for _, tag in weighted]


def gettext(message: str, /, **values: Any) -> str:
    """The message in the reader's language, with its named placeholders filled."""
    return current_locale().translations.gettext(message) % values


def ngettext(singular: str, plural: str, num: int, /, **values: Any) -> str:
    """The form that fits ``num``; ``%(num)s`` is filled with it."""
    values.setdefault("num", num)
    return current_locale().translations.ngettext(singular, plural, num) % values


def pgettext(context: str, message: str, /, **values: Any) -> str:
    """A short or ambiguous word ("From", "Clear") with the place it is used in as context."""
    return current_locale().translations.pgettext(context, message) % values


def npgettext(context: str, singular: str, plural: str, num: int, /, **values: Any) -> str:
    values.setdefault("num", num)
    return current_locale().translations.npgettext(context, singular, plural, num) % values


@dataclass(frozen=True, slots=True)
class Text:
    """A message that is translated when it is written out, not where it is named.

    ``str()`` gives it in the language current at that moment. Rules and errors carry a
    ``Text``, so that they neither know nor fix the reader's language.
    """

    message: str
    context: str | None
    values: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        if self.context is None:
            return gettext(self.message, **dict(self.values))
        return pgettext(self.context, self.message, **dict(self.values))


def N_(message: str, /, **values: Any) -> Text:  # noqa: N802 - the name gettext tools look for
    """Name a message now and translate it later."""
    return Text(message, None, tuple(values.items()))


def PN_(context: str, message: str, /, **values: Any) -> Text:  # noqa: N802
    """``N_`` for a word that needs a context."""
    return Text(message, context, tuple(values.items()))
