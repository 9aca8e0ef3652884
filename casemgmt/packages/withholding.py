"""What of the chosen exhibits stays out of a package, and why. Its hashes stay in, and the proof that it exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_
from casemgmt.reference.lists import WITHHOLDING_REASONS
from casemgmt.trust.contents import Why

WITHHELD = "packages:package:withheld"

SHORTEST_REASON = 5


@dataclass(frozen=True, slots=True)
class Withheld:
    """Codes of reasons by file id and by ledger entry id, and the words for all of them."""

    files: Mapping[int, str] = field(default_factory=dict)
    entries: Mapping[int, str] = field(default_factory=dict)
    words: str = ""

    def __bool__(self) -> bool:
        return bool(self.files or self.entries)

    def file(self, file_id: int) -> Why | None:
        code = self.files.get(file_id)
        return None if code is None else Why(code, self.words)

    def entry(self, entry_id: int) -> Why | None:
        code = self.entries.get(entry_id)
        return None if code is None else Why(code, self.words)


NOTHING = Withheld()


def checked(withheld: Withheld, on: date) -> Withheld:
    """Raises Invalid for a reason the list does not offer that day, or none in words."""
    codes = {*withheld.files.values(), *withheld.entries.values()}
    if not all(WITHHOLDING_REASONS.may_choose(code, on) for code in codes):
        raise Invalid({"withhold": N_("Choose a reason from the list for everything that is withheld.")})
    if withheld and len(withheld.words.strip()) < SHORTEST_REASON:
        raise Invalid({"withheld_because": N_("Say why this is withheld, and on whose decision.")})
    return Withheld(withheld.files, withheld.entries, withheld.words.strip())


def must_be_inside(
    withheld: Withheld, file_ids: Iterable[int], entry_ids: Iterable[int], receipts: Mapping[int, int]
) -> None:
    """Raises Invalid for what is not of this choice, and for a file that stays while the entry that received it goes.

    ``receipts``: file id by the id of the entry that received it.
    """
    if not (set(withheld.files) <= set(file_ids) and set(withheld.entries) <= set(entry_ids)):
        raise Invalid({"withhold": N_("Withhold only what belongs to the chosen exhibits.")})
    if any(receipts[entry] not in withheld.files for entry in withheld.entries if entry in receipts):
        words = N_("Whoever withholds the entry that received a file withholds the file with it.")
        raise Invalid({"withhold": words})


def said(package: str, withheld: Withheld, listed_sha256: str) -> dict[str, Any]:
    """What the ledger is told: how much and why. What exactly is in the sealed list, whose SHA-256 this is."""
    reasons = Counter([*withheld.files.values(), *withheld.entries.values()])
    return {
        "package": package,
        "files": len(withheld.files),
        "entries": len(withheld.entries),
        "reasons": dict(sorted(reasons.items())),
        "words": withheld.words,
        "list_sha256": listed_sha256,
    }
