"""Every text of the program is in every catalogue, translated, with the same placeholders."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog

from casemgmt.core import i18n_tool
from casemgmt.core.i18n import DRAFTS, translations

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|\{(\w+)\}|</?\w+>")
LANGUAGES = i18n_tool.translated_languages()
REVIEWED = [language for language in LANGUAGES if language not in DRAFTS]


@pytest.fixture(scope="module")
def template() -> Catalog:
    return i18n_tool.extract()


@pytest.mark.parametrize("language", REVIEWED)
def test_every_text_of_the_program_is_translated(language: str, template: Catalog) -> None:
    problems = i18n_tool.missing(language, template)
    assert not problems, "run `make messages` and translate:\n" + "\n".join(problems)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    wrong = []
    for message in i18n_tool.read_catalogue(language):
        if not message.id or not i18n_tool.is_translated(message):
            continue
        originals = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        # The plural's own number may be left out of a form that says "one" in words.
        wanted = {_placeholders(original) - {"%(num)s"} for original in originals}
        wrong += [form for form in forms if _placeholders(form) - {"%(num)s"} not in wanted]
    assert not wrong


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(match.group(0).replace(")d", ")s") for match in PLACEHOLDER.finditer(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_can_be_filled_in(language: str) -> None:
    """A stray percent sign would be an error on the page."""
    for message in i18n_tool.read_catalogue(language):
        if not message.id:
            continue
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        for form in (*forms, *((message.id,) if isinstance(message.id, str) else message.id)):
            names = re.findall(r"%\((\w+)\)", form)
            assert isinstance(form % dict.fromkeys(names, 0), str)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_compiles(language: str) -> None:
    assert translations(language).gettext("Help") != "Help"


def test_it_notices_a_text_that_nobody_translated() -> None:
    template = Catalog()
    template.add("A text that is in no catalogue")
    (problem,) = i18n_tool.missing("ru", template)
    assert "not in the catalogue" in problem


def test_updating_keeps_a_translation_that_comes_back_into_use() -> None:
    catalogue = Catalog(locale="ru", fuzzy=False)
    catalogue.add("Seal", "Пломба")
    with_seal, without = Catalog(), Catalog()
    with_seal.add("Seal")

    i18n_tool.merge(catalogue, without)
    assert "Seal" not in catalogue
    i18n_tool.merge(catalogue, with_seal)

    found = catalogue["Seal"]
    assert found is not None
    assert found.string == "Пломба"
    assert not catalogue.obsolete


def test_filling_takes_translations_and_names_what_the_program_does_not_say() -> None:
    catalogue, given = Catalog(locale="ru"), Catalog(locale="ru")
    catalogue.add("Seal")
    given.add("Seal", "Пломба")
    given.add("Walrus", "Морж")

    assert i18n_tool.fill(catalogue, given) == ["Walrus"]
    found = catalogue["Seal"]
    assert found is not None
    assert found.string == "Пломба"


def test_a_text_that_a_draft_lacks_is_shown_in_the_language_its_readers_know() -> None:
    catalogue = translations("ky")
    assert catalogue.gettext("A text that is in no catalogue") == "A text that is in no catalogue"
    reviewed = translations("ru")
    lacking = [
        m.id
        for m in i18n_tool.read_catalogue("ky")
        if isinstance(m.id, str) and m.id and not m.context and not m.string
    ]
    for text in lacking:
        assert catalogue.gettext(text) == reviewed.gettext(text)


def test_a_draft_may_lack_texts_and_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert i18n_tool.main(["check"]) == 0
    told = capsys.readouterr().out
    for language in DRAFTS:
        assert f"{language} (draft):" in told
