"""Two ways of doing one thing, measured turn by turn in the same run, and the row of the table that comes of it.

Absolute times say more about the machine than about the program: the verdict is always a ratio of medians.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Samples:
    """What both sides measured, in the order it was measured. The unit is the caller's."""

    ours: list[float]
    theirs: list[float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``ratio`` is oriented so that ``aim`` can be read against it."""

    what: str
    against: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    aim: str
    met: bool
    samples: Samples
    note: str = ""


def turns(ours: Measure, theirs: Measure, rounds: int) -> Samples:
    """Measure both ``rounds`` times, in turn; whoever went second goes first in the next round."""
    samples = Samples([], [])
    for round_ in range(rounds):
        if round_ % 2:
            samples.theirs.append(theirs())
            samples.ours.append(ours())
        else:
            samples.ours.append(ours())
            samples.theirs.append(theirs())
    return samples


def speed(what: str, against: str, samples: Samples, least: float, *, note: str = "") -> Row:
    """Samples are seconds; the ratio is how many times as fast we are."""
    mine, other = statistics.median(samples.ours), statistics.median(samples.theirs)
    return Row(what, against, mine, other, "s", other / mine, f">= {least:g}x", other / mine >= least, samples, note)


def rate(what: str, against: str, samples: Samples, least: float, *, note: str = "") -> Row:
    """Samples are so many per second."""
    mine, other = statistics.median(samples.ours), statistics.median(samples.theirs)
    return Row(what, against, mine, other, "/s", mine / other, f">= {least:g}x", mine / other >= least, samples, note)


def delay(
    what: str,
    against: str,
    samples: Samples,
    most: float,
    *,
    or_extra: float | None = None,
    at: float = 0.5,
    note: str = "",
) -> Row:
    """Samples are milliseconds, compared at the quantile ``at``; the ratio is how many times as long we take.

    A difference of at most ``or_extra`` milliseconds meets the aim as well: of what takes microseconds, a ratio
    says little.
    """
    mine, other = quantile(samples.ours, at), quantile(samples.theirs, at)
    met, aim = mine / other <= most, f"<= {most:g}x"
    if or_extra is not None:
        met, aim = met or mine - other <= or_extra, f"{aim} or <= +{or_extra:g} ms"
    return Row(what, against, mine, other, "ms", mine / other, aim, met, samples, note)


def quantile(values: Sequence[float], at: float) -> float:
    """The smallest measured value that at least the share ``at`` of them do not exceed; 0.5 is the median."""
    if at == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[max(0, math.ceil(at * len(ordered)) - 1)]


class Stopwatch:
    """``with Stopwatch() as watch: ...`` and then ``watch.seconds``."""

    seconds: float

    def __enter__(self) -> Stopwatch:
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
