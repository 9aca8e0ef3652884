"""A person's phone or computer, and everything that is looked at on each page they see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, expect

from casemgmt.core.i18n import LANGUAGES, translations
from casemgmt.demo.cast import PASSWORD
from tests.chromium import PATIENCE
from tests.frontend.looking import axe, cut_texts, overflow, small_targets

NARROW = {"width": 320, "height": 640}
GLOVE = 48  # pixels a gloved finger needs


@dataclass
class Notes:
    """What was wrong, over all devices of a test; ``screens`` is where pictures go, None for no pictures."""

    screens: Path | None
    faults: list[str] = field(default_factory=list)
    pictures: int = 0

    def shoot(self, page: Page, name: str) -> None:
        if self.screens is None:
            return
        self.screens.mkdir(parents=True, exist_ok=True)
        self.pictures += 1
        page.screenshot(path=self.screens / f"{name}.png", full_page=True, scale="css")


class Device:
    """One person's browser. Pages are driven through what a person sees: words, labels, buttons."""

    def __init__(
        self, context: BrowserContext, login: str, language: str, notes: Notes, *, gloves: bool, scripts: bool = True
    ) -> None:
        self.context, self.login, self.language, self.notes, self.gloves = context, login, language, notes, gloves
        self.scripts = scripts
        self.seen: dict[str, str] = {}  # name of the look -> address, of pages that can be opened again
        self._expected: set[int] = set()
        self._failing = 0
        context.set_default_timeout(PATIENCE)
        self.page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._note(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def words(self, message: str, context: str | None = None, /, **values: object) -> str:
        """A text of the pages in this device's language. An untranslated one is a fault."""
        catalogue = translations(self.language)
        found = catalogue.pgettext(context, message) if context else catalogue.gettext(message)
        if self.language != "en" and found == message:
            self._note(f"not translated: {message}")
        return found % values

    def press(self, message: str, context: str | None = None) -> None:
        """The button or link with these words, and wait for the page that answers."""
        words = re.compile("^" + re.escape(self.words(message, context)))
        main = self.page.locator("main")
        target = main.get_by_role("button", name=words).or_(main.get_by_role("link", name=words)).first
        target.click()
        self.page.wait_for_load_state("load")

    def sign_in(self) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_label(self.words("Sign-in name")).fill(self.login)
        self.page.get_by_label(self.words("Password")).fill(PASSWORD)
        self.press("Sign in")
        self.page.wait_for_url("**/")

    @contextmanager
    def refusal(self, status: int = 422) -> Iterator[None]:
        """Inside, an answer with this status is what the story wants, and at least one must come."""
        self._expected.add(status)
        before = self._failing
        yield
        self.page.wait_for_load_state("load")
        if self._failing == before:
            self._note(f"no answer {status} came")
        self._expected.discard(status)

    def look(self, name: str, *, again: bool = True, error: bool = False) -> None:
        """Judge the page as it stands, and keep a picture.

        ``again``: its address shows the same page, so that it can be looked at in the other language afterwards.
        ``error``: it is a refused form, and its title has to say so.
        """
        page = self.page
        page.wait_for_load_state("load")
        self._judge(name)
        if self.gloves:
            self._note_all(name, small_targets(page, GLOVE), "too low for gloves")
        title = page.title()
        if title.startswith(self.words("Error:")) != error:
            self._note(f"{name}: title {title!r}")
        self.notes.shoot(page, name)
        usual = page.viewport_size
        assert usual
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self._fits(name)
        page.set_viewport_size(usual)
        if again:
            self.seen[name] = page.url

    def look_again_at_night(self) -> None:
        """Every page seen, in the other language, by night, on the narrowest screen."""
        self.change_language()
        self.page.emulate_media(color_scheme="dark")
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        for name, address in self.seen.items():
            self.page.goto(address)
            self._judge(f"{name}-{self.language}-night")
            self._fits(f"{name}-{self.language}-night")
            self.notes.shoot(self.page, f"{name}-{self.language}-night")

    def change_language(self) -> None:
        """To the other one, in the menu."""
        self.page.goto("/")
        self.language = next(code for code in LANGUAGES if code != self.language)
        self.page.locator("details.menu > summary").click()
        self.page.get_by_role("button", name=LANGUAGES[self.language]).click()
        expect(self.page.locator("html")).to_have_attribute("lang", self.language)

    def _judge(self, name: str) -> None:
        self._note_all(name, axe(self.page), "axe")
        language = self.page.locator("html").get_attribute("lang")
        if language != self.language:
            self._note(f"{name}: <html lang> is {language}")

    def _fits(self, name: str) -> None:
        if (beyond := overflow(self.page)) > 0:
            self._note(f"{name}: {beyond} px wider than a screen of 320 px")
        self._note_all(name, cut_texts(self.page), "cut")

    def _note_all(self, name: str, faults: list[str], kind: str) -> None:
        for fault in faults:
            self._note(f"{name}: {kind}: {fault}")

    def _note(self, words: str) -> None:
        self.notes.faults.append(f"{self.login}: {words} ({self.page.url if hasattr(self, 'page') else ''})")

    def _heard(self, message: ConsoleMessage) -> None:
        refused = re.search(r"responded with a status of (\d+)", message.text)
        if message.type in {"error", "warning"} and not refused:  # refusals are judged as answers
            self._note(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # A download takes the page's navigation away, and leaving a page stops what it still loads. Scripts that a page
        # names beforehand are refused where there are none.
        refused = not self.scripts and request.url.endswith(".js") and request.failure == "csp"
        if request.failure != "net::ERR_ABORTED" and not refused:
            self._note(f"request: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status < 400:
            return
        if response.status in self._expected:
            self._failing += 1
        else:
            self._note(f"answer {response.status}: {response.request.method} {response.url}")
