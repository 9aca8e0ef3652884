"""The page of the ledger and the change of its policy, as an administrator and an auditor see them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import keyboard
from tests.browser.conftest import Hand

pytestmark = pytest.mark.browser


def test_an_administrator_reads_the_page_and_prepares_a_change_without_a_mouse(desk: Hand) -> None:
    admin = desk("admin")
    keyboard.sign_in(admin)
    page = admin.page
    page.goto("/ledger")
    expect(page.get_by_text("2 of customs, police, prosecution")).to_be_visible()
    expect(page.get_by_text("Demonstration witnesses")).to_be_visible()
    admin.look("ledger")
    keyboard.reach(admin, page.get_by_role("link", name=admin.words("Change the witness policy")))
    page.keyboard.press("Enter")
    page.wait_for_url("**/ledger/policy")
    admin.look("ledger-policy")
    with admin.refusal():
        keyboard.reach(admin, page.get_by_role("button", name=admin.words("Check")))
        page.keyboard.press("Enter")
        expect(page.locator("#reason-error")).to_be_visible()
    admin.look("ledger-policy-refused", again=False, error=True)
    page.locator("#policy").fill(page.locator("#policy").input_value().replace("agencies 2", "agencies all"))
    keyboard.type_into(admin, "#reason", "A trial")
    keyboard.reach(admin, page.get_by_role("button", name=admin.words("Check")))
    page.keyboard.press("Enter")
    expect(page.get_by_text("all of customs, police, prosecution")).to_be_visible()
    admin.look("ledger-policy-check", again=False)
    admin.look_again_at_night()


def test_on_a_telephone_without_scripts_the_auditor_reads_it_in_russian(phone: Hand) -> None:
    askar = phone("askar", java_script_enabled=False)
    askar.sign_in()
    askar.page.goto("/ledger")
    expect(askar.page.get_by_role("heading", name=askar.words("Witnesses"), exact=True)).to_be_visible()
    expect(askar.page.get_by_role("link", name=askar.words("Change the witness policy"))).to_have_count(0)
