"""The main job, through the pages, as people do it: on telephones at the border, on desktops in the city.

Every page on the way is judged: accessibility, width, targets, language, title, console and failed requests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import border, investigation, keyboard
from tests.browser.conftest import Hand

pytestmark = pytest.mark.browser


def test_the_main_job_goes_through_the_pages(phone: Hand, desk: Hand, tmp_path: Path) -> None:
    aida, nurlan = phone("aida"), phone("nurlan")
    aida.page.goto("/sign-in")
    aida.look("00-sign-in")
    aida.page.locator("#login").fill("aida")
    with aida.refusal():
        aida.press("Sign in")
    aida.look("01-sign-in-refused", again=False, error=True)
    aida.sign_in()
    seizure = border.register(aida)
    handover = border.hand_over(aida)
    nurlan.sign_in()
    border.receive(nurlan, handover)
    border.see_what_became_of_it(aida, seizure)

    timur, gulnara, saule = desk("timur"), desk("gulnara"), desk("saule")
    keyboard.sign_in(timur)
    other_seizure = keyboard.register(timur)

    elena, marat, bakyt, dinara = desk("elena"), desk("marat"), desk("bakyt"), desk("dinara")
    for device in (gulnara, saule, elena, marat, bakyt, dinara):
        device.sign_in()
    investigation.share_seizure(saule, seizure, "Elena Petrova", "40")
    investigation.share_seizure(gulnara, other_seizure, "Marat Jumabekov")
    case = investigation.open_case(elena, investigation.POLICE_CASE, "50")
    customs_case = investigation.open_case(marat, investigation.CUSTOMS_CASE)
    investigation.put_into(elena, case, seizure)
    investigation.put_into(marat, customs_case, other_seizure)
    investigation.share_case(bakyt, customs_case, "Elena Petrova")
    investigation.find_the_container(elena, {seizure, other_seizure})
    investigation.link(elena, case, customs_case)
    investigation.walk_through_the_case(elena)
    package = investigation.seal_package(elena, case)
    investigation.refer(elena, case, seizure)
    investigation.download(dinara, case, package, tmp_path)

    numbers = [seizure, other_seizure, case, customs_case, package]
    addresses = [*border_addresses(aida.seen), *investigation_addresses(elena.seen | dinara.seen)]
    for login in ("oleg", "admin"):
        outsider = desk(login)
        outsider.sign_in()
        investigation.see_nothing(outsider, addresses, numbers)
        if login == "admin":
            investigation.administer(outsider)
        outsider.look_again_at_night()
    for device in (aida, nurlan, saule, elena, dinara):
        device.look_again_at_night()


def border_addresses(seen: dict[str, str]) -> list[str]:
    return [
        seen[name] for name in ("13-saved", "17-offered", "31-exhibit-refused", "32-event", "33-files", "34-seizure")
    ]


def investigation_addresses(seen: dict[str, str]) -> list[str]:
    return [seen[name] for name in ("53-case-links", "55-exhibit", "62-refer", "72-package")]
