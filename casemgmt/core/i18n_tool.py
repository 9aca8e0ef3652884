"""Keeps the catalogues in step with the texts of the program. Run by ``make messages``.

    python -m casemgmt.core.i18n_tool update            new texts into every catalogue
    python -m casemgmt.core.i18n_tool fill ru FILE...   take translations from other PO files
    python -m casemgmt.core.i18n_tool check             list what is missing; exit 1 if a reviewed language lacks a text

Texts that are no longer used are kept as obsolete entries and come back with their translation
when they are used again. Nothing is ever guessed from a similar text.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from casemgmt.core.i18n import CATALOGUE_ROOT, DRAFTS, LANGUAGES, SOURCE_LANGUAGE, catalogue_path

PACKAGE = Path(__file__).resolve().parent.parent

METHODS = [
    ("**.py", "python"),
    ("templates/**.html", "jinja2"),
    ("reference/data/**.toml", "casemgmt.reference.extraction:extract_labels"),
]
OPTIONS = {
    # A template that does not parse stops the run: skipping it would drop its texts.
    "templates/**.html": {
        "silent": "false",
        "trimmed": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
    }
}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "PN_": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_HEADER = """\
# Texts of casemgmt.
# This file is distributed under the same licence as casemgmt.
#"""

_UNDATED = datetime(2026, 1, 1, tzinfo=UTC)


def translated_languages() -> list[str]:
    return [language for language in LANGUAGES if language != SOURCE_LANGUAGE]


def extract() -> Catalog:
    """Every text of the program, with the files (not the lines) it stands in."""
    template = Catalog(project="casemgmt", charset="utf-8")
    marks = ("Translators:",)
    found = extract_from_dir(PACKAGE, METHODS, OPTIONS, KEYWORDS, marks, strip_comment_tags=True)
    for name, line, message, comments, context in found:
        template.add(message, None, [(f"casemgmt/{name}", line)], auto_comments=comments, context=context)
    return template


def read_catalogue(language: str) -> Catalog:
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="casemgmt", charset="utf-8", fuzzy=False)
    with path.open("rb") as source:
        return read_po(source, locale=language)


def merge(catalogue: Catalog, template: Catalog) -> None:
    """Bring the catalogue to exactly the template's texts, keeping every translation it had."""
    for message in list(catalogue.obsolete.values()):
        if message.id in template and catalogue.get(message.id, message.context) is None:
            catalogue.add(message.id, message.string, context=message.context)
    catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
    for message in catalogue:
        if message.id:
            catalogue.obsolete.pop(catalogue._key_for(message.id, message.context), None)
    catalogue.fuzzy = False


def fill(catalogue: Catalog, given: Catalog) -> list[str]:
    """Copy the translations of ``given``; answers with the texts the catalogue does not have."""
    unknown: list[str] = []
    for message in given:
        if not message.id or not is_translated(message):
            continue
        known = catalogue.get(message.id, message.context)
        if known is None:
            unknown.append(str(message.id))
            continue
        known.string = message.string
        known.flags.discard("fuzzy")
    return unknown


def is_translated(message: Message) -> bool:
    forms = message.string or ()
    return bool(forms) and all(forms)


def missing(language: str, template: Catalog) -> list[str]:
    """What keeps the catalogue from being complete, one sentence each."""
    catalogue = read_catalogue(language)
    problems: list[str] = []
    for message in template:
        if not message.id:
            continue
        known = catalogue.get(message.id, message.context)
        if known is None:
            problems.append(f"{language}: not in the catalogue: {message.id!r}")
        elif not is_translated(known):
            problems.append(f"{language}: not translated: {message.id!r}")
        elif known.fuzzy:
            problems.append(f"{language}: fuzzy: {message.id!r}")
    return problems


@contextmanager
def _alone() -> Iterator[None]:
    """One writer of catalogues at a time on this machine."""
    handle = os.open(CATALOGUE_ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(language: str, catalogue: Catalog) -> None:
    catalogue.header_comment = _HEADER
    # Facts that change on every run would make every change of a text a conflict of two people.
    catalogue.project, catalogue.version, catalogue.last_translator = "casemgmt", "1", "casemgmt"
    catalogue.language_team = language
    catalogue.creation_date = catalogue.revision_date = _UNDATED
    catalogue.msgid_bugs_address = "see CONTRIBUTING"
    text = io.BytesIO()
    write_po(text, catalogue, width=100, include_lineno=False, sort_by_file=True)
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".po.new")
    draft.write_bytes(text.getvalue())
    draft.replace(path)


def _update(languages: Sequence[str], sources: Sequence[Path] = ()) -> list[str]:
    unknown: list[str] = []
    with _alone():
        template = extract()
        for language in languages:
            catalogue = read_catalogue(language)
            merge(catalogue, template)
            for source in sources:
                with source.open("rb") as handle:
                    unknown += fill(catalogue, read_po(handle, locale=language))
            _write(language, catalogue)
    return unknown


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("update", help="put new texts into every catalogue")
    filler = commands.add_parser("fill", help="take translations from other PO files")
    filler.add_argument("language", choices=translated_languages())
    filler.add_argument("files", nargs="+", type=Path)
    commands.add_parser("check", help="list what is missing")
    chosen = parser.parse_args(arguments)

    if chosen.command == "fill":
        unknown = _update([chosen.language], chosen.files)
        for text in unknown:
            print(f"not a text of the program: {text}", file=sys.stderr)
        return 1 if unknown else 0
    if chosen.command == "update":
        _update(translated_languages())
    template = extract()
    found = {language: missing(language, template) for language in translated_languages()}
    problems = [line for language, lines in found.items() if language not in DRAFTS for line in lines]
    print("\n".join(problems) or "every catalogue that must be complete is complete")
    for language in DRAFTS:
        print(f"{language} (draft): {len(found[language])} texts of {len(template)} not translated yet")
    return 1 if problems and chosen.command == "check" else 0


if __name__ == "__main__":
    sys.exit(main())
