"""What the verifier found, for a person: the same numbers as in ``docs/spec/verification.md``."""

from dataclasses import dataclass

from casemgmt.trust.disputes import disputes
from casemgmt.trust.signers import PIN, SESSION
from casemgmt.trust.verify.examination import Examination
from casemgmt.trust.verify.findings import Outcome


@dataclass(frozen=True, slots=True)
class StepResult:
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

    def numbers(self, outcome: Outcome) -> list[int]:
        return [step.number for step in self.steps if step.outcome is outcome]

    @property
    def status(self) -> int:
        """Exit status: 0 all holds but for what is not there, 1 something failed, 3 something was not checked."""
        if self.numbers(Outcome.FAILED):
            return 1
        return 3 if self.numbers(Outcome.NOT_CHECKED) else 0

    @property
    def holds(self) -> bool:
        return self.status == 0

    @property
    def result(self) -> str:
        failed, unchecked, none = (
            ", ".join(map(str, self.numbers(outcome)))
            for outcome in (Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.NONE)
        )
        if failed:
            return f"NOT VERIFIED. Failed: step {failed}."
        without = f" The package has nothing to check in: step {none}." if none else ""
        if unchecked:
            return f"INCOMPLETE. Nothing failed, and not checked: step {unchecked}.{without}"
        if none:
            return f"VERIFIED. {len(self.numbers(Outcome.HOLDS))} steps hold.{without}"
        return f"VERIFIED. All {len(self.steps)} steps hold."

    def __str__(self) -> str:
        lines = [f"Package {self.package or '(unknown)'}"]
        for step in self.steps:
            lines.append(f"{step.number:2}. {step.title}: {step.outcome}")
            lines.append(f"    {step.finding}")
        lines += [f"RESULT: {self.result}", "What this does not prove:"]
        lines += [f"  - {caveat}" for caveat in self.caveats]
        return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines) + "\n"


def caveats(found: Examination) -> tuple[str, ...]:
    """What remains unproved, given how the package was checked."""
    said = []
    if found.accepted is not None and not found.brought.log:
        said.append(
            "The log key came from the package itself. Compare it with the one the agency publishes: "
            f"{found.accepted.log}"
        )
    if found.accepted is not None and found.accepted.witnessed and found.brought.policy is None:
        said.append(
            "The keys of the witnesses came from the package itself: whoever made it could have made them. Compare "
            "its ledger/trust.policy with the published one, or give that one."
        )
    said += [
        f"The CA certificates of the {what} signature came from the package itself. Compare them, too."
        for what in sorted(found.package_keys)
    ]
    said += [
        f"The {what} signature is by a DEMONSTRATION certificate, which anybody can make."
        for what in sorted(found.demonstration)
    ]
    if found.accepted is None or not found.accepted.witnessed:
        said.append(
            "No independent witness cosigned the ledger that was checked: whoever holds the log key could have shown "
            "others a different one."
        )
    if any(entry.means == PIN for entry in found.signed):
        said.append(
            "An entry signed by PIN was signed by software in one phone: whoever copied that phone's storage, opened "
            "and guessed the PIN, could sign the same."
        )
    if any(entry.means == SESSION for entry in found.signed):
        said.append("Of entries signed by a session only the agency's own system says who acted.")
    disputed = disputes(found.streams).standing if "streams" in found.__dict__ else ()
    if disputed:
        said.append(
            f"Custody of {len(disputed)} exhibits is disputed: two people signed a hand-over that did not take effect, "
            "and nobody has said yet which of the two is true."
        )
    if found.withheld:
        said.append(f"{len(found.withheld)} things are withheld, for the reasons listed; what they say is not shown.")
    if found.left_out:
        said.append(f"{found.left_out} received files named by these events are not in this package.")
    said += [
        "That what was entered is true, or that everything that happened was entered. Times are the agency's clock.",
        "That whoever signed understood what they signed.",
        "That the report, the graph and the observations say what the entries say: they are the sealer's, unchanged "
        "since the seal.",
        "That nothing newer stood in the ledger about these exhibits and keys when the package was sealed: the seal "
        "names the last entries, and the sealer wrote the seal.",
        "What was entered after the package was sealed, about exhibits that are not in it, or in records of which "
        "it holds an excerpt.",
    ]
    return tuple(said)
