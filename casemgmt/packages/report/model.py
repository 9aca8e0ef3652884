"""Everything a custody report says, as plain data. Codes are those of the code lists; hashes are lower-case hex.

What somebody claims and what this system saw itself are different fields, and stay apart on the page: ``claimed`` times
and places come from a device, ``at`` is the server's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An official, as the event names them."""

    name: str
    badge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A place in words, and where a device says it was: degrees and metres."""

    words: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    accuracy_m: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal as one side saw it. ``number`` None: there is none, or it was not read."""

    number: str | None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """By what means an event is signed: ``passkey``, or the weaker ``pin``, with the SHA-256 of its public key;
    ``session``; ``""``: the event says nothing."""

    means: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why something is withheld: a code of the list ``withholding_reasons``, and words."""

    code: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a chain of custody. ``index`` and ``sha256`` are those of ``ledger/<index>.event``.

    ``withheld`` says why its contents are not in the package; then nothing but its place and leaf hash (in ``sha256``)
    is told.
    """

    seq: int
    kind: str
    at: datetime | None
    claimed_at: datetime | None = None
    actor: Person = Person(name="")
    giver: Person | None = None
    receiver: Person | None = None
    handover: str = ""
    purpose: str = ""
    place: Claim = Claim()
    seal: Seal = Seal(number=None)
    reason: str = ""
    discrepancy: str = ""
    note: str = ""
    signed: Signed = Signed(means="")
    withheld: Why | None = None
    index: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a photograph is said to show, a code of the list ``photo_points``: who said so last, and when."""

    point: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """``path`` of the original in the package; ``preview`` a small JPEG made from it, None where none could be."""

    path: str
    sha256: str
    preview: bytes | None
    shows: Showing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """``unbroken``: every event of the chain was recomputed from its bytes and names the one before.

    ``disputed``: two people signed a hand-over of it that did not take effect, and nobody has resolved that.
    """

    number: str
    seizure: str
    category: str
    description: str
    quantity: Decimal | None
    unit: str | None
    basis: str
    seal: Seal
    holder: Person
    unbroken: bool
    disputed: bool = False
    photographs: Sequence[Photograph] = ()
    more_photographs: int = 0
    chain: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Somebody who was there when the seizure was made."""

    role: str
    name: str
    refused_signature: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    field: str
    words: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seizure:
    number: str
    agency: str
    unit: str
    officer: Person
    seized_at: datetime
    recorded_at: datetime
    claimed_at: datetime | None
    place: Claim
    ground: str = ""
    circumstances: str = ""
    present: Sequence[Present] = ()
    conveyances: Sequence[tuple[str, str]] = ()  # kind, and the identifier as painted on it
    corrections: Sequence[Correction] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One line of the hash list. ``checked`` is the last re-reading before sealing: ``unchanged``, ``changed``,
    ``missing``, ``unreadable``, or ``""``: not read again since it was received. ``withheld`` says why it is not in
    the package."""

    path: str
    name: str
    size: int
    sha256: str
    received_at: datetime
    received_by: str
    claimed_at: datetime | None
    checked: str = ""
    shows: Showing | None = None
    withheld: Why | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A timestamp over the checkpoint of ``size`` entries: everything below was there at ``time``."""

    size: int
    time: datetime
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The checkpoint every proof of the package is under. ``quorum`` is the policy's own words, ``none`` without
    witnesses."""

    origin: str
    size: int
    root: str
    key: str
    quorum: str
    cosigners: Sequence[Cosigner] = ()
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Whose certificate signs package and report: subject, and SHA-256 of the certificate."""

    subject: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report. ``zone`` is how times are written; each carries its offset. ``authorities`` will be asked to
    timestamp the package; ``certificate`` None: nothing is signed by the organisation."""

    number: str
    case_number: str
    case_title: str
    made_at: datetime
    made_by: Person
    agency: str
    zone: tzinfo
    seizures: Sequence[Seizure]
    exhibits: Sequence[Exhibit]
    files: Sequence[File]
    ledger: Ledger
    certificate: Certificate | None
    authorities: Sequence[str] = ()
    demonstration: bool = False
