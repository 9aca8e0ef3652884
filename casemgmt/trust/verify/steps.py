"""Runs the nine steps over one package and reports each, whatever the others found."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Policy
from casemgmt.trust.verify import checks
from casemgmt.trust.verify.examination import Examination
from casemgmt.trust.verify.report import Outcome, Report, StepResult, caveats


class Step(NamedTuple):
    """`needs` are the steps without which this one cannot be taken."""

    number: int
    title: str
    check: Callable[[Examination], str]
    needs: tuple[int, ...]


STEPS = (
    Step(1, "The archive has the agreed layout", checks.check_archive, ()),
    Step(2, "The bag declares what it holds", checks.check_bag, (1,)),
    Step(3, "Every payload file is the one listed", checks.check_payload, (1,)),
    Step(4, "Every other file is the one listed; none is missing or unlisted", checks.check_tags, (1,)),
    Step(5, "The log key is known", checks.check_policy, (1,)),
    Step(6, "Every event is in the ledger", checks.check_inclusion, (2, 5)),
    Step(7, "The chain of events of every exhibit is unbroken", checks.check_chains, (6,)),
    Step(8, "The package is sealed in the ledger", checks.check_package_seal, (7,)),
    Step(9, "Every payload file was received under its event", checks.check_receipts, (3, 7)),
)


def verify_package(
    source: Path | BinaryIO,
    *,
    log_key: VerifierKey | None = None,
    policy: Policy | None = None,
    threads: int | None = None,
) -> Report:
    """Checks the package at a path, or in a seekable stream that stays open.

    `log_key` pins the log: the package must name it, and only its signature counts.  `policy` replaces
    the package's own.  With neither, the report says that the key came from the package.  Payload is
    hashed on `threads` threads (default: up to four).  Hostile or damaged input gives a failed step, never
    an exception.
    """
    threads = threads or min(4, os.cpu_count() or 1)
    if not isinstance(source, Path):
        return _examine(Examination(source, policy, log_key, threads))
    try:
        with source.open("rb") as stream:
            return _examine(Examination(stream, policy, log_key, threads))
    except OSError as error:
        return _unreadable(source, error)


def _examine(found: Examination) -> Report:
    results: dict[int, StepResult] = {}
    for step in STEPS:
        unmet = [number for number in step.needs if results[number].outcome is not Outcome.HOLDS]
        if unmet:
            outcome, finding = Outcome.NOT_CHECKED, f"Needs step {unmet[0]}, which does not hold."
        else:
            outcome, finding = _take(step, found)
        results[step.number] = StepResult(step.number, step.title, outcome, finding)
    package = found.archive.root if results[1].outcome is Outcome.HOLDS else ""
    return Report(package, tuple(results.values()), caveats(found))


def _take(step: Step, found: Examination) -> tuple[Outcome, str]:
    try:
        return Outcome.HOLDS, step.check(found)
    except TrustError as error:
        return Outcome.FAILED, f"{error}."


def _unreadable(source: Path, error: OSError) -> Report:
    first = StepResult(1, STEPS[0].title, Outcome.FAILED, f"Cannot read {source}: {error.strerror}.")
    rest = [StepResult(step.number, step.title, Outcome.NOT_CHECKED, "Needs step 1.") for step in STEPS[1:]]
    return Report("", (first, *rest), ())
