"""What the steps of one verification learn and hand on to later steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from casemgmt.trust.encoding import from_utf8
from casemgmt.trust.events import Event, Link
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.personal import SignedEntry
from casemgmt.trust.policy import Accepted, Policy
from casemgmt.trust.promise import Promise
from casemgmt.trust.verify.openssl import OpenSsl, Stamp
from casemgmt.trust.verify.reader import Archive
from casemgmt.trust.withheld import ENTRY, WithheldRow

MAX_LIST = 256 * 1024 * 1024
MAX_DOCUMENT = 1024 * 1024


@dataclass(frozen=True)
class Brought:
    """What the reader trusts, from elsewhere.  CA certificates are PEM."""

    log_key: VerifierKey | None = None
    policy: Policy | None = None
    ca: bytes | None = None
    timestamp_ca: bytes | None = None

    @property
    def log(self) -> bool:
        """Whether the log's key was brought rather than found in the package."""
        return self.log_key is not None or self.policy is not None


@dataclass
class Examination:
    """What the reader brought along comes first; every other field is set by the step named beside it."""

    stream: BinaryIO
    brought: Brought
    threads: int
    openssl: OpenSsl | None

    archive: Archive = field(init=False)  # step 1
    info: Mapping[str, str] = field(init=False)  # step 2
    promise: Promise = field(init=False)  # step 2
    manifest: Mapping[str, str] = field(init=False)  # step 3
    policy: Policy = field(init=False)  # step 5
    events: Mapping[int, Event] = field(init=False)  # step 6, by ledger index
    leaves: Mapping[int, bytes] = field(init=False)  # step 6, those of withheld entries
    accepted: Accepted | None = None  # step 6
    withheld: Sequence[WithheldRow] = ()  # step 7
    streams: Mapping[str, list[Link]] = field(init=False)  # step 7
    left_out: int = 0  # step 9
    signed: Sequence[SignedEntry] = ()  # step 10
    package_keys: set[str] = field(
        default_factory=set
    )  # steps 11, 12: what the keys that came out of the package are for
    demonstration: set[str] = field(default_factory=set)  # steps 11, 12: what is signed by demonstration certificates
    stamp: Stamp | None = None  # step 12, or step 11 when it needs the time

    def text(self, path: str) -> str:
        """A document of the package that is text."""
        return from_utf8(self.archive.read(path, MAX_DOCUMENT))

    @property
    def links(self) -> list[Link]:
        """Every entry of the package, read or withheld."""
        hidden: list[Link] = [row.unread for row in self.withheld if row.kind == ENTRY]
        return [*self.events.values(), *hidden]
