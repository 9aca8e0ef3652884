"""Two officers with a telephone each, who hand over by showing each other codes.

The camera is a picture of the test's own making before a real reader: what stands on one telephone's screen is
photographed (a screenshot) and shown, as the frames of a video, to the page of the other, which decodes it with zxing.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.chromium import chromium
from tests.phone.handset import PIN, Handset

_LENS = """
(() => {
    const canvas = document.createElement('canvas');
    canvas.width = 1280;
    canvas.height = 720;
    const paper = canvas.getContext('2d');
    let picture = null;
    let beat = 0;
    const paint = () => {
        paper.fillStyle = beat++ % 2 ? '#404040' : '#414141';
        paper.fillRect(0, 0, 1280, 720);
        const wide = picture && picture.width * 700 / picture.height;
        if (picture) paper.drawImage(picture, 640 - wide / 2, 10, wide, 700);
    };
    window.lens = async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        picture = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
    };
    navigator.mediaDevices.getUserMedia = async () => {
        setInterval(paint, 60);
        return canvas.captureStream(15);
    };
})();
"""


def wait_until(holds: Callable[[], bool], what: str, patience: float = 60) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.2)


class Phone(Handset):
    """A handset whose camera sees what the test holds in front of it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.context.add_init_script(_LENS)

    def see(self, png: bytes) -> None:
        self.page.evaluate("(base64) => window.lens(base64)", base64.b64encode(png).decode())

    def scan(self, button: str, other: Phone, patience: float = 90) -> None:
        """Press ``button`` and hold the camera before the other's screen until the window closes."""
        self.page.get_by_role("button", name=button).click()
        window = self.page.locator("dialog.scan")
        expect(window).to_be_visible()
        end = time.monotonic() + patience
        while window.count() and time.monotonic() < end:
            self.see(other.page.locator("[data-code-picture]").screenshot())
            self.page.wait_for_timeout(300)
        assert window.count() == 0, window.inner_text()

    def sign(self, pin: str = PIN) -> None:
        self.page.locator("[data-sign]").get_by_label("PIN of this phone").fill(pin)
        self.page.get_by_role("button", name="Sign", exact=True).click()
        expect(self.page.locator("[data-sign]")).to_be_hidden(timeout=30_000)

    def ready_for_offline(self) -> None:
        """Until everything that the hand-over needs is kept on this telephone."""
        script = """async () => {
            const readers = (await caches.keys()).filter((name) => name.startsWith('reader-'));
            return readers.length ? (await (await caches.open(readers[0])).keys()).length : 0;
        }"""
        wait_until(lambda: self.page.evaluate(script) == 2, "the reader of codes is kept on the phone")

        def asked() -> bool:
            owner = next((row["owner"] for row in self.rows("keys") if row["name"] == "open"), None)
            return f"held:{owner}" in {row["name"] for row in self.rows("facts")}

        wait_until(asked, "key, numbers and what the officer holds were asked of the server")

    def offer(self, count: int, *, purpose: str = "Storage") -> None:
        """Choose everything that can be handed over, sign, and show the code."""
        self.page.goto("/phone/hand-over")
        boxes = self.page.locator("[data-holding] input")
        expect(boxes).to_have_count(count)
        for number in range(count):
            boxes.nth(number).check()
        self.page.get_by_label(purpose, exact=True).check()
        self.page.get_by_role("button", name="Continue").click()
        self.sign()
        expect(self.page.locator("[data-code-picture] svg")).to_be_visible()

    def receive(self, other: Phone) -> None:
        self.page.goto("/phone/receive")
        self.scan("Scan the giver's code", other)
        expect(self.page.locator("[data-decide]")).to_be_visible()

    def accept_all(self) -> None:
        self.page.get_by_role("button", name="All intact").click()
        self.page.get_by_role("button", name="Continue").click()
        self.sign()
        expect(self.page.locator("[data-code-picture] svg")).to_be_visible()


async def with_pair(server: str, visit: Callable[..., None], *, phones: int = 2, **options: Any) -> None:
    """Run ``visit(giver, receiver, …)`` in a thread of its own. Errors of scripts fail it."""

    def run() -> None:
        with chromium() as (_, browser):
            pair = [Phone(browser, server, **options) for _ in range(phones)]
            try:
                visit(*pair)
            finally:  # an error of a script says more than the expectation that failed because of it
                found = [error for phone in pair for error in phone.errors]
                assert not found, found
            for phone in pair:
                phone.context.close()

    await asyncio.to_thread(run)


def screen(page: Page, path: str) -> None:
    page.screenshot(path=f"test-results/{path}.png", full_page=True)
