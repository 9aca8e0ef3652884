"""What no template may hold, because the content security policy forbids it or a person would stumble."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemgmt.core.assets import Assets
from casemgmt.core.codes import Codes
from casemgmt.core.render import TEMPLATE_ROOT, build_environment
from casemgmt.rooms import install_globals

NAMES = sorted(path.relative_to(TEMPLATE_ROOT).as_posix() for path in TEMPLATE_ROOT.rglob("*.html"))

FORBIDDEN = {
    "an inline style": r"<style|\sstyle\s*=",
    "an inline script": r"<script(?![^>]*\ssrc=)|javascript:",
    "an inline handler": r"\son[a-z]+\s*=|hx-on",
    "a value computed by htmx": r"""hx-[a-z]+\s*=\s*["']\s*js:|hx-trigger\s*=\s*["'][^"']*\[""",
    "a button without a type": r"<button(?![^>]*\stype=)",
    "something from another host": r"""(?:src|href|action)\s*=\s*["']\s*(?:https?:)?//""",
    "text that was not escaped": r"\|\s*safe\b|autoescape\s+false",
}


def faults(source: str) -> list[str]:
    bare = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    return [what for what, pattern in FORBIDDEN.items() if re.search(pattern, bare, re.IGNORECASE)]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_holds_nothing_forbidden(name: str) -> None:
    assert faults((TEMPLATE_ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_template_parses_and_uses_only_known_filters(name: str) -> None:
    environment = build_environment(Assets())
    install_globals(environment, Codes("salt"))
    environment.get_template(name)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('<p style="color:red">', "an inline style"),
        ("<script>alert(1)</script>", "an inline script"),
        ('<a onclick="x()">', "an inline handler"),
        ("<form hx-on:submit='x'>", "an inline handler"),
        ('<div hx-vals="js:{a: 1}">', "a value computed by htmx"),
        ('<div hx-trigger="click[ctrlKey]">', "a value computed by htmx"),
        ("<button class='btn'>", "a button without a type"),
        ('<img src="//elsewhere/x.png">', "something from another host"),
        ("{{ name|safe }}", "text that was not escaped"),
    ],
)
def test_the_check_itself_sees(source: str, fault: str) -> None:
    assert faults(source) == [fault]


def test_the_scripts_never_write_markup_or_evaluate_text() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://")
    for path in (TEMPLATE_ROOT.parent / "static" / "js").rglob("*.js"):
        code = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not forbidden.search(code), path.name


def test_every_script_is_reached_from_the_entry_or_the_service_worker() -> None:
    folder = TEMPLATE_ROOT.parent / "static" / "js"
    reached: set[Path] = set()
    queue = [folder / "app.js", folder / "phone" / "first.js"]
    while queue:
        path = queue.pop()
        if path not in reached:
            reached.add(path)
            named = re.findall(r'"(\.\.?/[\w/-]+\.js)"', path.read_text(encoding="utf-8"))
            queue += [found for name in named if (found := (path.parent / name).resolve()).is_relative_to(folder)]
    assert reached == set(folder.rglob("*.js"))
