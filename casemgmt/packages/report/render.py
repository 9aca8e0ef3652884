"""From a report as data to a PDF/A-3b. Pure: the same report and language give the same pages.

typst sees one directory that holds the previews and nothing else, the shipped fonts, and no network; every text reaches
it as data.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import typst

from casemgmt import fonts
from casemgmt.packages.report.layout import Pages, lay_out
from casemgmt.packages.report.model import Report
from casemgmt.packages.report.words import words

STANDARD: Final = "a-3b"


class ReportError(Exception):
    """The report could not be made; nothing was written."""


def render(report: Report, language: str) -> bytes:
    """The report in ``en``, ``ru`` or ``ky``. Blocks: call it in a thread. Raises KeyError for another language and
    ReportError when a preview is not a picture."""
    pages = lay_out(report, words(language))
    with tempfile.TemporaryDirectory(prefix="casemgmt-report-") as name:
        root = Path(name)
        for file, preview in pages.previews.items():
            (root / file).write_bytes(preview)
        return _compile(pages, root)


def _compile(pages: Pages, root: Path) -> bytes:
    compiler = typst.Compiler(
        _template(), root=str(root), font_paths=_fonts(), ignore_system_fonts=True,
        package_path=str(root / "no-packages"), package_cache_path=str(root / "no-packages"),
    )  # fmt: skip
    try:
        made = compiler.compile(
            format="pdf",
            pdf_standards=[STANDARD],
            sys_inputs={"data": json.dumps(pages.data)},
            timestamp=_whole_second(pages.made_at),
        )
    except typst.TypstError as error:
        raise ReportError(f"the report cannot be typeset: {error.message}") from error
    if not isinstance(made, bytes):
        raise ReportError("typst answers one document with bytes")
    return made


def _whole_second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _template() -> bytes:
    return files("casemgmt.packages.report").joinpath("report.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts.FOLDER])
