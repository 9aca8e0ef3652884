"""What the verifier found, for a person: the same numbers as in ``docs/spec/verification.md``."""

from dataclasses import dataclass
from enum import StrEnum

from casemgmt.trust.verify.examination import Examination


class Outcome(StrEnum):
    HOLDS = "holds"
    FAILED = "FAILED"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class StepResult:
    """`finding` is one sentence; for a failed step it names what was found, for one not checked why."""

    number: int
    title: str
    outcome: Outcome
    finding: str


@dataclass(frozen=True, slots=True)
class Report:
    """`caveats` are what a verified package still does not prove; they hold whatever the outcome."""

    package: str
    steps: tuple[StepResult, ...]
    caveats: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return all(step.outcome is Outcome.HOLDS for step in self.steps)

    def __str__(self) -> str:
        failed = [str(step.number) for step in self.steps if step.outcome is Outcome.FAILED]
        lines = [f"Package {self.package or '(unknown)'}"]
        for step in self.steps:
            lines.append(f"{step.number:2}. {step.title}: {step.outcome}")
            lines.append(f"    {step.finding}")
        if self.holds:
            lines.append(f"RESULT: VERIFIED. All {len(self.steps)} steps hold.")
        else:
            lines.append(f"RESULT: NOT VERIFIED. Failed: step {', '.join(failed)}.")
        lines.append("What this does not prove:")
        lines += [f"  - {caveat}" for caveat in self.caveats]
        return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines) + "\n"


def caveats(found: Examination) -> tuple[str, ...]:
    """What remains unproved, given how the package was checked."""
    said = []
    if found.accepted is not None and not found.key_given:
        said.append(
            "The log key came from the package itself. Compare it with the one the agency publishes: "
            f"{found.accepted.log}"
        )
    if found.accepted is None or not found.accepted.witnessed:
        said.append(
            "No independent witness cosigned the ledger that was checked: whoever holds the log key could have shown "
            "others a different one."
        )
    if found.left_out:
        said.append(f"{found.left_out} received files named by these events are not in this package.")
    said += [
        "That what was entered is true, or that everything that happened was entered. Times are the agency's clock.",
        "What was entered after the package was sealed, about exhibits that are not in it, or in records of which "
        "it holds an excerpt.",
    ]
    return tuple(said)
