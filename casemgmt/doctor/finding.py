"""What an examination found, in words for an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    GOOD = "good"
    NOTE = "note"
    """Not a fault, and worth knowing: the default store cannot lock, for one."""
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``detail`` may run over several lines."""

    outcome: Outcome
    subject: str
    detail: str = ""

    def __str__(self) -> str:
        lines = [f"{self.outcome.value:5}  {self.subject}"]
        lines += [f"         {line}" for line in self.detail.splitlines()]
        return "\n".join(lines)


def good(subject: str, detail: str = "") -> Finding:
    return Finding(Outcome.GOOD, subject, detail)


def note(subject: str, detail: str = "") -> Finding:
    return Finding(Outcome.NOTE, subject, detail)


def fault(subject: str, detail: str = "") -> Finding:
    return Finding(Outcome.FAULT, subject, detail)
