"""Real pictures, small ones."""

import io

from PIL import Image


def picture(shade: int = 90) -> bytes:
    """A real JPEG; another shade, other bytes."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 120, 60)).save(out, "JPEG")
    return out.getvalue()
