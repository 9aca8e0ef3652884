"""Which country's plate a text could be, from patterns kept as data."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class PlatePattern:
    """``pattern`` is matched in full against Latin capitals and digits without separators."""

    country: str
    pattern: re.Pattern[str]
    example: str


@cache
def plate_patterns() -> tuple[PlatePattern, ...]:
    source = files("casemgmt.reference").joinpath("data", "plates.toml").read_text(encoding="utf-8")
    return tuple(
        PlatePattern(plate["country"], re.compile(plate["pattern"]), plate["example"])
        for plate in tomllib.loads(source)["plate"]
    )


def plate_countries(latin: str) -> tuple[str, ...]:
    """ISO 3166 codes of the countries whose plates look like this, in the order of the data; often none."""
    return tuple(dict.fromkeys(p.country for p in plate_patterns() if p.pattern.fullmatch(latin)))
