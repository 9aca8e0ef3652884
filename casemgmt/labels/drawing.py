"""Labels as a PDF, one page each, of the stock's exact size. What is printed is data: no text of a label is markup."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import segno
import typst

from casemgmt import fonts
from casemgmt.labels.stocks import Stock, module_dots

MOST = 100
"""Labels of one document: a box of them is printed in several goes."""

_QUIET = 4  # modules of white around a code (ISO/IEC 18004)
_LONG_WORD = re.compile(r"\S{17,}")
_LONGEST = 60  # characters of a line: a description is not the place to look for more


@dataclass(frozen=True, slots=True)
class Label:
    """``address`` is what the code says; ``number`` and ``lines`` are for people. No suspect is named on a label."""

    address: str
    number: str
    lines: Sequence[str]


def draw(stock: Stock, labels: Sequence[Label], signing: Sequence[str] = ()) -> bytes:
    """A PDF with a page for each label, at most MOST. ``signing``: column heads of the hand-written custody lines.

    Blocks for some milliseconds a label: call it in a thread.
    """
    if not 1 <= len(labels) <= MOST:
        raise ValueError(f"between 1 and {MOST} labels, not {len(labels)}")
    data = {
        "width": stock.width, "height": stock.height, "stacked": stock.stacked, "dot": stock.dot,
        "signing": list(signing) if stock.signed else [],
        "labels": [_drawn(stock, label) for label in labels],
    }  # fmt: skip
    found = typst.Compiler(_template(), font_paths=_fonts(), ignore_system_fonts=True).compile(
        format="pdf", sys_inputs={"data": json.dumps(data)}
    )
    if not isinstance(found, bytes):
        raise TypeError("typst answers one document with bytes")
    return found


def _drawn(stock: Stock, label: Label) -> dict[str, object]:
    # make_qr, never make: for a short text that would be a Micro QR code, which telephones do not read
    code = segno.make_qr(label.address, error="q", boost_error=False)
    modules = int(code.symbol_size(border=0)[0])
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=0, xmldecl=False, omitsize=True)
    dots = module_dots(stock, modules)
    return {
        "number": label.number,
        "lines": [_breakable(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…") for line in label.lines],
        "code": picture.getvalue().decode(),
        "side": modules * dots,
        "quiet": _QUIET * dots,
    }


def _breakable(line: str) -> str:
    """Words longer than a label is wide may break where they must, with a zero-width space."""
    return _LONG_WORD.sub(lambda word: "\u200b".join(word[0]), line)


def _template() -> bytes:
    return files("casemgmt.labels").joinpath("label.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts.FOLDER])
