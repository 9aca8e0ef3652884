"""What a probe of a store saw, and the words for it."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Decided by reading the object afterwards, not by what the store answered."""

    REFUSED = "refused"
    HARMLESS = "harmless"
    """The store said yes, and the protected bytes are still there under their version id."""
    HAPPENED = "happened"


class Verdict(StrEnum):
    """About deletion before a retention period ends; about legal holds, in ``Report.legal_hold``."""

    LOCKED = "locked by the store"
    NOT_LOCKED = "not locked by the store"
    UNCLEAR = "not shown to be locked by the store"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried. ``code`` is for programs, ``what`` says it in words."""

    code: str
    what: str
    outcome: Outcome
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.outcome.value:9} {self.what}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict holds for this store, these credentials and this moment, and says no more than the attempts show."""

    address: str
    verdict: Verdict
    because: str
    attempts: tuple[Attempt, ...]
    legal_hold: Verdict = Verdict.NOT_LOCKED
    notes: tuple[str, ...] = ()

    def outcome(self, code: str) -> Outcome | None:
        """What came of an attempt; None when it was not made."""
        return next((attempt.outcome for attempt in self.attempts if attempt.code == code), None)

    def __str__(self) -> str:
        lines = [f"{self.address}: {self.verdict.value}", f"  {self.because}"]
        lines.append(f"  legal holds: {self.legal_hold.value}")
        lines += [f"  {attempt}" for attempt in self.attempts]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)
