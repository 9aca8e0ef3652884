"""The officer at the border post and the custodian of the evidence store, each with a telephone."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from casemgmt.demo.photos import NAMES, photo
from tests.browser.device import Device

CONTAINER = "MSKU9070323"
CONTAINER_IN_CYRILLIC = "МСКУ 907032-3"  # as a Russian keyboard types what is painted on it
SEALS = ("B2200417", "B2200418")
READ_ON_THE_SECOND = "B2200481"


def photograph(officer: Device) -> None:
    """Two pictures, one after the other, as a camera hands them over."""
    page = officer.page
    for number, name in enumerate(NAMES, 1):
        picture = {"name": f"IMG_{number}.jpg", "mimeType": "image/jpeg", "buffer": photo(name)}
        page.locator("#photos").set_input_files(picture)  # type: ignore[arg-type]
        expect(page.locator("[data-photo-list] img")).to_have_count(number)


def unfold(device: Device, field: str) -> Locator:
    """The field, after opening whatever it is folded into."""
    target = device.page.locator(field)
    folded = target.locator("xpath=ancestor::details[not(@open)]")
    while folded.count():
        folded.first.locator("summary").first.click()
    return target


def fill_in(officer: Device) -> None:
    """Two items, what carried them, and who was there."""
    officer.page.get_by_role("radio", name=officer.words("Drugs"), exact=True).check()
    _write(
        officer,
        {
            "exhibits-0-quantity": "1981",
            "exhibits-0-description": "Смолистое вещество в двух пакетах под прицепом",
            "conveyances-0-identifier": CONTAINER,
            "participants-0-name": "Болот Касымов",
            "participants-1-name": "Айнура Токтошева",
            "exhibits-1-seal": SEALS[1],
            "exhibits-1-quantity": "12500",
            "exhibits-1-description": "Банкноты в опечатанном пакете",
        },
    )
    _choose(
        officer,
        {
            "exhibits-0-unit": "g",
            "exhibits-0-basis": "gross",
            "conveyances-0-kind": "container",
            "participants-0-role": "seized_from",
            "participants-1-role": "attesting_witness",
            "exhibits-1-category": "CURR",
            "exhibits-1-unit": "pcs",
            "exhibits-1-basis": "counted",
        },
    )


def _write(device: Device, values: dict[str, str]) -> None:
    for name, text in values.items():
        unfold(device, f"#{name}").fill(text)


def _choose(device: Device, values: dict[str, str]) -> None:
    for name, value in values.items():
        unfold(device, f"#{name}").select_option(value)


def register(officer: Device) -> str:
    """Register with two photographs, after one try that leaves out the category; returns the seizure's number."""
    page = officer.page
    officer.look("10-shift")
    officer.press("New seizure")
    expect(page.locator("[data-place-status]")).to_contain_text("42.87460")
    officer.look("11-register")
    photograph(officer)
    page.locator("#exhibits-0-seal").fill(SEALS[0])
    with officer.refusal():
        officer.press("Save seizure")
        expect(page.locator("[data-error-summary]")).to_be_focused()
    officer.look("12-register-refused", again=False, error=True)
    expect(page.locator("[data-photo-list] img"), "the refusal keeps the photographs").to_have_count(len(NAMES))
    expect(page.locator("#exhibits-0-seal")).to_have_value(SEALS[0])
    fill_in(officer)
    officer.press("Save seizure")
    page.wait_for_url("**/saved")
    officer.look("13-saved")
    expect(page.get_by_text(officer.words("On server, hash equal"))).to_have_count(len(NAMES))
    return number_on(officer)


def number_on(device: Device) -> str:
    """The record number the page is about: in its heading, or else the first there is."""
    main = device.page.locator("main")
    text = main.get_by_role("heading", level=1).inner_text() + "\n" + main.inner_text()
    found = re.search(r"\b20\d\d-\d{4}(-\d)?-\d{5,6}-\d\b", text)
    assert found, text
    return found.group()


def hand_over(officer: Device) -> str:
    """Offer both exhibits to the custodian; until he accepts, she holds them. Returns the hand-over's number."""
    page = officer.page
    officer.press("Hand over")
    officer.look("15-hand-over")
    with officer.refusal():
        officer.press("Offer")
        expect(page.locator("[data-error-summary]")).to_be_focused()
    officer.look("16-hand-over-refused", again=False, error=True)
    offer(officer)
    page.wait_for_url(re.compile(r"/hand-overs/\w+$"))
    officer.look("17-offered")
    handover = number_on(officer)
    page.goto("/")
    officer.look("18-shift-offered")
    expect(page.locator("section[aria-labelledby=given]")).to_contain_text(handover)
    return handover


def offer(officer: Device) -> None:
    """Fill in the hand-over that is open, and send it."""
    page = officer.page
    for number, seal in enumerate(SEALS):
        page.locator(f"#exhibits-{number}-seal").fill(seal)
    receiver = page.locator("#to option", has_text="Nurlan Satybaldiev").get_attribute("value")
    page.locator("#to").select_option(receiver)
    page.get_by_role("radio", name=officer.words("Storage"), exact=True).check()
    officer.press("Offer")


def open_waiting(custodian: Device, handover: str) -> None:
    custodian.page.locator("section[aria-labelledby=offered]").get_by_role("link", name=handover).click()


def receive(custodian: Device, handover: str) -> None:
    """Accept the first exhibit, refuse the second: the number on its seal is another one."""
    page = custodian.page
    custodian.look("20-store-shift")
    open_waiting(custodian, handover)
    custodian.look("21-receive")
    expect(page.locator("main input:checked"), "nothing is chosen for him").to_have_count(0)
    _read_seals(custodian)
    for item in (0, 1):
        page.locator(f"#items-{item}-decision-1").check()
    with custodian.refusal():
        custodian.press("Confirm")
        expect(page.locator("[data-error-summary]")).to_be_focused()
    custodian.look("22-receive-seal-differs", again=False, error=True)
    expect(page.locator("#items-1-discrepancy-error"), "it is said beside the field").to_be_visible()
    answer(custodian)
    expect(page.get_by_text(custodian.words("Refused", "hand-over"), exact=True).first).to_be_visible()
    custodian.look("24-answered")
    custodian.press("Receipt")
    custodian.look("25-receipt")
    page.goto("/exhibits?scope=held")
    custodian.look("26-store-exhibits")
    page.goto("/hand-overs?list=received")
    custodian.look("27-hand-overs")


def answer(custodian: Device) -> None:
    """Fill in the answer that is open, and send it."""
    page = custodian.page
    _read_seals(custodian)
    page.locator("#items-0-decision-1").check()
    page.locator("#items-1-decision-2").check()
    unfold(custodian, "#items-1-note").fill(f"На пломбе {READ_ON_THE_SECOND}")
    reasons = page.locator("#items-1-reason")
    reasons.get_by_role("radio", name=custodian.words("Seal number differs"), exact=True).check()
    custodian.press("Confirm")


def _read_seals(custodian: Device) -> None:
    page = custodian.page
    page.locator("#items-0-seal").fill(SEALS[0])
    page.locator("#items-1-seal").fill(READ_ON_THE_SECOND)
    for item in (0, 1):
        page.locator(f"#items-{item}-seal_state-1").check()


def see_what_became_of_it(officer: Device, seizure: str) -> None:
    """The officer still holds what was refused, and no longer what she gave away."""
    page = officer.page
    page.goto("/")
    officer.look("30-shift-after")
    held = page.locator("section[aria-labelledby=held] li", has_text=seizure)
    expect(held).to_have_count(1)
    held.get_by_role("link").first.click()
    officer.look("31-exhibit-refused")
    address = page.url
    page.locator(".tl a").last.click()
    officer.look("32-event")
    page.goto(address)
    officer.press("Photographs and files")
    officer.look("33-files")
    page.goto(address)
    page.locator("main aside").get_by_role("link", name=seizure).click()
    officer.look("34-seizure")
