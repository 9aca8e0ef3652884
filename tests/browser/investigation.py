"""Supervisors, investigators and the prosecutor at their desktops, and those who must see nothing."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.verify.examination import Brought
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.steps import verify_package
from tests.browser.border import CONTAINER, CONTAINER_IN_CYRILLIC, number_on
from tests.browser.device import Device

POLICE_CASE = "Bags under the trailer"
CUSTOMS_CASE = "Cartons in the same container"
_PATIENCE = 30.0  # seconds for the next signed checkpoint


def open_case(investigator: Device, title: str, look: str = "") -> str:
    """Open a case, after one try without a title where it is looked at; returns its number."""
    page = investigator.page
    page.get_by_role("link", name=investigator.words("Cases")).first.click()
    if look:
        investigator.look(f"{look}-cases")
    investigator.press("Open a case")
    if look:
        investigator.look(f"{look}-new-case")
        with investigator.refusal():
            investigator.press("Open the case")
        investigator.look(f"{look}-new-case-refused", again=False, error=True)
    page.locator("#title").fill(title)
    investigator.press("Open the case")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return number_on(investigator)


def open_record(reader: Device, number: str) -> None:
    """Type a whole number into the search of the header, which opens the record."""
    search_for(reader, number)
    expect(reader.page.locator("main")).to_contain_text(number)


def search_for(reader: Device, typed: str) -> None:
    search = reader.page.locator("#top-q")
    search.fill(typed)
    with reader.page.expect_navigation():
        search.press("Enter")


def share_seizure(supervisor: Device, seizure: str, person: str, look: str = "") -> None:
    """For ninety days, and it may go on to a prosecutor."""
    page = supervisor.page
    open_record(supervisor, seizure)
    supervisor.press("Who else sees this")
    if look:
        supervisor.look(f"{look}-grants-none")
        with supervisor.refusal():
            supervisor.press("Share")
        supervisor.look(f"{look}-grants-refused", again=False, error=True)
    page.locator("#person").fill(person)
    page.locator("#purpose").select_option("investigation")
    page.locator("#until").fill((datetime.now(UTC).date() + timedelta(days=90)).isoformat())
    page.locator("#onward").check()
    supervisor.press("Share")
    expect(page.locator("main table")).to_contain_text(person)
    if look:
        supervisor.look(f"{look}-grants")


def share_case(supervisor: Device, case: str, person: str) -> None:
    page = supervisor.page
    open_record(supervisor, case)
    supervisor.press("Who else sees this")
    page.locator("#person").fill(person)
    page.locator("#purpose").select_option("investigation")
    page.locator("#endless").check()
    page.locator("#with_seizures").check()
    supervisor.press("Share")
    expect(page.locator("main table")).to_contain_text(person)


def put_into(investigator: Device, case: str, seizure: str) -> None:
    page = investigator.page
    open_record(investigator, case)
    page.locator("#seizure").fill(seizure)
    page.locator("#reason").fill("Found under the trailer")
    investigator.press("Put it in")
    expect(page.locator("main table").last).to_contain_text(seizure)


def find_the_container(investigator: Device, seizures: set[str]) -> None:
    """Typed on a Russian keyboard, it is found at both posts."""
    page = investigator.page
    search_for(investigator, CONTAINER_IN_CYRILLIC)
    for number in seizures:
        expect(page.get_by_role("link", name=number, exact=True)).to_be_visible()
    investigator.look("52-search")


def link(investigator: Device, case: str, other: str) -> None:
    page = investigator.page
    open_record(investigator, case)
    page.locator("nav.tabs").get_by_role("link", name=investigator.words("Links")).click()
    page.locator("#case").fill(other)
    page.locator("#reason").select_option("same_container")
    page.locator("#note").fill(CONTAINER)
    investigator.press("Link the cases")
    expect(page.locator("main table").first).to_contain_text(other)
    investigator.look("53-case-links")


def walk_through_the_case(investigator: Device) -> None:
    page = investigator.page
    for number, tab in enumerate(("Timeline", "Team", "History", "Evidence")):
        page.locator("nav.tabs").get_by_role("link", name=investigator.words(tab)).click()
        investigator.look(f"54-{number}-case-{tab.lower()}")
    remark = page.get_by_text(re.compile("1 exhibit with a seal remark"))
    expect(remark, "what the custodian saw stands before the referral").to_be_visible()
    page.locator("main table").first.get_by_role("link").first.click()
    investigator.look("55-exhibit")


def seal_package(investigator: Device, case: str) -> str:
    page = investigator.page
    open_record(investigator, case)
    investigator.press("Prepare package")
    investigator.look("60-package-choose")
    investigator.press("Check the choice")
    expect(page.get_by_role("heading", level=1)).to_have_text(investigator.words("Check before sealing"))
    investigator.look("61-package-check", again=False)
    investigator.press("Seal the package")
    page.wait_for_url("**/packages/*")
    number = number_on(investigator)
    button = page.get_by_role("button", name=investigator.words("Download the package"))
    deadline = time.monotonic() + _PATIENCE
    while not button.is_visible() and time.monotonic() < deadline:
        page.wait_for_timeout(500)  # the page asks its reader to look again in a moment
        page.reload()
    expect(button, "the ledger signs the seal").to_be_visible()
    return number


def refer(investigator: Device, case: str, seizure: str) -> None:
    page = investigator.page
    open_record(investigator, case)
    investigator.press("Refer to the prosecutor")
    investigator.look("62-refer")
    with investigator.refusal():
        investigator.press("Refer the case")
    investigator.look("63-refer-refused", again=False, error=True)
    unit = page.locator("#unit option", has_text="border cases").get_attribute("value")
    page.locator("#unit").select_option(unit)
    page.get_by_label(seizure).check()
    page.locator("#qualification").fill("Article 267, part 2")
    investigator.press("Refer the case")
    open_record(investigator, case)
    expect(page.locator("main aside")).to_contain_text("border cases")
    investigator.look("64-case-referred")


def download(prosecutor: Device, case: str, package: str, folder: Path) -> Path:
    """Only with a reason. Returns the file, which is proved to be whole by the log's own key."""
    page = prosecutor.page
    prosecutor.look("70-prosecutor-shift")
    open_record(prosecutor, case)
    prosecutor.look("71-prosecutor-case")
    open_record(prosecutor, package)
    prosecutor.look("72-package")
    sign = page.locator(".sign.bad")
    expect(sign, "the refused seal is not hidden behind a green sign").to_contain_text("/2")
    with prosecutor.refusal():
        prosecutor.press("Download the package")
    prosecutor.look("73-package-refused", again=False, error=True)
    page.locator("#reason").fill("Preparing the indictment")
    with page.expect_download() as coming:
        page.get_by_role("button", name=prosecutor.words("Download the package")).click()
    target = folder / coming.value.suggested_filename
    coming.value.save_as(target)
    assert target.name == f"{package}.zip"
    key = prosecutor.context.request.get("/ledger/key").text().strip()
    report = verify_package(target, Brought(log_key=VerifierKey.parse(key)), openssl=OpenSsl.found())
    assert report.holds, str(report)
    open_record(prosecutor, package)
    expect(page.locator("main")).to_contain_text("Preparing the indictment")
    prosecutor.look("74-package-downloaded")
    return target


def see_nothing(outsider: Device, addresses: list[str], numbers: list[str]) -> None:
    """Not in a list, not in a search, not by its address."""
    page = outsider.page
    outsider.look(f"80-{outsider.login}-start")
    lists = [] if outsider.login == "admin" else ["/seizures", "/exhibits", "/cases", "/hand-overs"]
    for path in lists:
        page.goto(path)
        for number in numbers:
            expect(page.locator("body")).not_to_contain_text(number)
        outsider.look(f"81-{outsider.login}-{path[1:]}")
    for typed in (CONTAINER, CONTAINER_IN_CYRILLIC, "Касымов", *numbers):
        search_for(outsider, typed)
        assert "/search" in page.url, f"{typed} leads to {page.url}"
        expect(page.locator("main table")).to_have_count(0)
    outsider.look(f"82-{outsider.login}-search")
    for address in addresses:
        with outsider.refusal(404):
            page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for number in numbers:
            expect(page.locator("body")).not_to_contain_text(number)
    outsider.look(f"83-{outsider.login}-not-found", again=False)


def administer(administrator: Device) -> None:
    """What an administrator has instead: people, units and appointments."""
    page = administrator.page
    page.goto("/")
    administrator.press("People")
    administrator.look("90-people")
    page.locator("main table").get_by_role("link", name="Aida Asanova").click()
    administrator.look("91-person")
    page.goto("/units")
    administrator.look("92-units")
    page.goto("/account")
    administrator.look("93-account")
    page.get_by_role("link", name=administrator.words("Help")).click()
    administrator.look("94-help")
