"""Draw the application's icons from casemgmt/static/icon.svg with Chromium. Run it after the drawing has changed.

`any` is the drawing itself; `maskable` has it at 90 % on a full square, because phones cut icons to circles and
rounded squares and promise to keep only the middle (a circle of 80 % of the width). Each picture names the drawing
it was made from, in a text chunk, so that a test sees an old one.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from pathlib import Path

from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, sync_playwright

STATIC = Path(__file__).resolve().parents[1] / "casemgmt" / "static"
GROUND = "#0b2239"
WANTED = (("any", 192), ("any", 512), ("maskable", 192), ("maskable", 512), ("apple", 180))


def draw(browser: Browser, drawing: str, purpose: str, size: int) -> bytes:
    share, ground = (100, "transparent") if purpose == "any" else (90, GROUND)
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(
        f"<style>html,body{{margin:0;height:100%;background:{ground};display:grid;place-items:center}}"
        f"svg{{width:{share}%;height:{share}%}}</style>{drawing}"
    )
    picture = page.screenshot(omit_background=True)
    page.close()
    return picture


def main() -> None:
    drawing = (STATIC / "icon.svg").read_text(encoding="utf-8")
    note = PngImagePlugin.PngInfo()
    note.add_text("Source-SHA256", hashlib.sha256(drawing.encode()).hexdigest())
    with sync_playwright() as playwright:
        path = os.environ.get("CASEMGMT_TEST_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path)
        for purpose, size in WANTED:
            picture = Image.open(io.BytesIO(draw(browser, drawing, purpose, size)))
            target = STATIC / "icons" / f"{purpose}-{size}.png"
            picture.save(target, pnginfo=note, optimize=True)
            print(target, target.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
