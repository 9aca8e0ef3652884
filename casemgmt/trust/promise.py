"""What ``bag-info.txt`` promises: which signatures, timestamp and list lie in the bag, and that no other do."""

from collections.abc import Mapping
from dataclasses import dataclass

from casemgmt.trust.encoding import from_decimal, shown
from casemgmt.trust.errors import ManifestError
from casemgmt.trust.manifest import TAG_MANIFEST

NONE = "none"

LAYOUT = "2"
"""Version of the package's tree (``docs/spec/package.md``)."""

SIGNATURE = TAG_MANIFEST + ".p7s"
TIMESTAMP = TAG_MANIFEST + ".tsr"

_ALLOWED = {
    "Package-Layout": (LAYOUT,),
    "Organisation-Signature": (NONE, "CAdES-B-T", "CAdES-B-B"),
    "Report-Signature": (NONE, "PAdES-B-T", "PAdES-B-B"),
    "Timestamp": (NONE, "RFC3161"),
}


@dataclass(frozen=True, slots=True)
class Promise:
    organisation: str = NONE
    report: str = NONE
    timestamp: str = NONE
    withheld: int = 0

    @classmethod
    def parse(cls, info: Mapping[str, str]) -> "Promise":
        """Raises `ManifestError` for a label that is missing or has another value than the format allows."""
        missing = {*_ALLOWED, "Withheld"} - set(info)
        if missing:
            raise ManifestError(f"bag-info.txt lacks {', '.join(sorted(missing))}")
        for label, values in _ALLOWED.items():
            if info[label] not in values:
                raise ManifestError(f"bag-info.txt has an unknown {label}: {shown(info[label])}")
        withheld = 0 if info["Withheld"] == NONE else from_decimal(info["Withheld"])
        if info["Withheld"] == "0":
            raise ManifestError("bag-info.txt writes nothing withheld as none")
        return cls(info["Organisation-Signature"], info["Report-Signature"], info["Timestamp"], withheld)

    def signatures(self) -> list[tuple[str, str]]:
        """Labels and values, between which the ledger's labels stand nowhere."""
        return [
            ("Organisation-Signature", self.organisation),
            ("Report-Signature", self.report),
            ("Timestamp", self.timestamp),
            ("Withheld", str(self.withheld) if self.withheld else NONE),
        ]

    @property
    def files(self) -> frozenset[str]:
        """The promised files that no manifest can list."""
        promised = ((SIGNATURE, self.organisation), (TIMESTAMP, self.timestamp))
        return frozenset(path for path, value in promised if value != NONE)
