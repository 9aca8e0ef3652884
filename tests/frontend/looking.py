"""How the tests look at a page: devices, axe, and measures axe does not take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = (Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

DEVICES: dict[str, dict[str, Any]] = {
    "small phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
    "phone": {"viewport": {"width": 412, "height": 839}, "is_mobile": True, "has_touch": True},
    "desk": {"viewport": {"width": 1366, "height": 800}},
}


def axe(page: Page) -> list[str]:
    """The violations of WCAG 2.2 A and AA and of axe's best practice, one line each."""
    page.evaluate(_AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", _RULES)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def cut_texts(page: Page) -> list[str]:
    """Texts of buttons, tags and headings that do not fit their own box."""
    script = """[...document.querySelectorAll('.btn, .tag, .chip span, h1, h2, th, label, summary')]
        .filter(e => e.checkVisibility() && !e.closest('.vh'))
        .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
        .map(e => e.textContent.trim())"""
    return list(page.evaluate(script))


def small_targets(page: Page, least: int) -> list[str]:
    """What a gloved finger has to hit inside <main> or the header and is lower than ``least`` pixels."""
    wanted = (
        "header.top :is(a, button, summary), main :is(a.btn, button, select, summary, "
        "input:not([type=hidden]), textarea)"
    )
    script = """([wanted, least]) => [...document.querySelectorAll(wanted)]
        .filter(e => e.checkVisibility() && !e.classList.contains('vh'))
        .map(e => [e, (e.closest('.chip, .cam, .pick') || e).getBoundingClientRect().height])
        .filter(([e, height]) => height < least)
        .map(([e, height]) => `${e.tagName} ${e.id || e.textContent.trim()} ${Math.round(height)}`)"""
    return list(page.evaluate(script, [wanted, least]))


def covered_by(page: Page, top: float) -> bool:
    """Is the focused control under something that begins at ``top`` and covers the rest of the screen?"""
    script = """top => {
        const focused = document.activeElement;
        const box = focused.getBoundingClientRect();
        return focused !== document.body && !focused.closest('.bar, footer') && box.bottom > top + 1;
    }"""
    return bool(page.evaluate(script, top))


def untranslated(page: Page) -> list[str]:
    """Texts that are not in the brackets of the stretched language, names of people and languages aside."""
    script = """() => {
        const found = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const own = walk.currentNode.parentElement;
            if (!/[a-z]{3}/i.test(walk.currentNode.textContent) || own.closest('kbd, .who, .choice[lang]')) continue;
            const whole = own.closest('p, li, dt, dd, h1, h2, a, button, summary, label, legend, span') ?? own;
            if (!whole.textContent.trim().startsWith('[')) found.push(whole.textContent.trim());
        }
        return found;
    }"""
    return list(page.evaluate(script))
