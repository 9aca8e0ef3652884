"""How much is measured: for a verdict, or in a quick run that only proves that everything works."""

from __future__ import annotations

from dataclasses import dataclass

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes, counts and seconds of one run."""

    rounds: int  # of each pair of measures
    large: int  # the one large file
    middle: int  # eight of these at once
    photo: int
    photos: int  # in one round
    parts: int  # large files in the large package
    sealed: int  # small files in the package whose sealing is measured
    ranges: int  # first bytes looked at
    few_exhibits: int
    many_exhibits: int
    pages: int  # requests of each page to each database
    queries: int  # of each query by each role
    seconds: float  # of one round of hand-overs
    entries: int  # of the ledger, in one round
    singles: int  # single entries, and proofs
    leaves: int  # of the tree that is proved from


FULL = Sizes(
    rounds=5, large=GIB, middle=64 * MIB, photo=5 * MIB, photos=60, parts=4, sealed=1000, ranges=41,
    few_exhibits=10_000, many_exhibits=1_000_000, pages=400, queries=60, seconds=5,
    entries=60_000, singles=60, leaves=10_000_000,
)  # fmt: skip
QUICK = Sizes(
    rounds=2, large=32 * MIB, middle=4 * MIB, photo=MIB, photos=8, parts=2, sealed=40, ranges=5,
    few_exhibits=500, many_exhibits=5000, pages=10, queries=8, seconds=1,
    entries=2_000, singles=5, leaves=100_000,
)  # fmt: skip
