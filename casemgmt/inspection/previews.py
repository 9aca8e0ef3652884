"""Small pictures for printed reports: upright, without the file's own metadata. Runs only in the looking process."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
MOST_PIXELS = 64_000_000
MOST_PIXELS_SHRUNK = 250_000_000
"""Of formats that are decoded at a fraction of their size to begin with."""
QUALITY = 80


def prepare() -> None:
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS_SHRUNK
    Image.init()
    turned = Image.Exif()
    turned[0x0112] = 6
    # Loads what each of them needs while files may still be opened: Pillow imports as it goes.
    for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "I;16"),
                       ("WEBP", "RGBA"), ("GIF", "P"), ("TIFF", "RGB"), ("TIFF", "L")):  # fmt: skip
        made = io.BytesIO()
        Image.new(mode, (8, 8)).save(made, kind, exif=turned)
        if not make(made.getvalue(), 4):
            raise RuntimeError(f"no preview of {kind} {mode}: Pillow is not whole")


def make(data: bytes, edge: int) -> bytes:
    """A JPEG whose longest side is at most ``edge``; empty bytes for what is no picture, broken or too large."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            most = MOST_PIXELS_SHRUNK if image.format in ("JPEG", "MPO") else MOST_PIXELS
            if image.width * image.height > most:
                return b""
            image.draft("RGB", (edge * 2, edge * 2))
            image.thumbnail((edge, edge), reducing_gap=2.0)
            upright = ImageOps.exif_transpose(image)
            out = io.BytesIO()
            _on_white(upright).save(out, "JPEG", quality=QUALITY)
            return out.getvalue()
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a decoder raises whatever the bytes lead it to: there is no picture then
        return b""


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        white = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, seen).convert("RGB")
    return image.convert("RGB")
