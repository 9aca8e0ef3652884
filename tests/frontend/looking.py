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


_HIT = ".chip, .cam, .pick, .gallery"  # what is hit is the box around a small or unseen control
_TARGETS = (
    "header.top :is(a, button, summary), main :is(a.btn, button, select, summary, textarea, "
    "input:not([type=hidden])), aside.waiting a, .lines > li > a, .tasks a"
)


def glove_faults(page: Page, least: int = 56, gap: int = 12, corner: int = 61) -> list[str]:
    """What a gloved finger would miss on the screen as it is: targets lower or narrower than ``least`` pixels, two of
    them nearer to each other than ``gap``, and a main button whose middle lies within ``corner`` of a corner of the
    screen, where touch is worst (a hand-breadth of pixels as in the design's source)."""
    script = """([targets, hit, least, gap, corner]) => {
        const seen = new Map();
        for (const e of document.querySelectorAll(targets)) {
            if (!e.checkVisibility({ visibilityProperty: true })) continue;
            const whole = e.closest(hit) ?? e;
            if (e.classList.contains('vh') && whole === e) continue;
            seen.set(whole, whole.getBoundingClientRect());
        }
        const words = (e) => e.textContent.trim().replace(/\\s+/g, ' ').slice(0, 40);
        const name = (e) => `${e.tagName.toLowerCase()} ${e.id || words(e)}`;
        const found = [];
        const all = [...seen].filter(([, box]) => box.width > 0 && box.height > 0);
        for (const [e, box] of all) {
            if (Math.round(box.height) < least || Math.round(box.width) < Math.min(least, 48)) {
                found.push(`${name(e)}: ${Math.round(box.width)} x ${Math.round(box.height)}`);
            }
            const main = e.matches('.btn:not(.sec), .btn.big');
            const near = (middle, size) => Math.min(middle, size - middle) < corner;
            const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
            if (main && y > 0 && y < innerHeight && near(x, innerWidth) && near(y, innerHeight)) {
                found.push(`${name(e)}: in a corner`);
            }
        }
        // what stays where it is while the page scrolls lies over everything in turn
        const fixed = (e) => Boolean(e.closest('.bar, dialog, .menu-panel'));
        for (const [i, [a, x]] of all.entries()) {
            for (const [b, y] of all.slice(i + 1)) {
                if (a.contains(b) || b.contains(a) || fixed(a) !== fixed(b)) continue;
                const across = Math.max(x.left - y.right, y.left - x.right);
                const down = Math.max(x.top - y.bottom, y.top - x.bottom);
                const between = Math.max(across, down);
                if (between < gap - 0.5 && Math.min(across, down) < 0) {
                    found.push(`${name(a)} and ${name(b)}: ${Math.round(between)} px apart`);
                }
            }
        }
        return found;
    }"""
    return list(page.evaluate(script, [_TARGETS, _HIT, least, gap, corner]))
