"""Every part of the house style on three screens, by day and night, in each language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.frontend.looking import DEVICES, axe, covered_by, cut_texts, overflow, small_targets, untranslated
from tests.frontend.pseudo import PSEUDO

pytestmark = pytest.mark.browser

PAGES = ("/kitchen/desk", "/kitchen/phone", "/kitchen/receipt", "/kitchen/flash", "/kitchen/error", "/help")
READERS = [("en", "dark"), ("ru", "light"), (PSEUDO, "light")]


@contextmanager
def opened(browser: Browser, site: str, device: str, language: str, scheme: Any = "light") -> Iterator[Page]:
    context = browser.new_context(**DEVICES[device], color_scheme=scheme, locale="ru-RU")
    context.add_cookies([{"name": "lang", "value": language, "url": site}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
    context.close()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("language", "scheme"), READERS)
def test_every_page_is_accessible_and_fits_the_screen(
    browser: Browser, site: str, device: str, language: str, scheme: str
) -> None:
    problems: list[str] = []
    with opened(browser, site, device, language, scheme) as page:
        for path in PAGES:
            page.goto(site + path)
            problems += [f"{path}: {line}" for line in axe(page)]
            problems += [f"{path}: {overflow(page)} px too wide"] if overflow(page) > 0 else []
            problems += [f"{path}: cut text {text}" for text in cut_texts(page)]
    assert problems == []


@pytest.mark.parametrize("language", ["en", "ru", PSEUDO])
@pytest.mark.parametrize("device", ["small phone", "phone"])
def test_a_phone_page_can_be_worked_with_gloves(browser: Browser, site: str, device: str, language: str) -> None:
    with opened(browser, site, device, language) as page:
        page.goto(site + "/kitchen/phone")
        assert small_targets(page, 48) == []
        page.locator("details.menu > summary").click()
        assert small_targets(page, 48) == []
        assert overflow(page) == 0
        assert axe(page) == []


def test_the_check_of_targets_itself_sees(browser: Browser, site: str) -> None:
    with opened(browser, site, "phone", "en") as page:
        page.goto(site + "/kitchen/phone")
        page.evaluate("document.querySelector('#amount').style = 'min-height: 20px; height: 20px'")
        assert small_targets(page, 48) == ["INPUT amount 20"]


def test_the_header_is_one_line(browser: Browser, site: str) -> None:
    for device in DEVICES:
        for language in ("en", "ru", PSEUDO):
            with opened(browser, site, device, language) as page:
                page.goto(site + "/kitchen/desk")
                box = page.locator("header.top").bounding_box()
                assert box is not None
                assert box["height"] == 56


def test_the_focus_is_never_hidden_under_the_save_bar(browser: Browser, site: str) -> None:
    with opened(browser, site, "phone", "ru") as page:
        page.goto(site + "/kitchen/phone")
        bar = page.locator(".bar").bounding_box()
        assert bar is not None
        for _ in range(30):
            page.keyboard.press("Tab")
            assert not covered_by(page, bar["y"]), page.evaluate("document.activeElement.outerHTML")


def test_every_text_of_the_frame_goes_through_the_catalogue(browser: Browser, site: str) -> None:
    with opened(browser, site, "desk", PSEUDO) as page:
        page.goto(site + "/help")
        assert untranslated(page) == []
        page.evaluate("document.querySelector('h1').textContent = 'Help'")
        assert untranslated(page) == ["Help"]


def test_a_printed_receipt_is_one_sheet_without_the_frame(browser: Browser, site: str) -> None:
    with opened(browser, site, "desk", "ru", "dark") as page:
        page.goto(site + "/kitchen/receipt")
        page.emulate_media(media="print", color_scheme="dark")
        for part in (".top", ".foot", ".noprint"):
            assert not page.locator(part).first.is_visible()
        assert page.locator(".printonly").is_visible()
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(11, 12, 12)"
        assert page.pdf(format="A4", prefer_css_page_size=True).count(b"/Type /Page\n") == 1
