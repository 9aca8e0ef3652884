"""Which language a reader gets, and that texts follow the reader."""

from __future__ import annotations

from datetime import UTC

import pytest

from casemgmt.core.i18n import N_, PN_, Locale, activate, choose_language, gettext, ngettext, speaking, translations

RUSSIAN = Locale("ru", UTC, translations("ru"))
ENGLISH = Locale("en", UTC, translations("en"))


@pytest.mark.parametrize(
    ("setting", "cookie", "header", "expected"),
    [
        ("ru", "en", "en", "ru"),
        (None, "ky", "en", "ky"),
        ("kk", None, "en", "kk"),
        (None, None, "kk-KZ,kk;q=0.9", "ru"),
        (None, "ru", "en", "ru"),
        (None, None, "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        (None, None, "de,en-GB;q=0.5", "en"),
        (None, None, "en;q=0.4,ru;q=0.8", "ru"),
        (None, None, "ru;q=0,en;q=0.1", "en"),
        (None, None, "ky-KG,ky;q=0.9,en;q=0.5", "ru"),
        (None, None, "fr", "en"),
        (None, "xx", None, "en"),
        ("../../etc", "\x00", ";;;q=,=;q=abc,*", "en"),
        (None, None, "ru;q=nan", "en"),
        (None, None, None, "en"),
    ],
)
def test_the_setting_wins_then_the_cookie_then_the_browser(
    setting: str | None, cookie: str | None, header: str | None, expected: str
) -> None:
    assert choose_language(setting, cookie, header) == expected


def test_a_text_is_translated_when_it_is_written_out() -> None:
    text = N_("Page %(number)s", number=3)
    with speaking(RUSSIAN):
        assert str(text) == "Страница 3"
    with speaking(ENGLISH):
        assert str(text) == "Page 3"


def test_a_word_with_a_context_has_its_own_translation() -> None:
    with speaking(RUSSIAN):
        assert str(PN_("sign", "Confirmed")) == "Подтверждено"
        assert gettext("Confirmed") == "Confirmed"


def test_a_percent_sign_in_a_value_is_only_a_percent_sign() -> None:
    assert gettext("Page %(number)s", number="100 %s") == "Page 100 %s"


def test_the_number_is_filled_into_a_plural() -> None:
    assert ngettext("%(num)s item", "%(num)s items", 1) == "1 item"
    assert ngettext("%(num)s item", "%(num)s items", 5) == "5 items"


def test_a_language_we_do_not_have_cannot_be_activated() -> None:
    with pytest.raises(KeyError):
        activate("tlh")
