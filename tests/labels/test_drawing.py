"""Labels: exact size, nothing cut, and every code decodes at the resolution of the coarsest printer."""

from __future__ import annotations

import io
import re
import subprocess

import pikepdf
import pytest
import segno
import zxingcpp
from PIL import Image

from casemgmt.labels.drawing import MOST, Label, draw
from casemgmt.labels.stocks import STOCKS, Stock, module_dots

COARSEST = 203  # dots per inch
ADDRESS = "https://evidence.customs.example.org/x/AbC12345"
LINES = (
    "Баңгизаттар, наркотические средства",
    "512,5 г",
    "Пломба KG-0098712",
    "Аида Асанова",
    "21.11.2026 03:12 UTC+6",
)
SIGNING = ("Date, time", "Given by", "Received by")
EVERY_STOCK = pytest.mark.parametrize("stock", STOCKS.values(), ids=STOCKS)


def label(number: str = "2026-0412-00137-9/3", lines: tuple[str, ...] = LINES) -> Label:
    return Label(ADDRESS, number, lines)


def rendered(document: bytes, dpi: int = COARSEST) -> Image.Image:
    command = ["pdftoppm", "-r", str(dpi), "-png", "-singlefile", "-"]
    picture = subprocess.run(command, input=document, capture_output=True, check=True).stdout
    return Image.open(io.BytesIO(picture))


def words(document: bytes) -> str:
    command = ["pdftotext", "-layout", "-", "-"]
    return subprocess.run(command, input=document, capture_output=True, check=True).stdout.decode()


@EVERY_STOCK
def test_every_printed_code_decodes_at_203_dpi(stock: Stock) -> None:
    found = zxingcpp.read_barcodes(rendered(draw(stock, [label()], SIGNING)))
    assert [(code.text, str(code.format)) for code in found] == [(ADDRESS, "QR Code")]


def test_a_code_smaller_than_two_dots_a_module_would_not_decode() -> None:
    """The test above can fail: the same label with its code shrunk to a third is read by nobody."""
    picture = rendered(draw(STOCKS["51x25"], [label()]))
    small = picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.NEAREST)
    assert not zxingcpp.read_barcodes(small)


@EVERY_STOCK
def test_the_page_is_exactly_as_large_as_the_stock(stock: Stock) -> None:
    with pikepdf.open(io.BytesIO(draw(stock, [label()] * 3))) as document:
        assert len(document.pages) == 3
        for page in document.pages:
            left, bottom, right, top = (float(x) for x in page.mediabox)
            assert (right - left) / 72 * 25.4 == pytest.approx(stock.width, abs=0.01)
            assert (top - bottom) / 72 * 25.4 == pytest.approx(stock.height, abs=0.01)


@EVERY_STOCK
def test_modules_are_whole_dots_and_the_code_is_of_level_q(stock: Stock) -> None:
    code = segno.make_qr(ADDRESS, error="q", boost_error=False)
    assert (code.error, code.is_micro) == ("Q", False)
    modules = int(code.symbol_size(border=0)[0])
    dots = module_dots(stock, modules)
    assert dots >= 2
    picture = rendered(draw(stock, [label()]), stock.dpi).convert("1")
    (found,) = zxingcpp.read_barcodes(rendered(draw(stock, [label()]), stock.dpi))
    left, row = found.position.top_left.x + dots, found.position.top_left.y + dots // 2
    # the finder pattern begins with seven black modules, then one white
    edges = [
        x
        for x in range(left - 2 * dots, left + 8 * dots)
        if picture.getpixel((x, row)) != picture.getpixel((x + 1, row))
    ]
    assert edges[1] - edges[0] == 7 * dots


@EVERY_STOCK
@pytest.mark.parametrize(
    "lines",
    [LINES, (*LINES, "Ключевое хранилище, стеллаж 14, полка 3"), ("Heroin", "1 kg"), ("W" * 58, "x " * 30, *LINES)],
    ids=["usual", "many", "few", "long"],
)
def test_nothing_is_cut_off(stock: Stock, lines: tuple[str, ...]) -> None:
    document = draw(stock, [label("2026-0412-699999-9/9999", lines)])
    shown = re.sub(r"[\s\u200b]", "", words(document))
    for line in ("2026-0412-699999-9/9999", *lines):
        assert re.sub(r"\s", "", line) in shown
    # clipped ink would touch the edge: the outermost millimetre is white on every side
    picture = rendered(document, 300).convert("L")
    edge = 8
    for box in (
        (0, 0, picture.width, edge), (0, picture.height - edge, picture.width, picture.height),
        (picture.width - edge, 0, picture.width, picture.height), (0, 0, edge, picture.height),
    ):  # fmt: skip
        assert picture.crop(box).getextrema() == (255, 255)


def test_what_people_wrote_is_printed_and_never_run() -> None:
    hostile = '#read("/etc/passwd") $x$ `code` *b* _i_ \\ <a> @ref //c "q" #panic()'
    shown = words(draw(STOCKS["100x50"], [label(lines=(hostile,))]))
    assert '#read("/etc/passwd")' in shown.replace("\u200b", "")
    assert "root:" not in shown


def test_a_document_has_a_bounded_number_of_labels() -> None:
    with pytest.raises(ValueError, match="between 1 and"):
        draw(STOCKS["62x29"], [label()] * (MOST + 1))
    with pytest.raises(ValueError, match="between 1 and"):
        draw(STOCKS["62x29"], [])


def test_only_the_larger_label_has_room_to_sign() -> None:
    assert "Received by" in words(draw(STOCKS["62x100"], [label()], SIGNING))
    assert "Received by" not in words(draw(STOCKS["62x29"], [label()], SIGNING))
