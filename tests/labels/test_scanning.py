"""Labels held before a camera: read, ticked, refused with words. The camera is a film of a label we drew ourselves."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from casemgmt.core.db import Database
from casemgmt.core.web.signin import COOKIE
from casemgmt.labels.drawing import Label, draw
from casemgmt.labels.stocks import STOCKS
from tests.cast import Member, World
from tests.chromium import program
from tests.frontend.looking import axe, overflow
from tests.labels.test_drawing import rendered
from tests.records import register_seizure

WIDTH, HEIGHT = 1280, 720


def film(path: Path, address: str, *, degrees: float = 0, dark: float = 1.0, noise: float = 0.0) -> Path:
    """One still second of a printed label, as cameras give it: YUV 4:2:0 in a Y4M file."""
    label = rendered(draw(STOCKS["62x29"], [Label(address, "2026-0412-00137-9/3", ["Heroin", "512.5 g"])])).convert("L")
    larger = 1.4 if degrees else 2
    label = label.resize((int(label.width * larger), int(label.height * larger)))
    label = label.rotate(degrees, expand=True, fillcolor=190)
    frame = Image.new("L", (WIDTH, HEIGHT), 190)
    frame.paste(label, ((WIDTH - label.width) // 2, (HEIGHT - label.height) // 2))
    frame = frame.point(lambda value: int(value * dark))
    if noise:
        frame = Image.blend(frame, Image.frombytes("L", frame.size, os.urandom(WIDTH * HEIGHT)), noise)
    luma, chroma = frame.tobytes(), bytes([128]) * (WIDTH * HEIGHT // 2)
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + (b"FRAME\n" + luma + chroma) * 4)
    return path


@contextmanager
def phone(address: str, member: Member, camera: Path | None) -> Iterator[Page]:
    """A telephone whose camera shows the film; without one, a telephone that was refused its camera."""
    args = ["--disable-gpu", "--use-fake-device-for-media-stream"]
    if camera:
        args.append(f"--use-file-for-fake-video-capture={camera}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=args)
        try:
            context = browser.new_context(
                viewport={"width": 412, "height": 839}, is_mobile=True, has_touch=True,
                permissions=["camera"] if camera else [],
            )  # fmt: skip
            context.add_cookies([{"name": COOKIE, "value": member.token, "url": address}])
            yield context.new_page()
        finally:
            browser.close()


async def scan(address: str, member: Member, camera: Path | None, visit: Callable[[Page], None]) -> None:
    def run() -> None:
        with phone(address, member, camera) as page:
            page.goto(f"{address}/hand-overs/new")
            page.get_by_role("button", name="Scan labels").click()
            visit(page)

    await asyncio.to_thread(run)


@pytest.mark.browser
@pytest.mark.parametrize(
    "seen",
    [{}, {"degrees": 35}, {"dark": 0.3, "noise": 0.15}],
    ids=["straight", "askew", "in the dark"],
)
async def test_a_label_before_the_camera_ticks_its_exhibit(
    server: str, app: Any, world: World, database: Database, tmp_path: Path, seen: dict[str, float]
) -> None:
    made = await register_seizure(database, world.aida, "B-2001", "B-2002")
    code = app.state.codes.encode("exhibit", made.exhibits[1].id)
    camera = film(tmp_path / "label.y4m", f"{server}/x/{code}", **seen)

    def visit(page: Page) -> None:
        expect(page.get_by_role("status")).to_contain_text(
            f"{made.exhibits[1].number} chosen, 1 in all.", timeout=20000
        )
        assert axe(page) == []
        page.get_by_role("button", name="Close").click()
        expect(page.locator("dialog")).to_have_count(0)
        ticked = page.locator("#held input:checked").evaluate_all("boxes => boxes.map(b => b.value)")
        assert ticked == [code]
        # the camera's light goes out with the window
        assert page.evaluate("document.querySelectorAll('video').length") == 0

    await scan(server, world.aida, camera, visit)


@pytest.mark.browser
async def test_a_label_of_something_else_ticks_nothing_and_says_so(
    server: str, world: World, database: Database, tmp_path: Path
) -> None:
    await register_seizure(database, world.aida, "B-2003")
    camera = film(tmp_path / "label.y4m", "https://elsewhere.example.org/x/AbC12345")

    def visit(page: Page) -> None:
        expect(page.get_by_role("status")).to_contain_text("not in the list", timeout=20000)
        assert page.locator("#held input:checked").count() == 0

    await scan(server, world.aida, camera, visit)


@pytest.mark.browser
async def test_without_a_camera_the_window_says_to_type_and_the_list_stays(
    server: str, world: World, database: Database
) -> None:
    await register_seizure(database, world.aida, "B-2004")

    def visit(page: Page) -> None:
        expect(page.get_by_role("status")).to_contain_text("type instead", ignore_case=True)
        assert overflow(page) == 0
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        page.get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(re.compile("exhibit="))

    await scan(server, world.aida, None, visit)


async def test_only_the_worker_may_compile_wasm(server: str, browser: Any, app: Any) -> None:
    stranger = browser(None)
    page = await stranger.get("/sign-in")
    assert "wasm" not in page.headers["content-security-policy"]
    version = page.text.partition("/static/")[2].partition("/")[0]
    worker = await stranger.get(f"/static/{version}/js/scan-worker.js")
    assert "'wasm-unsafe-eval'" in worker.headers["content-security-policy"]
    module = await stranger.get(f"/static/{version}/vendor/zxing_reader.wasm")
    assert module.headers["content-type"] == "application/wasm"
