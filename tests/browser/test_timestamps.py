"""The page of the ledger's timestamps, as an auditor sees it in the demonstration."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Hand


def test_an_auditor_sees_the_timestamps_and_that_the_authority_is_a_demonstration(desk: Hand, phone: Hand) -> None:
    for device in (desk("askar"), phone("askar")):
        device.sign_in()
        device.page.goto("/ledger/timestamps")
        expect(device.page.get_by_role("heading", level=1)).to_have_text(device.words("Timestamps of the ledger"))
        expect(device.page.locator("main")).to_contain_text(device.words("Demonstration authority"))
        device.look("timestamps")
