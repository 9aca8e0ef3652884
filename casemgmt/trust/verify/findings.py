"""What one step found."""

from enum import StrEnum
from typing import NamedTuple

_SHOWN = 5


class Outcome(StrEnum):
    """`NOT_CHECKED` and `NONE` are never good: the first was not looked at, the second is not there to look at."""

    HOLDS = "holds"
    FAILED = "FAILED"
    NOT_CHECKED = "not checked"
    NONE = "none"


class Finding(NamedTuple):
    """`words` is one sentence; for a failed step it names what was found, for one not checked why."""

    words: str
    outcome: Outcome = Outcome.HOLDS


def some(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
