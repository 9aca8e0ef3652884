"""How much a telephone loads before the first tap and keeps for work without a network, and that all of it is ours."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable

import pytest
from litestar import Litestar
from playwright.sync_api import expect

from casemgmt.core import i18n
from casemgmt.core.assets import STATIC_ROOT, Assets
from casemgmt.core.installable import PAGES, kept_files
from tests.cast import Browser, Member, World
from tests.phone import budgets
from tests.phone.budgets import SCRIPTS, SHEET, SHELL
from tests.phone.handset import Handset, with_phone

LATER = (
    "js/phone/unlock.js", "js/phone/checklist.js", "js/phone/strip.js", "js/phone/drain.js", "js/phone/holding.js",
    "js/phone/send-agreement.js",
)  # fmt: skip
"""Asked for when the phone's own store says that they are needed; on a phone at work they lie in its cache."""

Browsers = Callable[[Member | None], Browser]


async def shell(client: Browser, language: str) -> list[str]:
    """The addresses of everything a phone keeps."""
    script = (await client.get("/sw.js", headers={"Accept-Language": language})).text
    kept = json.loads(re.match(r"const SHELL = (\{.*\});\n", script)[1])  # type: ignore[index]
    return [*kept["files"], *kept["pages"].values()]


def modules(names: tuple[str, ...]) -> set[str]:
    assets = Assets()
    return {address.partition(f"/{assets.version}/")[2] for address in assets.modules(*names)}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_of_the_phone_is_within_its_budget(path: str, language: str, browser: Browsers) -> None:
    page = await browser(None).get(f"{path}?lang={language}")
    assets = Assets()
    scripts = budgets.on_the_way(assets, budgets.announced(page.text))
    sheet = budgets.on_the_way(assets, ["app.css"])
    assert budgets.too_heavy(page.content, sheet, scripts, budgets.PAGES.get(path, budgets.PAGE)) == []


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_all_that_a_phone_keeps_is_within_its_budget(language: str, browser: Browsers) -> None:
    client = browser(None)
    total = 0
    for address in await shell(client, language):
        answer = await client.get(address)
        assert answer.status_code == 200, address
        total += budgets.packed(answer.content)
    assert total < SHELL


def test_each_budget_is_noticed_when_it_is_broken() -> None:
    noise = os.urandom(budgets.PAGE)  # packs no smaller
    assert [fault.split(":")[0] for fault in budgets.too_heavy(noise, 1, 1)] == ["page"]
    assert [fault.split(":")[0] for fault in budgets.too_heavy(b"", SHEET + 1, 1)] == ["sheet"]
    assert [fault.split(":")[0] for fault in budgets.too_heavy(b"", SHEET, SCRIPTS + 1)] == ["scripts"]
    assert budgets.too_heavy(b"a" * budgets.PAGE, SHEET, SCRIPTS) == []


@pytest.mark.browser
async def test_a_page_names_every_script_it_starts_with(server: str, world: World, app: Litestar) -> None:
    """What a page does not name, a browser finds out from another script: one more journey on a slow line."""
    later = modules(LATER)

    def look(phone: Handset, path: str) -> None:
        phone.page.goto(path, wait_until="networkidle")
        found = budgets.loaded(phone.page)
        said = budgets.announced((phone.context.request.get(path)).text())
        assert "js/app.js" in said & found
        assert found - later <= said, path

    def visit(phone: Handset) -> None:
        for path in ("/phone/new", "/phone"):
            look(phone, path)
        phone.sign_in(world.aida)
        look(phone, "/")
        look(phone, "/seizures/new")

    await with_phone(server, visit)


@pytest.mark.browser
async def test_an_officer_at_work_starts_with_no_more_than_the_page_names(server: str, world: World) -> None:
    def visit(phone: Handset) -> None:
        phone.set_up(world.aida)
        phone.begin()
        expect(phone.page.locator("[data-officer]")).not_to_be_empty()
        phone.page.wait_for_load_state("networkidle")
        said = budgets.announced(phone.context.request.get("/phone/new").text())
        found = budgets.loaded(phone.page)
        assert "js/phone/drain.js" in found  # the queue is at work
        assert found - modules(LATER) <= said
        assert budgets.on_the_way(Assets(), said) <= SCRIPTS

    await with_phone(server, visit)


def test_a_module_without_its_comments_is_the_same_line_for_line() -> None:
    assets = Assets()
    for path in sorted((STATIC_ROOT / "js").rglob("*.js")):
        source = path.read_text(encoding="utf-8")
        # What could look like a comment and is none.
        assert not any("\n" in text for text in re.findall(r"`[^`]*`", re.sub(r"(?m)^\s*//.*$", "", source))), path.name
        assert "/*" not in re.sub(r'"[^"\n]*"', "", source), path.name
        served = assets.find(path.relative_to(STATIC_ROOT).as_posix())
        assert served is not None
        pairs = list(zip(source.split("\n"), served.content.decode().split("\n"), strict=True))
        assert all(ours == theirs or (theirs == "" and ours.strip().startswith("//")) for ours, theirs in pairs)


async def test_nothing_a_phone_keeps_is_inline_or_from_elsewhere(browser: Browsers) -> None:
    client = browser(None)
    for language in i18n.LANGUAGES:
        for address in await shell(client, language):
            answer = await client.get(address)
            kind = answer.headers["content-type"].partition(";")[0]
            if kind == "text/html":
                assert budgets.foreign_to_a_page(answer.text) == [], address
            elif kind == "text/css":
                assert budgets.foreign_to_a_sheet(answer.text) == [], address
            elif kind == "text/javascript" and "/vendor/" not in address:
                assert not re.search(r"\bhttps?://|[\"'`]//", answer.text), address


async def test_every_page_of_the_phone_and_its_worker_let_nothing_in_from_elsewhere(browser: Browsers) -> None:
    client = browser(None)
    for address in (*PAGES, "/sw.js", "/", "/sign-in"):
        policy = (await client.get(address)).headers["content-security-policy"]
        assert budgets.weak_in(policy) == [], address
        for name in ("script-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert name in policy.split("; "), address


def test_every_file_of_ours_that_a_page_can_load_is_kept(browser: Browsers) -> None:
    assets = Assets()
    ours = {assets.url(name) for name in assets.names() if name.startswith("js/")}
    assert ours <= set(kept_files(assets))


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>", "<style>a{}</style>", '<p style="color:red">', '<a onclick="x()">',
        '<a hx-on:click="x()">', '<script src="https://cdn.example/x.js"></script>', '<img src="//cdn.example/x.png">',
        '<form action="http://elsewhere.example/">', '<a href="javascript:x()">', '<link href="data:text/css,a">',
        '<meta http-equiv="refresh" content="0">',
    ],
)  # fmt: skip
def test_what_is_inline_or_from_elsewhere_is_noticed(html: str) -> None:
    assert len(budgets.foreign_to_a_page(f"<!DOCTYPE html><title>x</title>{html}")) == 1


def test_a_sheet_and_a_policy_that_reach_elsewhere_are_noticed() -> None:
    assert budgets.foreign_to_a_sheet("@import 'x.css'; a{b:url(https://cdn.example/x.woff2)}") != []
    assert budgets.foreign_to_a_sheet("a{b:url(#mask)}") == []
    good = "default-src 'none'; script-src 'self'; img-src 'self' data:"
    assert budgets.weak_in(good) == []
    for change in ("script-src 'unsafe-inline'", "font-src https:", "style-src cdn.example", "connect-src *"):
        assert len(budgets.weak_in(f"{good}; {change}")) == 1, change
    assert budgets.weak_in("script-src 'self'") == ["default-src is not 'none'"]


@pytest.mark.browser
async def test_a_script_that_was_slipped_into_a_page_does_not_run(server: str, world: World) -> None:
    """Changed on its way, as a portal for Wi-Fi would: the policy of the page holds, and the tests see."""

    def visit(phone: Handset) -> None:
        inline, elsewhere = "<script>window.inline = 1</script>", '<script src="http://127.0.0.1:9/x.js"></script>'
        answer = phone.context.request.get("/phone/new")
        body = answer.text().replace("</main>", f"{inline}{elsewhere}</main>")
        headers = {
            key: value for key, value in answer.headers.items() if not key.startswith("content-") or "policy" in key
        }
        headers["content-type"] = "text/html; charset=utf-8"
        phone.page.route("**/phone/new", lambda route: route.fulfill(status=200, headers=headers, body=body))
        phone.page.goto("/phone/new")
        expect(phone.page.locator("[data-no-vault]")).to_be_visible()
        assert phone.page.evaluate("window.inline") is None
        assert len([error for error in phone.errors if "Policy" in error]) == 2
        phone.errors.clear()

    await with_phone(server, visit)
