"""The PIN of a telephone signs in a real browser: offered only where its key lies, refused when it is wrong, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from casemgmt.embedded.temporary import TemporaryInstance
from tests.browser.conftest import Hand
from tests.browser.device import Device
from tests.browser.test_keys import HANDOVER, SIGNING, fill_answer, fill_offer, registered

pytestmark = pytest.mark.browser
PIN = "402917"


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    """One of this file's own: whoever has a key is asked for it from then on, in every test that comes after."""
    with TemporaryInstance(demo=True, settings={"TIME_ZONE": "Asia/Bishkek"}) as running:
        yield running.url


@pytest.fixture
def exhibit(instance: str) -> str:
    """The code of a sealed exhibit that Aida just registered."""
    return registered(instance)


def with_pin(device: Device) -> Device:
    """Sets a PIN on this telephone, and waits until the server knows its key."""
    device.sign_in()
    page = device.page
    page.goto("/account/keys")
    before = page.locator(".card").count()  # of her other telephones
    page.goto("/phone")
    page.locator("#new-pin").fill(PIN)
    page.locator("#new-pin-again").fill(PIN)
    page.locator("[data-setup] button[type=submit]").click()
    expect(page.locator("[data-setup]")).to_be_hidden()
    page.goto("/account/keys")
    for _ in range(100):
        if page.locator(".card").count() > before:
            return device
        page.wait_for_timeout(200)
        page.reload()
    raise AssertionError("the key was not enrolled")


def status(device: Device) -> Locator:
    return device.page.locator("[data-pin-status]")


def choice(device: Device, words: str) -> Locator:
    return device.page.get_by_role("radio", name=device.words(words), exact=True)


def test_both_people_sign_with_the_pins_of_their_telephones(phone: Hand, exhibit: str) -> None:
    aida, timur = with_pin(phone("aida")), with_pin(phone("timur"))
    aida.look("100-keys-with-a-pin")
    fill_offer(aida, exhibit, "Timur Isaev")
    expect(choice(aida, "PIN of this phone")).to_be_checked()  # the strongest there is, by itself
    aida.look("101-offer-with-a-pin")
    aida.press("Offer")
    aida.page.wait_for_url(SIGNING)
    expect(aida.page.locator("#sign-pin")).to_be_visible()
    aida.look("102-sign-by-pin")
    aida.page.locator("#sign-pin").fill("111222")
    aida.page.locator("[data-pin-button]").click()
    expect(status(aida)).to_have_text(aida.words("This is not the PIN. Try again."))
    expect(aida.page.locator("#sign-pin")).to_have_value("")
    aida.look("103-wrong-pin", again=False)
    sent: list[str] = []
    aida.page.on("request", lambda request: sent.append(request.post_data or ""))
    aida.page.locator("#sign-pin").fill(PIN)
    aida.page.locator("[data-pin-button]").click()
    aida.page.wait_for_url(HANDOVER)
    assert any("credential" in data for data in sent)
    assert not any(PIN in data for data in sent)  # the PIN never leaves the telephone
    expect(aida.page.get_by_text(aida.words("Signed by PIN"), exact=True)).to_be_visible()
    aida.look("104-signed-by-pin")

    timur.page.goto(aida.page.url)
    fill_answer(timur)
    timur.press("Confirm")
    timur.page.wait_for_url(SIGNING)
    timur.page.locator("#sign-pin").fill(PIN)
    timur.page.locator("[data-pin-button]").click()
    timur.page.wait_for_url(HANDOVER)
    expect(timur.page.get_by_text(timur.words("Signed by PIN"), exact=True)).to_have_count(2)
    timur.press("Receipt")
    timur.look("105-receipt-by-pin")
    timur.page.goto(f"/exhibits/{exhibit}")
    timur.look("106-exhibit-by-pin")
    aida.seen.pop("102-sign-by-pin")
    for device in (aida, timur):
        device.look_again_at_night()


def test_elsewhere_the_pin_is_not_offered_and_cannot_sign(phone: Hand, desk: Hand, exhibit: str) -> None:
    aida, computer = with_pin(phone("aida")), desk("aida")
    computer.sign_in()
    fill_offer(computer, exhibit)
    expect(choice(computer, "Without a key, signed in only")).to_be_checked()
    expect(computer.page.locator("[data-pin-choice] .pick:visible")).to_have_count(1)
    computer.look("107-no-pin-on-a-computer")

    # another telephone of hers, and a page that was left open there
    other = with_pin(phone("aida"))
    fill_offer(other, exhibit)
    expect(other.page.locator("[data-pin-choice] .pick:visible")).to_have_count(2)
    other.page.evaluate("""() => {
        const mine = document.querySelector('[data-pin-choice] input:checked').value;
        const all = [...document.querySelectorAll('[data-pin-choice] input')].map((input) => input.value);
        document.querySelector('[data-pin-choice] input:checked').value = all.find((one) => one && one !== mine);
    }""")
    other.press("Offer")
    other.page.wait_for_url(SIGNING)
    expect(status(other)).to_have_text(
        other.words("This device does not hold the key. Open this page on the phone that does, or go on without a key.")
    )
    expect(other.page.locator("#sign-pin")).to_be_hidden()
    other.look("108-key-of-another-phone", again=False)
    other.press("Go on without a key")
    other.page.wait_for_url(HANDOVER)
    assert aida.page.url


def test_without_scripts_the_way_on_without_a_key_is_there(phone: Hand, exhibit: str) -> None:
    with_pin(phone("aida"))
    plain = phone("aida", java_script_enabled=False)
    plain.sign_in()
    fill_offer(plain, exhibit)
    expect(plain.page.locator("[data-pin-choice] input").last).to_be_checked()  # no key is chosen by itself
    plain.page.locator("[data-pin-choice] input").first.check()
    plain.press("Offer")
    plain.page.wait_for_url(SIGNING)
    assert plain.words("Signing by PIN needs JavaScript.") in plain.page.content()
    plain.press("Go on without a key")
    plain.page.wait_for_url(HANDOVER)


def test_a_lost_telephone_is_revoked_and_offers_its_pin_no_more(phone: Hand, desk: Hand, exhibit: str) -> None:
    aida, admin = with_pin(phone("aida")), desk("admin")
    admin.sign_in()
    admin.page.goto("/people?q=aida")
    admin.page.get_by_role("link", name="Aida Asanova").first.click()
    admin.look("109-person-with-a-pin")
    rows = admin.page.get_by_role("row", name=re.compile("PIN of the phone")).filter(has=admin.page.get_by_role("link"))
    while rows.count():
        rows.first.get_by_role("link").click()
        admin.page.get_by_role("radio", name="The device is lost").check()
        admin.press("Revoke the key")
    fill_offer(aida, exhibit)
    expect(choice(aida, "PIN of this phone")).to_have_count(0)
    aida.press("Offer")
    aida.page.wait_for_url(HANDOVER)
