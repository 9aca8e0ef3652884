"""A pre-printed bag before the camera: its code is the number of the seal, and one scan is all it takes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cast import World
from tests.frontend.looking import axe, overflow
from tests.labels.test_scanning import film, phone


def on(page: Page, server: str) -> None:
    page.goto(f"{server}/seizures/new")
    page.get_by_role("button", name="Scan").first.click()


@pytest.mark.browser
async def test_the_code_of_a_bag_becomes_its_number(server: str, world: World, tmp_path: Path) -> None:
    camera = film(tmp_path / "bag.y4m", "KG-BAG-0098712")

    def run() -> None:
        with phone(server, world.aida, camera) as page:
            on(page, server)
            expect(page.locator("#exhibits-0-seal")).to_have_value("KG-BAG-0098712", timeout=20000)
            expect(page.locator("dialog.scan")).to_have_count(0)
            expect(page.locator("#exhibits-0-seal")).to_be_focused()
            assert axe(page) == []
            assert overflow(page) == 0
            page.screenshot(path="test-results/screens/register-scan.png")

    await asyncio.to_thread(run)


@pytest.mark.browser
async def test_the_label_of_an_exhibit_is_not_taken_for_a_bag(server: str, world: World, tmp_path: Path) -> None:
    camera = film(tmp_path / "label.y4m", f"{server}/x/AbC12345")

    def run() -> None:
        with phone(server, world.aida, camera) as page:
            on(page, server)
            expect(page.locator("dialog.scan [role=status]")).to_contain_text("label of an exhibit", timeout=20000)
            expect(page.locator("#exhibits-0-seal")).to_have_value("")

    await asyncio.to_thread(run)


@pytest.mark.browser
async def test_where_the_reader_cannot_be_loaded_the_window_says_to_type(
    server: str, world: World, tmp_path: Path
) -> None:
    camera = film(tmp_path / "bag.y4m", "KG-BAG-0098712")

    def run() -> None:
        with phone(server, world.aida, camera) as page:
            page.context.route("**/scan-worker.js", lambda route: route.abort())
            on(page, server)
            expect(page.locator("dialog.scan [role=status]")).to_contain_text("Type it instead", timeout=20000)

    await asyncio.to_thread(run)
