"""What makes the site an application: manifest, icons, worker, and what a phone keeps."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar import Litestar
from PIL import Image

from casemgmt.core.assets import STATIC_ROOT, Assets
from casemgmt.core.installable import PAGES, kept_files
from tests.cast import Browser, Member, World

Browsers = Callable[[Member | None], Browser]


async def test_the_manifest_names_icons_that_are_there_and_the_shortcut(browser: Browsers) -> None:
    client = browser(None)
    answer = await client.get("/manifest.webmanifest", headers={"Accept-Language": "ru"})
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert (manifest["display"], manifest["scope"], manifest["lang"]) == ("standalone", "/", "ru")
    assert manifest["shortcuts"][0] == manifest["shortcuts"][0] | {"name": "Новое изъятие", "url": "/phone/new"}
    assert {(i["sizes"], i["purpose"]) for i in manifest["icons"]} >= {("512x512", "any"), ("512x512", "maskable")}
    for icon in manifest["icons"]:
        picture = await client.get(icon["src"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("path", sorted((STATIC_ROOT / "icons").glob("*.png")), ids=lambda path: path.stem)
def test_every_icon_is_of_its_size_and_made_from_the_present_drawing(path: Path) -> None:
    picture = Image.open(path)
    size = int(path.stem.rpartition("-")[2])
    assert picture.size == (size, size)
    drawing = hashlib.sha256((STATIC_ROOT / "icon.svg").read_bytes()).hexdigest()
    assert picture.info["Source-SHA256"] == drawing, "run tools/make-icons.py"


async def test_the_worker_is_at_the_root_and_never_cached(browser: Browsers) -> None:
    answer = await browser(None).get("/sw.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_another_version_or_language_is_another_worker(app: Litestar, browser: Browsers) -> None:
    client = browser(None)
    english = (await client.get("/sw.js", headers={"Accept-Language": "en"})).text
    assert (await client.get("/sw.js", headers={"Accept-Language": "en"})).text == english
    assert (await client.get("/sw.js", headers={"Accept-Language": "ru"})).text != english
    before, app.state.assets.version = app.state.assets.version, "0" * 12
    try:
        assert (await client.get("/sw.js", headers={"Accept-Language": "en"})).text != english
    finally:
        app.state.assets.version = before


@pytest.mark.parametrize("path", PAGES)
async def test_what_a_phone_keeps_is_the_same_for_everybody(path: str, browser: Browsers, world: World) -> None:
    address = f"{path}?lang=en"
    stranger = (await browser(None).get(address)).text
    for member in (world.aida, world.timur):
        seen = (await browser(member).get(address)).text
        assert seen == stranger
        assert member.name not in seen
        assert member.actor.csrf not in seen


def test_a_page_names_what_its_modules_import_and_no_more() -> None:
    assets = Assets()
    assert assets.url("js/phone/seal.js") in assets.modules("js/phone/capture.js")
    assert assets.url("js/phone/drain.js") not in assets.modules("js/phone/strip.js")  # only when it is needed
    assert assets.modules("js/clock.js", "js/clock.js") == [assets.url("js/clock.js")]


def test_every_module_of_the_phone_is_kept_on_it_and_writes_no_markup() -> None:
    assets = Assets()
    kept = set(kept_files(assets))
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://")
    modules = sorted((STATIC_ROOT / "js" / "phone").glob("*.js"))
    assert modules
    for path in modules:
        assert assets.url(f"js/phone/{path.name}") in kept
        assert not forbidden.search(path.read_text(encoding="utf-8")), path.name


async def test_only_the_hashing_worker_may_compile_webassembly(app: Litestar, browser: Browsers) -> None:
    client, version = browser(None), app.state.assets.version
    worker = await client.get(f"/static/{version}/js/phone/hash-worker.js")
    assert worker.headers["content-security-policy"] == "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
    for address in (f"/static/{version}/js/phone/digest.js", "/phone/new", "/phone", "/seizures/new"):
        policy = (await client.get(address)).headers["content-security-policy"]
        assert "unsafe" not in policy
