"""Keys in a real browser, with Chromium's own virtual authenticator: enrolled, signed with, refused, lost."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from casemgmt.core.clock import utcnow
from casemgmt.core.events import timestamp
from casemgmt.demo.cast import PASSWORD, PEOPLE
from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.walkthrough.visitor import Visitor, read
from tests.browser.conftest import Hand
from tests.browser.device import Device
from tests.passkeys.browser_keys import VirtualAuthenticator

pytestmark = pytest.mark.browser
HANDOVER = re.compile(r"/hand-overs/\w+$")
SIGNING = re.compile(r"/signing/[0-9a-f-]+$")


def enrol(device: Device, name: str, **options: Any) -> VirtualAuthenticator:
    """Add a key on the page of one's keys."""
    device.sign_in()
    authenticator = VirtualAuthenticator(device.context, device.page, **options)
    device.page.goto("/account/keys")
    begin(device, name)
    device.press("Make the key")
    device.page.wait_for_url("**/account/keys")
    expect(device.page.get_by_role("heading", name=name)).to_be_visible()
    return authenticator


def begin(device: Device, name: str) -> None:
    device.page.locator("#name").fill(name)
    device.page.locator("#password").fill(PASSWORD)
    device.press("Continue")


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    """One of this file's own: whoever has a key is asked for it from then on, in every test that comes after."""
    with TemporaryInstance(demo=True, settings={"TIME_ZONE": "Asia/Bishkek"}) as running:
        yield running.url


@pytest.fixture
def exhibit(instance: str) -> str:
    """The code of a sealed exhibit that Aida just registered."""
    return registered(instance)


def registered(instance: str) -> str:
    aida = Visitor(instance, "aida", PEOPLE["aida"].name)
    assert aida.sign_in()
    made = aida.api("POST", "/seizures", {
        "client_id": str(uuid.uuid4()), "seized_at": timestamp(utcnow()), "place": "Ak-Tilek",
        "exhibits": [{"category": "DRUG", "description": "package", "seal": "K-1001"}],
    })  # fmt: skip
    assert made.status == 201, made.data
    return str(read(made)["exhibits"][0]["id"])


def fill_offer(device: Device, exhibit: str, to: str = "Nurlan Satybaldiev") -> None:
    page = device.page
    page.goto(f"/hand-overs/new?exhibit={exhibit}")
    page.locator("#to").select_option(page.locator("#to option", has_text=to).get_attribute("value"))
    page.get_by_role("radio", name=device.words("Storage"), exact=True).check()


def fill_answer(device: Device) -> None:
    page = device.page
    page.locator("#items-0-seal").fill("K-1001")
    page.locator("#items-0-seal_state-1").check()
    page.locator("#items-0-decision-1").check()


def status(page: Page) -> Any:
    return page.locator("[data-passkey-status]")


def test_both_people_sign_on_their_own_telephones(phone: Hand, desk: Hand, exhibit: str) -> None:
    aida, nurlan = phone("aida"), phone("nurlan")
    aida.sign_in()
    aida.page.goto("/account/keys")
    aida.look("80-no-key")
    with aida.refusal():
        aida.page.locator("#password").fill("not the password")
        aida.press("Continue")
    aida.look("81-wrong-password", again=False, error=True)
    VirtualAuthenticator(aida.context, aida.page)
    begin(aida, "рабочий телефон")
    aida.look("82-new-key", again=False)
    aida.press("Make the key")
    aida.page.wait_for_url("**/account/keys")
    aida.look("83-my-keys")
    begin(aida, "ещё раз")
    aida.press("Make the key")
    expect(status(aida.page)).to_have_text(aida.words("This device holds one of your keys already."))

    fill_offer(aida, exhibit)
    aida.look("84-offer-with-a-key")
    aida.press("Offer")
    aida.page.wait_for_url(SIGNING)
    aida.look("85-sign-the-offer")
    aida.press("Sign with the key")
    aida.page.wait_for_url(HANDOVER)
    expect(aida.page.get_by_text(aida.words("Signed with a key"))).to_be_visible()
    aida.look("86-offer-signed")
    handover = aida.page.url

    device = enrol(nurlan, "телефон склада")
    nurlan.page.goto(handover)
    fill_answer(nurlan)
    nurlan.press("Confirm")
    nurlan.page.wait_for_url(SIGNING)
    nurlan.look("87-sign-the-answer")
    device.verifies_user(False)
    nurlan.press("Sign with the key")
    expect(status(nurlan.page)).to_contain_text(nurlan.words("The device did not sign: it was cancelled, took too long, or does not hold this key. Try again, or go on without a key."))  # fmt: skip # noqa: E501
    nurlan.look("88-not-verified")
    device.verifies_user(True)
    nurlan.press("Sign with the key")
    nurlan.page.wait_for_url(HANDOVER)
    expect(nurlan.page.get_by_text(nurlan.words("Signed with a key"))).to_have_count(2)
    nurlan.press("Receipt")
    nurlan.look("89-receipt-signed")
    nurlan.page.goto(f"/exhibits/{exhibit}")
    expect(nurlan.page.get_by_text(nurlan.words("Signed with a key."))).to_have_count(2)
    nurlan.look("90-exhibit-signed")

    nurlan.page.goto(nurlan.seen["87-sign-the-answer"])
    expect(nurlan.page).to_have_url(HANDOVER)
    nurlan.page.locator("details", has_text="pub.pem").locator("summary").click()
    nurlan.look("91-signed-already")
    with nurlan.page.expect_download() as download:
        nurlan.page.get_by_role("link", name="pub.pem").last.click()
    assert download.value.path().read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    for looked in (aida, nurlan):
        for gone in ("85-sign-the-offer", "87-sign-the-answer", "88-not-verified"):
            looked.seen.pop(gone, None)
        looked.look_again_at_night()


def test_a_signature_fits_the_hand_over_it_was_made_for_and_no_other(phone: Hand, instance: str, exhibit: str) -> None:
    """Two tabs: what the authenticator signed in one is sent from the other, and then sent again."""
    aida = phone("aida")
    enrol(aida, "для двух вкладок")
    other = registered(instance)
    fill_offer(aida, exhibit)
    aida.press("Offer")
    aida.page.wait_for_url(SIGNING)
    first = aida.page.url
    signed = sign_in_page(aida.page)
    fill_offer(aida, other)
    aida.press("Offer")
    aida.page.wait_for_url(SIGNING)
    second = aida.page.url
    with aida.refusal():
        send(aida.page, signed)
    expect(aida.page.locator("[data-error-summary]")).to_contain_text(
        aida.words(
            "The signature does not fit this hand-over. Nothing was recorded. Sign again, or go on without a key."
        )
    )
    aida.look("92-another-signature", again=False, error=True)
    aida.page.goto(first)
    send(aida.page, signed)
    aida.page.wait_for_url(HANDOVER)
    aida.page.goto(second)
    with aida.refusal():
        send(aida.page, signed)
    aida.press("Sign with the key")
    aida.page.wait_for_url(HANDOVER)


def sign_in_page(page: Page) -> str:
    """What the page would send, kept back."""
    page.evaluate("() => { HTMLFormElement.prototype.submit = () => {}; }")
    page.locator("[data-passkey-button]").click()
    field = page.locator("input[name=credential]")
    expect(field).not_to_have_value("")
    return field.input_value()


def send(page: Page, credential: str) -> None:
    json.loads(credential)
    with page.expect_navigation():
        page.evaluate(
            "text => { const f = document.querySelector('form[data-passkey]');"
            " f.elements.credential.value = text; HTMLFormElement.prototype.submit.call(f); }",
            credential,
        )


def test_a_lost_device_and_its_end(phone: Hand, desk: Hand, exhibit: str) -> None:
    """The key is gone from the device: the hand-over works all the same, and an administrator revokes the key."""
    aida, admin = phone("aida"), desk("admin")
    device = enrol(aida, "потерянный")
    fill_offer(aida, exhibit)
    aida.press("Offer")
    aida.page.wait_for_url(SIGNING)
    device.clear()
    aida.press("Sign with the key")
    expect(status(aida.page)).not_to_have_text("")
    aida.press("Go on without a key")
    aida.page.wait_for_url(HANDOVER)
    expect(aida.page.get_by_text(aida.words("Signed in only; not signed with a key"))).to_be_visible()
    aida.look("93-signed-in-only")

    admin.sign_in()
    admin.page.goto("/people?q=aida")
    admin.page.get_by_role("link", name="Aida Asanova").first.click()
    admin.look("94-person-with-keys")
    row = admin.page.get_by_role("row", name=re.compile("потерянный"))
    row.get_by_role("link").click()
    admin.look("95-revoke")
    with admin.refusal():
        admin.press("Revoke the key")
    admin.look("96-revoke-why", again=False, error=True)
    admin.page.get_by_role("radio", name="The device is lost").check()
    admin.press("Revoke the key")
    expect(admin.page.get_by_role("row", name=re.compile("потерянный"))).to_contain_text("The device is lost")
    admin.look_again_at_night()


def test_without_scripts_the_hand_over_goes_on_without_a_key(phone: Hand, exhibit: str) -> None:
    scripted = phone("aida")
    enrol(scripted, "без скриптов")
    plain = phone("aida", java_script_enabled=False)
    plain.sign_in()
    fill_offer(plain, exhibit)
    plain.press("Offer")
    plain.page.wait_for_url(SIGNING)
    expect(plain.page.locator("[data-passkey-button]")).to_be_hidden()
    plain.press("Go on without a key")
    plain.page.wait_for_url(HANDOVER)
    expect(plain.page.get_by_text(plain.words("Signed in only; not signed with a key"))).to_be_visible()
