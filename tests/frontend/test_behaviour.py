"""What the small scripts do, and that every page works without them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.frontend.looking import DEVICES

pytestmark = pytest.mark.browser

PHOTO = b"\xff\xd8\xff\xe0 a photograph"
OTHER = b"\xff\xd8\xff\xe0 another one"

Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Open]:
    contexts = []

    def _open(path: str, device: str = "phone", **options: Any) -> Page:
        context = browser.new_context(base_url=site, **DEVICES[device], timezone_id="Asia/Bishkek", **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield _open
    for context in contexts:
        context.close()


def take(page: Page, *contents: bytes, early: bool = False) -> None:
    """Choose photographs once the script is there, or before."""
    if not early:
        expect(page.locator("[data-photos-gallery]")).to_be_visible()
    files = [{"name": f"{index}.jpg", "mimeType": "image/jpeg", "buffer": c} for index, c in enumerate(contents, 1)]
    page.locator("#photo").set_input_files(files)  # type: ignore[arg-type]


def chosen(page: Page) -> list[list[int]]:
    script = """async () => Promise.all([...document.querySelector('#photo').files]
        .map(async f => [...new Uint8Array(await f.arrayBuffer())]))"""
    return list(page.evaluate(script))


def fingerprints(page: Page) -> Any:
    return json.loads(page.locator("[name=photo_sha256]").input_value() or "[]")


def test_photographs_of_several_takes_are_kept_together_with_their_fingerprints(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO)
    take(page, OTHER)

    expect(page.locator("[data-photos-status]")).to_have_text("Photographs chosen: 2 of 3")
    expect(page.locator("[data-photo-list] img")).to_have_count(2)
    assert fingerprints(page) == [hashlib.sha256(c).hexdigest() for c in (PHOTO, OTHER)]
    assert [bytes(content) for content in chosen(page)] == [PHOTO, OTHER]


def test_a_removed_photograph_is_not_sent(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO, OTHER)
    page.get_by_role("button", name="Remove photograph 1").click()

    expect(page.locator("[data-photo-list] img")).to_have_count(1)
    assert [bytes(content) for content in chosen(page)] == [OTHER]
    expect(page.locator("[name=photo_sha256]")).to_have_value(json.dumps([hashlib.sha256(OTHER).hexdigest()]))


def test_photographs_above_the_limit_are_left_out_by_name(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO, PHOTO, OTHER, OTHER)
    expect(page.locator("[data-photos-status]")).to_contain_text("4.jpg")
    assert len(chosen(page)) == 3


def test_a_photograph_taken_before_the_script_arrived_is_kept_and_shown(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, **DEVICES["phone"])
    page = context.new_page()
    held: list[Route] = []
    page.route("**/photos.js", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function it is given
    page.goto("/kitchen/phone")
    take(page, PHOTO, early=True)
    while not held:
        page.wait_for_timeout(20)
    expect(page.locator("[data-photo-list] img")).to_have_count(0)
    held[0].continue_()
    expect(page.locator("[data-photo-list] img")).to_have_count(1)
    assert [bytes(content) for content in chosen(page)] == [PHOTO]
    context.close()


def test_the_gallery_adds_to_what_the_camera_took(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO)
    page.locator("#photo-gallery").set_input_files({"name": "g.jpg", "mimeType": "image/jpeg", "buffer": OTHER})
    expect(page.locator("[data-photo-list] img")).to_have_count(2)
    assert [bytes(content) for content in chosen(page)] == [PHOTO, OTHER]


def test_a_refused_form_keeps_the_photographs_and_moves_the_focus_to_the_errors(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO)
    page.locator("#amount").fill("12")
    page.get_by_role("button", name="Save seizure").click()

    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error:"))
    assert [bytes(content) for content in chosen(page)] == [PHOTO]
    expect(page.locator("[data-photo-list] img")).to_have_count(1)
    expect(page.get_by_text("From the gallery")).to_be_visible()
    expect(page.locator("[name=photo_sha256]")).to_have_value(json.dumps([hashlib.sha256(PHOTO).hexdigest()]))
    summary.get_by_role("link").last.click()
    expect(page.locator("#seal")).to_be_focused()


def test_an_accepted_form_opens_the_next_page(opened: Open) -> None:
    page = opened("/kitchen/phone")
    page.locator("#seal").fill("00417")
    page.get_by_role("button", name="Save seizure").click()
    page.wait_for_url("**/kitchen/receipt?flash")
    expect(page.get_by_role("status").first).to_have_text("Сохранено.")


@pytest.mark.parametrize(("seal", "title"), [("", "New seizure"), ("00417", "Act of transfer")])
def test_the_form_works_without_scripts(opened: Open, seal: str, title: str) -> None:
    page = opened("/kitchen/phone", java_script_enabled=False)
    take(page, PHOTO, early=True)
    page.locator("#seal").fill(seal)
    page.get_by_role("button", name="Save seizure").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_the_device_says_its_place_with_its_accuracy(opened: Open) -> None:
    place = {"latitude": 42.87461, "longitude": 74.56982, "accuracy": 11.2}
    page = opened("/kitchen/phone", geolocation=place, permissions=["geolocation"])
    expect(page.locator("[data-place-status]")).to_have_text(
        "Place claimed by this device: 42.87461, 74.56982 (± 12 m)"
    )
    assert page.locator("[name=place_latitude]").input_value() == "42.874610"
    assert page.locator("[name=place_accuracy]").input_value() == "12"
    assert page.locator("[name=place_at]").input_value().endswith("Z")


def test_a_device_that_does_not_say_its_place_holds_up_nothing(opened: Open) -> None:
    page = opened("/kitchen/phone")
    expect(page.locator("[data-place-status]")).to_contain_text("Describe the place in words")
    assert page.locator("[name=place_latitude]").input_value() == ""
    page.locator("#seal").fill("00417")
    page.get_by_role("button", name="Save seizure").click()
    page.wait_for_url("**/kitchen/receipt?flash")


def test_the_device_says_its_time_with_its_offset(opened: Open) -> None:
    page = opened("/kitchen/phone")
    expect(page.locator("[name=device_time]")).to_have_value(re.compile(r"\+06:00$"))
    told = datetime.fromisoformat(page.locator("[name=device_time]").input_value())
    assert abs(told.timestamp() - page.evaluate("Date.now()") / 1000) < 5


@pytest.mark.parametrize("key", ["Slash", "Control+KeyK"])
def test_a_key_goes_to_the_search_on_any_keyboard(opened: Open, key: str) -> None:
    page = opened("/kitchen/desk", "desk")
    page.keyboard.press(key)
    expect(page.locator("[data-palette]")).to_be_focused()


def test_a_russian_layout_reaches_the_search_by_the_same_key(opened: Open) -> None:
    page = opened("/kitchen/desk", "desk")
    page.evaluate("""document.body.dispatchEvent(new KeyboardEvent('keydown',
        {key: 'л', code: 'KeyK', ctrlKey: true, bubbles: true, cancelable: true}))""")
    expect(page.locator("[data-palette]")).to_be_focused()


def test_a_slash_typed_into_a_field_stays_a_slash(opened: Open) -> None:
    page = opened("/kitchen/desk", "desk")
    page.locator("#q").press("Slash")
    expect(page.locator("#q")).to_have_value("/")


def test_the_single_key_can_be_switched_off(opened: Open) -> None:
    page = opened("/kitchen/desk", "desk")
    page.locator("details.menu > summary").click()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("details.menu > summary")).to_be_focused()
    page.reload()
    page.keyboard.press("Slash")
    expect(page.locator("[data-palette]")).not_to_be_focused()


def test_night_is_one_tap_and_the_next_page_comes_dark_from_the_server(opened: Open) -> None:
    page = opened("/kitchen/desk", "phone", color_scheme="light")
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert 'data-theme="dark"' in page.request.get("/help").text()
    page.locator("[data-theme-toggle]").click()
    assert 'data-theme="light"' in page.request.get("/help").text()


def test_colours_can_follow_the_device_again(opened: Open) -> None:
    page = opened("/kitchen/desk", "phone", color_scheme="dark")
    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="As the device").click()
    assert page.locator("html").get_attribute("data-theme") is None
    assert "data-theme=" not in page.request.get("/help").text().split("<head>")[0]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_language_is_chosen_in_the_menu(opened: Open, scripts: bool) -> None:
    page = opened("/help", java_script_enabled=scripts)
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Помощь")
    expect(page.locator("html")).to_have_attribute("lang", "ru")


def test_a_dangerous_button_asks_first(opened: Open) -> None:
    page = opened("/kitchen/desk", "desk")
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.get_by_role("button", name="Close the case").click()
    assert asked == ["Close the case?"]
    assert page.url.endswith("/kitchen/desk")


def test_nothing_but_the_colours_and_the_key_is_kept_in_the_browser(opened: Open) -> None:
    page = opened("/kitchen/phone")
    take(page, PHOTO)
    page.locator("#amount").fill("12")
    page.get_by_role("button", name="Save seizure").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
