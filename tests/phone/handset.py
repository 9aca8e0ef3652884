"""One officer's telephone: a real Chromium with the phone pages, driven through what a person sees."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Geolocation, Page, ViewportSize, expect

from casemgmt.core.web.signin import COOKIE
from tests.cast import Member
from tests.chromium import PATIENCE, chromium

PIN = "402917"

# What is asked of the phone's store when the pages cannot say it: the modules themselves, in the page.
_MODULE = "async (name) => import(document.querySelector('script[type=module]').src.replace(/app\\.js$/, '') + name)"


class Handset:
    """A browser profile of its own on one server."""

    def __init__(self, browser: Browser, server: str, **options: Any) -> None:
        context = browser.new_context(
            base_url=server,
            viewport=ViewportSize(width=412, height=839),
            is_mobile=True,
            has_touch=True,
            locale=options.pop("locale", "en-GB"),
            timezone_id="Asia/Bishkek",
            geolocation=Geolocation(latitude=42.8746, longitude=74.5698, accuracy=12),
            permissions=options.pop("permissions", ["geolocation"]),
            **options,
        )
        self._use(context, server)

    @classmethod
    def of(cls, context: BrowserContext, server: str) -> Handset:
        """For a profile that is opened again."""
        handset = cls.__new__(cls)
        handset._use(context, server)
        return handset

    def _use(self, context: BrowserContext, server: str) -> None:
        self.context, self.server = context, server
        self.context.set_default_timeout(PATIENCE)
        # Requests are looked at from the first one on: switched on later, some would pass unseen.
        self.context.route("**/nothing-asks-for-this", lambda route: route.abort())
        self.errors: list[str] = []
        self.page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if "Policy" in m.text else None)
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    def sign_in(self, member: Member) -> None:
        """As the sign-in page would, without its password: the session's cookie."""
        self.context.clear_cookies(name=COOKIE)
        self.context.add_cookies([{"name": COOKIE, "value": member.token, "url": self.server}])

    def sign_out(self) -> None:
        self.context.clear_cookies(name=COOKIE)

    def set_up(self, member: Member, pin: str = PIN) -> None:
        """Sign in, wait for the service worker, set a PIN."""
        self.sign_in(member)
        self.page.goto("/phone")
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self.page.get_by_label("PIN, at least 6 digits", exact=True).fill(pin)
        self.page.get_by_label("The same PIN again").fill(pin)
        self.page.get_by_role("button", name="Set the PIN").click()
        expect(self.page.locator("[data-setup]")).to_be_hidden()
        expect(self.page.get_by_role("button", name="Lock this phone")).to_be_visible()
        self.page.reload()  # a page that was open before the worker is not controlled by it

    def enter_pin(self, pin: str = PIN) -> None:
        self.page.locator("[data-unlock]").get_by_label("PIN of this phone").fill(pin)
        self.page.get_by_role("button", name="Unlock").click()

    def unlock(self, pin: str = PIN) -> None:
        self.enter_pin(pin)
        expect(self.page.locator("[data-unlock]")).to_be_hidden()

    def begin(self, address: str = "/phone/new") -> None:
        self.page.goto(address)
        expect(self.page.locator("form.intake")).to_be_visible()

    def photograph(self, *paths: Path, count: int | None = None) -> None:
        before = self.page.locator("[data-shots-list] li").count()
        for path in paths:
            self.page.set_input_files("#photos", str(path))
        expected = before + len(paths) if count is None else count
        expect(self.page.locator("[data-shots-list] li")).to_have_count(expected, timeout=60_000)

    def fill(self, *, seal: str = "00451879", quantity: str = "512,5", category: str = "DRUG") -> None:
        self.page.locator(f"input[value={category}]").check(force=True)
        self.page.fill("#exhibits-0-seal", seal)
        self.page.fill("#exhibits-0-quantity", quantity)

    def save(self) -> None:
        self.page.get_by_role("button", name="Save seizure").click()
        self.page.wait_for_url("**/phone?saved=*")
        expect(self.page.locator("[data-state]").first).to_be_visible()

    def register(self, *photos: Path, seal: str = "00451879") -> None:
        """A whole seizure on the phone's own page."""
        self.begin()
        self.photograph(*photos)
        self.fill(seal=seal)
        self.save()

    def offline(self, off: bool = True) -> None:
        self.context.set_offline(off)

    def states(self) -> list[str]:
        """The state words of the list, newest first."""
        return [text.strip() for text in self.page.locator("[data-state]").all_inner_texts()]

    def expect_state(self, *words: str) -> None:
        expect(self.page.locator("[data-state]")).to_have_text(list(words))

    def kill(self) -> None:
        """As a telephone short of memory does it: the page's process ends at once, with whatever it was doing."""
        browser = self.context.browser
        assert browser is not None
        found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        with self.page.expect_event("crash"):
            for process in found:
                if process["type"] == "renderer":
                    os.kill(process["id"], signal.SIGKILL)
        self.page.close()
        self.page = self.open()

    def rows(self, store: str = "records") -> list[dict[str, Any]]:
        """What lies in the phone's store, in clear; sealed bytes are left out."""
        script = f"""async () => {{
            const {{ readAll }} = await ({_MODULE})('phone/database.js');
            return (await readAll('{store}')).map((row) => JSON.parse(JSON.stringify(row)));
        }}"""
        return list(self.page.evaluate(script))

    def chunks(self) -> int:
        script = f"""async () => {{
            const {{ ask, transact }} = await ({_MODULE})('phone/database.js');
            const keys = await transact(['chunks'], 'readonly', (chunks) => ask(chunks.getAllKeys()));
            return keys.filter(([first]) => first !== 'reserve').length;
        }}"""
        return int(self.page.evaluate(script))

    def until(self, told: Callable[[], bool], what: str) -> None:
        """Wait for what the pages do by themselves and do not show."""
        end = time.monotonic() + PATIENCE / 1000
        while not told():
            assert time.monotonic() < end, f"never: {what}"
            self.page.wait_for_timeout(100)

    def expect_chunks(self, count: int) -> None:
        self.until(lambda: self.chunks() == count, f"{count} sealed pieces")

    def tamper(self, script: str) -> None:
        """Run ``script`` with the phone's stores: ``async ({ask, transact}) => …``."""
        self.page.evaluate(f"async () => ({script})(await ({_MODULE})('phone/database.js'))")

    def answer(self, pattern: str, status: int, *, times: int | None = None, title: str = "No.") -> None:
        """The server's refusal, as this status, to everything that fits ``pattern``."""
        body = json.dumps({"type": "urn:casemgmt:problem:test", "title": title, "status": status})
        self.context.route(
            pattern,
            lambda route: route.fulfill(status=status, content_type="application/problem+json", body=body),
            **({"times": times} if times else {}),
        )


async def with_phone(server: str, visit: Callable[[Handset], None], **options: Any) -> None:
    """Run ``visit`` in a thread of its own: the server lives in this one's event loop. Errors of scripts fail it."""

    def run() -> None:
        with chromium("--use-fake-device-for-media-stream") as (_, browser):
            handset = Handset(browser, server, **options)
            visit(handset)
            assert not handset.errors, handset.errors
            handset.context.close()

    await asyncio.to_thread(run)
