"""verify.html as a reader meets it: from a file, without a network, in three languages, by keyboard, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from casemgmt.trust.contents import Why
from tests.frontend.looking import DEVICES, axe, overflow
from tests.kit.conftest import opened
from tests.kit.forging import forged
from tests.kit.verifiers import PAGE, by_page
from tests.trust import factory
from tests.trust.factory import draft, hand_over
from tests.trust.people import AIDA, NURLAN
from tests.trust.repacking import laid_out

pytestmark = pytest.mark.browser

LANGUAGES = {
    "en": "Check an evidence package",
    "ru": "Проверка пакета доказательств",
    "ky": "Далилдер пакетин текшерүү",
}


def checked(page: Page, archive: Path) -> Page:
    page.set_input_files("#file", archive)
    expect(page.locator("#report")).to_be_visible(timeout=60_000)
    return page


@pytest.fixture
def archive(good: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "package.zip"
    path.write_bytes(good["full"])
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", ["small phone", "desk"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_reads_well(language: str, device: str, scheme: Any, browser: Browser, archive: Path) -> None:
    context = browser.new_context(**DEVICES[device], color_scheme=scheme)
    page = checked(opened(context.new_page()), archive)
    page.locator(f"[data-lang={language}]").click()
    assert page.title() == LANGUAGES[language]
    assert page.evaluate("document.documentElement.lang") == language
    page.locator("details").first.evaluate("e => e.open = true")
    assert overflow(page) == 0
    assert axe(page) == []
    context.close()


def test_it_asks_nothing_of_any_network_and_its_policy_forbids_it(browser: Browser, archive: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            asked.append(request.url)

    page.on("request", note)
    checked(opened(page), archive)
    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert asked == []
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy
    assert "connect-src" not in policy
    page.close()


def test_the_keyboard_and_the_reader_are_led_to_the_result(browser: Browser, archive: Path) -> None:
    page = opened(browser.new_page())
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    checked(page, archive)
    assert page.evaluate("document.activeElement.id") == "name"
    assert page.locator("#now").get_attribute("role") == "status"
    page.close()


def test_three_signs_stand_apart_and_twelve_steps_are_listed(browser: Browser, archive: Path) -> None:
    page = checked(opened(browser.new_page()), archive)
    expect(page.locator("#signs li")).to_have_count(3)
    expect(page.locator("#list li")).to_have_count(12)
    expect(page.locator("#verdict")).to_contain_text("Every step that this page can check holds.")
    expect(page.locator("#list li.not_checked")).to_have_count(2)
    expect(page.locator("#commands pre")).to_have_count(2)
    expect(page.locator("#limits")).to_contain_text("it came from the package")
    expect(page.locator("#things")).to_contain_text("Signed with the passkey of Nurlan.")
    page.close()


def test_a_broken_package_is_refused_aloud_and_its_signs_follow_their_own_steps(
    browser: Browser, good: dict[str, bytes], tmp_path: Path
) -> None:
    at = good["full"].index(b"photograph of")
    path = tmp_path / "broken.zip"
    path.write_bytes(good["full"][:at] + b"P" + good["full"][at + 1 :])
    page = checked(opened(browser.new_page()), path)
    expect(page.locator("#verdict")).to_contain_text("This package does not hold. Failed: step 3")
    expect(page.locator("#signs li").nth(0)).to_contain_text("NO")
    expect(page.locator("#signs li").nth(1)).not_to_contain_text("NO")
    page.close()


def test_the_readers_own_key_or_policy_is_used(good: dict[str, bytes], verifier: Page) -> None:
    policy = re.search(rb"log (\S+)\nwitness.*?quorum agencies\n", good["full"], re.DOTALL)
    assert policy
    key, whole = policy[1].decode(), policy[0].decode()
    assert "ok5own" in by_page(verifier, good["full"], own=key).words
    assert by_page(verifier, good["full"], own=whole).failed == []
    strict = whole.replace("group agencies 2", "group agencies 3")
    assert by_page(verifier, good["full"], own=strict).failed == [6]
    other = "ledger.customs.example/2027+cb1d1676+AUGDty6Tx3KGDI7fD38PWCSreS4O8J7dO4muEa7BbFeb"
    assert by_page(verifier, good["full"], own=other).failed == [5]


@pytest.mark.parametrize("given", ["key", "policy"])
def test_a_log_key_alone_makes_no_witness_known(given: str, browser: Browser, archive: Path) -> None:
    """Whoever holds the log's key can make witnesses of any name."""
    policy = re.search(rb"log (\S+)\nwitness.*?quorum agencies\n", archive.read_bytes(), re.DOTALL)
    assert policy
    page = opened(browser.new_page())
    page.locator("#key").evaluate("(box, text) => { box.value = text; }", policy[1 if given == "key" else 0].decode())
    limits = checked(page, archive).locator("#limits")
    words = "no witness whose key you gave cosigned this one"
    (expect(limits).to_contain_text if given == "key" else expect(limits).not_to_contain_text)(words)
    expect(limits).not_to_contain_text("it came from the package")
    page.close()


def test_what_is_withheld_may_be_a_hand_over_and_no_clock_orders_a_chain(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, stream = draft(exhibits=["KG-2027-000123/1"]), "exhibit:KG-2027-000123/1"
    said = {"to": {"name": "Nurlan"}, "seal": {"state": "intact"}}
    for act in ("offered", "accepted"):
        package.indexes.append(package.ledger.append(stream, f"custody:handover:{act}", said))
        monkeypatch.setattr(factory, "AT", "2026-01-01T00:00:00.000Z")  # a server whose clock was set back
    package.size = package.ledger.tree.size
    (tmp_path / "whole.zip").write_bytes(package.archive())
    package.indexes.append(package.ledger.append(stream, "custody:handover:accepted", {"to": {"name": "Nobody"}}))
    package.withheld[package.indexes[-1]] = Why("informant", "Names who told us")
    package.size = package.ledger.tree.size
    (tmp_path / "redacted.zip").write_bytes(package.archive())
    page = opened(browser.new_page())
    things, custody, seals = page.locator("#things"), page.locator("#signs li").nth(1), page.locator("#signs li").nth(2)
    checked(page, tmp_path / "whole.zip")
    expect(things).to_contain_text(re.compile("offered by .*accepted by Nurlan", re.DOTALL))
    expect(things).to_contain_text("Held by Nurlan")
    expect(seals).to_have_class("ok")
    checked(page, tmp_path / "redacted.zip")
    expect(seals).to_have_class("warn")
    expect(custody).to_have_class("warn")
    expect(custody).to_contain_text("Withheld: 1.")
    expect(things).not_to_contain_text("Held by Nurlan")
    page.close()


def test_custody_is_no_more_than_a_remark_when_only_a_withheld_entry_stands_in_its_way(
    browser: Browser, tmp_path: Path
) -> None:
    package = draft()
    for person in (AIDA, NURLAN):
        package.indexes.append(package.ledger.append(person.stream, *person.enrolment, actor=person.actor))
    for person, act in ((AIDA, "offered"), (NURLAN, "accepted")):
        (last,) = hand_over(package, ["KG-2027-000123/1"], person, act)
    hand_over(package, ["KG-2027-000123/2"], NURLAN, "offered")
    package.size = package.ledger.tree.size
    page = opened(browser.new_page())
    custody = page.locator("#signs li").nth(1)
    for withheld, sign in ({}, "ok"), ({last: Why("informant", "")}, "warn"):
        package.withheld = withheld
        path = tmp_path / f"{sign}.zip"
        path.write_bytes(package.archive())
        checked(page, path)
        expect(custody).to_have_class(sign)
    page.close()


def test_a_browser_without_ed25519_says_so_and_calls_nothing_good(browser: Browser, good: dict[str, bytes]) -> None:
    page = browser.new_page()
    page.add_init_script(
        "const real = crypto.subtle.importKey.bind(crypto.subtle); crypto.subtle.importKey = (f, k, a, ...r) =>"
        "a === 'Ed25519' ? Promise.reject(Error('no')) : real(f, k, a, ...r);"
    )
    said = by_page(opened(page), good["full"])
    assert said.failed == []
    assert said.outcomes[6] == said.outcomes[8] == said.outcomes[10] == "not_checked"
    assert "no_signatures" in said.words
    page.close()


def test_the_result_can_be_saved_and_dropped_files_are_taken(browser: Browser, archive: Path) -> None:
    page = checked(opened(browser.new_page()), archive)
    with page.expect_download() as download:
        page.locator("#save").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "6. Inclusion: holds" in text
    assert "What this does not prove" in text
    page.evaluate(
        """() => { const bag = new DataTransfer(); bag.items.add(new File(["no package"], "x.zip"));
        document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: bag, bubbles: true })); }"""
    )
    expect(page.locator("#verdict")).to_contain_text("Failed: step 1")
    page.close()


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "cut off": lambda good: good[:-30],
    "bytes behind": lambda good: good + b"!",
    "a giant count": lambda good: good[:-12] + b"\xff\xff\xff\xff" + good[-8:],
    "a giant directory": lambda good: good[:-10] + b"\xfe\xff\xff\xff" + good[-6:],
    "twice itself": lambda good: good + good,
    "broken UTF-8": lambda good: good.replace(b"BagIt-Version", b"BagIt\xff\xfeersio"),
    "a name outside": lambda good: good.replace(b"/metadata/", b"/../meta//"),
    "zeros": lambda _: bytes(1 << 20),
    "an end record alone": lambda _: b"PK\x05\x06" + bytes(18),
    "endless zip64": lambda _: b"\xff" * 76 + b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + bytes(2),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_gets_a_sentence(kind: str, good: dict[str, bytes], verifier: Page) -> None:
    said = by_page(verifier, HOSTILE[kind](good["full"]))
    assert said.failed
    first = said.words.splitlines()[min(said.failed) - 1]
    assert '["malformed","' not in first or "TypeError" not in first
    assert not re.search(r"(TypeError|RangeError|undefined|not a function)", said.words), said.words


def test_giant_counts_and_giant_values_get_a_sentence_and_no_hang(verifier: Page) -> None:
    many = laid_out({f"data/{number:06d}": b"" for number in range(20_000)})
    said = by_page(verifier, many)
    assert said.failed[0] == 2, said.words
    assert "bagit.txt" in said.words
    value = b'"' + b'x""' * 2_000_000 + b'"'
    lists = forged(draft(), lambda files: files.update({"metadata/files.csv": b",".join([value] * 2) + b"\n"}))
    said = by_page(verifier, lists)
    assert said.failed == [9], said.words


def test_text_of_the_package_is_never_markup(browser: Browser) -> None:
    page = opened(browser.new_page())
    shown = page.evaluate("document.getElementById('name').textContent = '<b>x</b>', document.querySelector('#name b')")
    assert shown is None
    source = (PAGE.parent / "page" / "view.js").read_text(encoding="utf-8")
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source
    page.close()
