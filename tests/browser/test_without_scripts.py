"""Scripts add comfort, never duty: an old telephone without them registers and hands over as well."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from casemgmt.demo.photos import NAMES, photo
from tests.browser import border
from tests.browser.conftest import Hand

pytestmark = pytest.mark.browser


def test_a_telephone_without_scripts_registers_and_hands_over(phone: Hand) -> None:
    aida = phone("aida", java_script_enabled=False)
    page = aida.page
    aida.sign_in()
    page.goto("/seizures/new")
    pictures = [{"name": name, "mimeType": "image/jpeg", "buffer": photo(name)} for name in NAMES]
    with aida.refusal():
        aida.press("Save seizure")
    expect(page.locator("#exhibits-0-category-error")).to_be_visible()
    border.fill_in(aida)
    page.locator("#exhibits-0-seal").fill(border.SEALS[0])
    page.locator("#photos").set_input_files(pictures)  # type: ignore[arg-type]
    aida.press("Save seizure")
    page.wait_for_url("**/saved")
    expect(page.locator(".thumbs img")).to_have_count(len(NAMES))

    aida.press("Hand over")
    border.offer(aida)
    page.wait_for_url(re.compile(r"/hand-overs/\w+$"))
    handover = border.number_on(aida)

    nurlan = phone("nurlan", java_script_enabled=False)
    nurlan.sign_in()
    border.open_waiting(nurlan, handover)
    border.answer(nurlan)
    page = nurlan.page
    expect(page.get_by_text(nurlan.words("Refused", "hand-over"), exact=True).first).to_be_visible()
    expect(page.get_by_text(nurlan.words("Accepted", "hand-over"), exact=True).first).to_be_visible()
