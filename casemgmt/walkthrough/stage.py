"""What the acts of the story share: the cast at their devices, the transcript, and what has come into being."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casemgmt.demo.cast import PEOPLE
from casemgmt.walkthrough.authenticator import SoftAuthenticator
from casemgmt.walkthrough.transcript import Transcript
from casemgmt.walkthrough.visitor import Answer, Visitor, read

CONTAINER = "MSKU6011672"
CONTAINER_TYPED_IN_CYRILLIC = "МСКУ 601167-2"
SEAL = "A1234567"
OTHER_SEAL = "A1234568"
DRIVER = "Bolot Kasymov"


@dataclass
class Stage:
    """One performance. Acts read what earlier acts have left in ``things``."""

    base: str
    out: Path
    transcript: Transcript
    things: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, tuple[str, SoftAuthenticator]] = field(default_factory=dict)  # by login: the key's code, the device
    _visitors: dict[str, Visitor] = field(default_factory=dict)

    def enter(self, login: str) -> Visitor:
        """One of the cast, signed in at their own browser on first call."""
        if login not in self._visitors:
            visitor = Visitor(self.base, login, PEOPLE[login].name)
            self.transcript.check(visitor.sign_in(), f"{visitor.name} ({PEOPLE[login].appointment}) signs in")
            self._visitors[login] = visitor
        return self._visitors[login]

    def expect(self, answer: Answer, status: int, words: str) -> Any:
        """The answer has this status; returns its JSON, if it is JSON."""
        told = words if answer.status == status else f"{words} (expected {status}, got {answer.status})"
        if answer.status != status:
            self.transcript.quote(answer.data.decode(errors="replace")[:2000])
        self.transcript.check(answer.status == status, told)
        return read(answer) if "json" in answer.headers.get("content-type", "") else None
