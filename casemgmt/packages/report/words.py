"""The report's words by language, and code lists in that language."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from casemgmt.core.i18n import translations
from casemgmt.reference import lists

LANGUAGES = ("en", "ru", "ky")
"""Kyrgyz is a draft, and says so on its first page."""


class Words:
    """``words("steps.from")`` is a text; named values fill it. ``tree`` is all of it, as the template reads it."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree
        self.language: str = tree["language"]

    def __call__(self, name: str, /, **values: object) -> str:
        section, _, key = name.partition(".")
        text = str(self.tree[section][key])
        return text % values if values else text

    def code(self, list_name: str, code: str | None) -> str:
        """The label of a code; the code itself where its list does not know it."""
        if not code:
            return ""
        try:
            label = lists.get(list_name, code).label
        except lists.UnknownCodeError:
            return code
        return translations(self.language).gettext(label)


@cache
def words(language: str) -> Words:
    """Raises KeyError for a language there is no report in."""
    if language not in LANGUAGES:
        raise KeyError(language)
    source = files("casemgmt.packages.report").joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    return Words(tomllib.loads(source))
