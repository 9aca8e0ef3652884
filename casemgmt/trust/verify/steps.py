"""Runs the twelve steps over one package and reports each, whatever the others found."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from casemgmt.trust.errors import TrustError
from casemgmt.trust.verify import authorities, bag, ledger, people, receipts
from casemgmt.trust.verify.examination import Brought, Examination
from casemgmt.trust.verify.findings import Finding, Outcome
from casemgmt.trust.verify.openssl import OpenSsl
from casemgmt.trust.verify.report import Report, StepResult, caveats

MOST_THREADS = 64


class Step(NamedTuple):
    """`needs` are the steps without which this one cannot be taken."""

    number: int
    title: str
    check: Callable[[Examination], Finding]
    needs: tuple[int, ...]


STEPS = (
    Step(1, "Archive: it has the agreed layout", bag.check_archive, ()),
    Step(2, "Bag: it declares what it holds", bag.check_bag, (1,)),
    Step(3, "Payload: every evidence file is the one listed", bag.check_payload, (1,)),
    Step(4, "Tag files: every other file is the one listed; none is missing or unlisted", bag.check_tags, (1,)),
    Step(5, "Trust policy: log key and witnesses are known", ledger.check_policy, (1,)),
    Step(6, "Inclusion: every entry is in the ledger", ledger.check_inclusion, (2, 5)),
    Step(7, "Chains: the entries of every exhibit are unbroken", ledger.check_chains, (6,)),
    Step(8, "Seal: the package is sealed in the ledger", ledger.check_package_seal, (7,)),
    Step(9, "Receipts: every file was received under its entry", receipts.check_receipts, (3, 7)),
    Step(10, "People's signatures", people.check_people, (8,)),
    Step(11, "Organisation's signature", authorities.check_organisation, (2, 4)),
    Step(12, "Timestamps", authorities.check_timestamp, (2, 4)),
)


def verify_package(
    source: Path | BinaryIO,
    brought: Brought | None = None,
    *,
    threads: int | None = None,
    openssl: OpenSsl | None = None,
) -> Report:
    """Checks the package at a path, or in a seekable stream that stays open.

    What the reader `brought` replaces what the package says of itself; a log key pins the log: the package must name
    it, and only its signature counts.  Of everything else the report says that it came from the package.  Payload is
    hashed on `threads` threads (default: every core).  Without `openssl` steps 11 and 12 are not checked.  Hostile or
    damaged input gives a failed step, never an exception.
    """
    threads = threads or min(MOST_THREADS, os.cpu_count() or 1)
    brought = brought or Brought()
    if not isinstance(source, Path):
        return _examine(Examination(source, brought, threads, openssl))
    try:
        with source.open("rb") as stream:
            return _examine(Examination(stream, brought, threads, openssl))
    except OSError as error:
        return _unreadable(source, error)


def _examine(found: Examination) -> Report:
    results: dict[int, StepResult] = {}
    for step in STEPS:
        unmet = [number for number in step.needs if results[number].outcome is not Outcome.HOLDS]
        if unmet:
            finding = Finding(f"Needs step {unmet[0]}, which does not hold.", Outcome.NOT_CHECKED)
        else:
            finding = _take(step, found)
        results[step.number] = StepResult(step.number, step.title, finding.outcome, finding.words)
    package = found.archive.root if results[1].outcome is Outcome.HOLDS else ""
    return Report(package, tuple(results.values()), caveats(found))


def _take(step: Step, found: Examination) -> Finding:
    try:
        return step.check(found)
    except TrustError as error:
        return Finding(f"{error}.", Outcome.FAILED)
    except OSError as error:
        return Finding(f"This machine could not do it: {error.strerror}.", Outcome.NOT_CHECKED)


def _unreadable(source: Path, error: OSError) -> Report:
    first = StepResult(1, STEPS[0].title, Outcome.FAILED, f"Cannot read {source}: {error.strerror}.")
    rest = [StepResult(step.number, step.title, Outcome.NOT_CHECKED, "Needs step 1.") for step in STEPS[1:]]
    return Report("", (first, *rest), ())
