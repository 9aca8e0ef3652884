"""The label stocks evidence rooms buy. Sizes are the makers'; resolution is that of the printers that take them."""

from __future__ import annotations

from dataclasses import dataclass

MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Stock:
    """``width`` and ``height`` of the page and the widest code on it in millimetres; ``dpi`` in dots per inch.

    ``stacked``: the text stands under the code. ``signed``: room for hand-written custody lines.
    """

    key: str
    name: str
    width: float
    height: float
    dpi: int
    code: float
    stacked: bool = False
    signed: bool = False

    @property
    def dot(self) -> float:
        """Millimetres of one dot of the printer."""
        return MM_PER_INCH / self.dpi


STOCKS = {
    stock.key: stock
    for stock in (
        Stock("62x29", "Brother DK 62 × 29 mm", 62, 29, 300, 25),
        Stock("62x100", "Brother DK 62 × 100 mm", 62, 100, 300, 40, stacked=True, signed=True),
        Stock("29x90", "Brother DK 29 × 90 mm", 29, 90, 300, 26, stacked=True),
        Stock("102x51", "Brother DK 102 × 51 mm", 102, 51, 300, 44),
        Stock("51x25", "Zebra 51 × 25 mm (2 × 1 in)", 50.8, 25.4, 203, 20),
        Stock("100x50", "Zebra 100 × 50 mm (4 × 2 in)", 100, 50, 203, 44),
    )
}
DEFAULT = "62x29"


def module_dots(stock: Stock, modules: int) -> int:
    """Whole dots of one module, so that a thermal printer rounds none of them: the most that fit, and at least two.

    ``modules`` counts the code without its quiet zone, which the label's own white gives.
    """
    return max(2, int(stock.code / stock.dot) // modules)
