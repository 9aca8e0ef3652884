"""A person without a mouse: Tab to the control, then type, Enter, Space and arrows."""

from __future__ import annotations

from playwright.sync_api import Locator

from casemgmt.demo.cast import PASSWORD
from tests.browser.border import CONTAINER_IN_CYRILLIC, number_on
from tests.browser.device import Device

_LONGEST_WAY = 150  # presses of Tab; more means the control cannot be reached


def reach(device: Device, target: Locator) -> None:
    """Press Tab until the control has the focus, and see that the focus shows."""
    keyboard = device.page.keyboard
    for _ in range(_LONGEST_WAY):
        if target.evaluate("e => e === document.activeElement"):
            break
        keyboard.press("Tab")
    else:
        raise AssertionError(f"no way to {target} with the Tab key")
    script = """e => [e, e.nextElementSibling, e.parentElement].filter(x => x).map(x => getComputedStyle(x))
        .some(style => style.outlineStyle !== "none" || style.boxShadow !== "none")"""
    assert target.evaluate(script), f"the focus on {target} does not show"


def type_into(device: Device, selector: str, text: str) -> None:
    reach(device, device.page.locator(selector))
    device.page.keyboard.type(text)


def unfold(device: Device, selector: str) -> None:
    """Open whatever the control is folded into, from the outside in."""
    folded = device.page.locator(selector).locator("xpath=ancestor::details[not(@open)]")
    while folded.count():
        reach(device, folded.first.locator("summary").first)
        device.page.keyboard.press("Space")


def sign_in(device: Device) -> None:
    device.page.goto("/sign-in")
    type_into(device, "#login", device.login)
    type_into(device, "#password", PASSWORD)
    device.page.keyboard.press("Enter")
    device.page.wait_for_url("**/")


def register(device: Device) -> str:
    """A seizure of cartons in the container that another post knows; the number of the container in Cyrillic."""
    page, keyboard = device.page, device.page.keyboard
    reach(device, page.locator("main").get_by_role("link", name=device.words("New seizure")))
    keyboard.press("Enter")
    page.wait_for_url("**/seizures/new")
    reach(device, page.locator("[name=exhibits-0-category]").first)
    for _ in range(20):
        if page.get_by_role("radio", name=device.words("Tobacco"), exact=True).is_checked():
            break
        keyboard.press("ArrowRight")
    type_into(device, "#exhibits-0-quantity", "40")
    unfold(device, "#conveyances-0-kind")
    choose(device, "#conveyances-0-kind", device.words("Container"))
    type_into(device, "#conveyances-0-identifier", CONTAINER_IN_CYRILLIC)
    device.look("35-register-desk")
    reach(device, page.get_by_role("button", name=device.words("Save seizure")))
    keyboard.press("Space")
    page.wait_for_url("**/saved")
    device.look("36-saved-desk")
    return number_on(device)


def choose(device: Device, selector: str, text: str) -> None:
    """Type the beginning of an option into a list."""
    target = device.page.locator(selector)
    reach(device, target)
    device.page.keyboard.type(text)
    assert target.locator("option:checked").inner_text() == text
