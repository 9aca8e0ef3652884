"""Which scripts a page loads before anything is pressed."""

from __future__ import annotations

import re

from casemgmt.core.assets import STATIC_ROOT


def started(*names: str) -> set[str]:
    """The modules and all that they import before they run."""
    found: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        source = (STATIC_ROOT / name).read_text(encoding="utf-8")
        beside = (STATIC_ROOT / name).parent
        others = re.findall(r'^(?:import|export)\b[^;]*?"(\.[^"]+)";', source, re.MULTILINE)
        queue.extend((beside / other).resolve().relative_to(STATIC_ROOT).as_posix() for other in others)
    return found
