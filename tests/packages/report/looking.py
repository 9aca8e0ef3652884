"""The report as other programs read it: poppler's text and word boxes, pikepdf's structure."""

import html
import io
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

MARGIN = 20 / 25.4 * 72  # points
WIDTH = 210 / 25.4 * 72
DPI = 144


def text_of(pdf: bytes) -> str:
    return _poppler(pdf, "pdftotext", "-layout")


@dataclass(frozen=True)
class Word:
    """A word with its box on its page (from 0), in points."""

    text: str
    page: int
    left: float
    top: float
    right: float
    bottom: float


def words_of(pdf: bytes) -> list[Word]:
    found, page = [], -1
    for part in re.findall(r"<page |<word [^>]*>.*?</word>", _poppler(pdf, "pdftotext", "-bbox")):
        if part.startswith("<page"):
            page += 1
            continue
        edges = [float(edge) for edge in re.findall(r'"([\d.-]+)"', part)]
        text = html.unescape(part[part.index(">") + 1 : -len("</word>")])
        found.append(Word(text, page, *edges))
    return found


def clipped(pdf: bytes, hashes: Iterable[str]) -> list[str]:
    """Hashes that do not stand whole, on one line and between the margins, on any page."""
    whole = {w.text for w in words_of(pdf) if w.left >= MARGIN - 1 and w.right <= WIDTH - MARGIN + 1}
    return sorted(set(hashes) - whole)


def unseen(pdf: bytes, hashes: Iterable[str]) -> list[str]:
    """Hashes of which a reader does not see every digit: the text of a PDF may be there and not be painted."""
    pages = _painted(pdf)
    seen = {word.text for word in words_of(pdf) if _all_digits_painted(pages[word.page], word)}
    return sorted(set(hashes) - seen)


def _all_digits_painted(page: Image.Image, word: Word) -> bool:
    step = (word.right - word.left) / len(word.text)
    for i in range(len(word.text)):
        begin = word.left + i * step
        left, top, right, bottom = (round(edge * DPI / 72) for edge in (begin, word.top, begin + step, word.bottom))
        if not any(page.crop((left, top, right, bottom)).histogram()[:128]):
            return False
    return True


def _painted(pdf: bytes) -> list[Image.Image]:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "report.pdf").write_bytes(pdf)
        subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", "report.pdf", "page"], cwd=name, check=True)
        return [Image.open(io.BytesIO(path.read_bytes())) for path in sorted(Path(name).glob("page*.pgm"))]


def structure(pdf: bytes) -> dict[str, Any]:
    """What a PDF/A-3b must have."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        about, root = document.open_metadata(), document.Root
        intents = list(root.get("/OutputIntents", []))
        fonts = [font for page in document.pages for font in _fonts(page.get("/Resources", {}))]
        return {
            "part": about.get("pdfaid:part"), "conformance": about.get("pdfaid:conformance"),
            "intents": [str(intent.get("/S")) for intent in intents],
            "profile": all("/DestOutputProfile" in intent for intent in intents),
            "id": "/ID" in document.trailer, "encrypted": document.is_encrypted, "fonts": len(fonts),
            "embedded": all(_embedded(font) for font in fonts), "tagged": "/MarkInfo" in root,
            "language": str(root.get("/Lang")), "scripts": "/JavaScript" in str(root.get("/Names", "")),
            "pages": len(document.pages),
        }  # fmt: skip


def _fonts(resources: Any) -> list[Any]:
    return list((resources.get("/Font", {}) or {}).values())


def _embedded(font: Any) -> bool:
    descriptor = font.get("/DescendantFonts", [font])[0].get("/FontDescriptor", {})
    return any(name in descriptor for name in ("/FontFile", "/FontFile2", "/FontFile3"))


def _poppler(pdf: bytes, *command: str) -> str:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "report.pdf").write_bytes(pdf)
        done = subprocess.run(
            [*command, "report.pdf", "-"], cwd=name, capture_output=True, check=True, text=True, encoding="utf-8"
        )
    return done.stdout
