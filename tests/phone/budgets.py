"""What a telephone may have to load, and what its pages may not hold. Each check gives its faults, one line each."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser

from playwright.sync_api import Page

from casemgmt.core.assets import Assets

KIB = 1024
PAGE, SHEET, SCRIPTS, SHELL = 6 * KIB, 12 * KIB, 25 * KIB, 150 * KIB
"""Bytes on the way, compressed: a page, its sheet, its scripts before anything is pressed; all that lies on a phone."""

PAGES = {"/phone/hand-over": 8 * KIB, "/phone/receive": 8 * KIB}
"""Pages that are worked with only on a phone that keeps them already: their words may weigh more."""

_SCRIPT = re.compile(r"/static/[0-9a-f]{12}/(.+\.js)$")
_ADDRESSES = frozenset({"src", "href", "action", "formaction", "srcset", "poster", "data", "ping", "cite", "manifest"})
_OWN = re.compile(r"(/(?!/)|#|$)")
_SOURCES = frozenset({"'none'", "'self'"})
_PICTURES = frozenset({"data:", "blob:"})


def packed(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def on_the_way(assets: Assets, names: Iterable[str]) -> int:
    """Bytes of static files as they are sent."""
    found = (assets.find(name) for name in names)
    return sum(len(asset.gzipped or asset.content) for asset in found if asset)


def too_heavy(page: bytes, sheet: int, scripts: int, most: int = PAGE) -> list[str]:
    weights = {"page": (packed(page), most), "sheet": (sheet, SHEET), "scripts": (scripts, SCRIPTS)}
    return [f"{name}: {weight} of {limit} bytes" for name, (weight, limit) in weights.items() if weight > limit]


def loaded(page: Page) -> set[str]:
    """The scripts that a page has asked for, wherever they came from."""
    addresses = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    return {found[1] for address in addresses if (found := _SCRIPT.search(address))}


def announced(html: str) -> set[str]:
    """The scripts that a page names itself."""
    return {found[1] for link in re.findall(r'(?:href|src)="([^"]+)"', html) if (found := _SCRIPT.search(link))}


def foreign_to_a_page(html: str) -> list[str]:
    """What a page holds that would need a weaker policy, or another host."""
    parser = _Parser()
    parser.feed(html)
    return parser.faults


def foreign_to_a_sheet(css: str) -> list[str]:
    return re.findall(r"@import[^;]*|url\((?!['\"]?(?:#|data:))[^)]*\)", css)


def weak_in(policy: str) -> list[str]:
    """What a content security policy lets in that is not the site's own."""
    said = {name: set(sources) for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    faults = [] if said.get("default-src") == {"'none'"} else ["default-src is not 'none'"]
    for name, sources in said.items():
        allowed = _SOURCES | (_PICTURES if name == "img-src" else frozenset())
        faults += [f"{name} {source}" for source in sorted(sources - allowed)]
    return faults


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Mapping[str, str | None] = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.faults.append(f"<{tag}> in the page")
        for name, value in given.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                self.faults.append(f"<{tag} {name}>")
            if name in _ADDRESSES and not _OWN.match(value or ""):
                self.faults.append(f"<{tag} {name}={value}>")
            if tag == "meta" and name == "http-equiv":
                self.faults.append("<meta http-equiv>")
