"""What a package is made of, and where each kind of thing lies in it (``docs/spec/package.md``)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import Event
from casemgmt.trust.file_list import FileRow
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.promise import Promise
from casemgmt.trust.proof import Proof

LEDGER = "ledger/"
SIGNATURES = "ledger/sig/"
POLICY = "ledger/trust.policy"
GUIDES = "verify/"
GRAPH = "metadata/case.jsonld"
OBSERVATIONS = "metadata/observations/"
REPORTS = "data/report/"
ORGANISATION_CA = "keys/organisation-ca.pem"
TIMESTAMP_CA = "keys/timestamp-ca.pem"

_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_REPORT = re.compile(r"data/report/custody-report\.[a-z]{2,3}\.pdf", re.ASCII)


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is withheld: a code of the list ``withholding_reasons``, and words."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """One evidence file: its line in the file list (`receipts.file_row`), its CRC-32, and its storage key.

    A withheld file keeps its path, which no other file takes.
    """

    row: FileRow
    crc32: int
    key: str
    withheld: Why | None = None


@dataclass(frozen=True)
class LedgerEvent:
    """The exact bytes of one ledger entry, its proof in the ledger, and the signature of who acted, if there is one.

    `known` is what the bytes say, for whoever has read them already.
    """

    body: bytes
    proof: Proof
    signature: PersonalSignature | None = None
    withheld: Why | None = None
    known: Event | None = field(default=None, repr=False, compare=False)

    @cached_property
    def event(self) -> Event:
        """Raises `EventError` for bytes that are no entry."""
        return self.known or Event.parse(self.body)


@dataclass(frozen=True, slots=True)
class Accompanying:
    """What lies beside evidence and ledger.

    `guides` by path below ``verify/``; `observations` (JSON) by the path of the payload file they are about; `reports`
    (PDF) by language; `keys` (PEM chains) by path: `ORGANISATION_CA` and `TIMESTAMP_CA` where `promise` needs them.
    """

    guides: Mapping[str, bytes]
    graph: bytes
    promise: Promise = field(default_factory=Promise)
    observations: Mapping[str, bytes] = field(default_factory=dict)
    reports: Mapping[str, bytes] = field(default_factory=dict)
    keys: Mapping[str, bytes] = field(default_factory=dict)


def report_path(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise PackageError(f"not a language code: {shown(language)}")
    return f"{REPORTS}custody-report.{language}.pdf"


def is_report(path: str) -> bool:
    return _REPORT.fullmatch(path) is not None


def observation_path(payload: str) -> str:
    """``data/exhibits/A-1/0002.jpg`` is observed in ``metadata/observations/A-1-0002.json``."""
    directory, _, name = payload.rpartition("/")
    return f"{OBSERVATIONS}{directory.rpartition('/')[2]}-{name.partition('.')[0]}.json"
