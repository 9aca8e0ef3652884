"""What the steps of one verification learn and hand on to later steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from casemgmt.trust.events import Event
from casemgmt.trust.file_list import FileRow
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Accepted, Policy
from casemgmt.trust.verify.reader import Archive


@dataclass
class Examination:
    """What the reader brought along comes first; every other field is set by the step named beside it."""

    stream: BinaryIO
    own_policy: Policy | None
    own_key: VerifierKey | None
    threads: int

    archive: Archive = field(init=False)  # step 1
    info: Mapping[str, str] = field(init=False)  # step 2
    manifest: Mapping[str, str] = field(init=False)  # step 3
    policy: Policy = field(init=False)  # step 5
    events: list[Event] = field(init=False)  # step 6
    accepted: Accepted | None = None  # step 6
    streams: Mapping[str, list[Event]] = field(init=False)  # step 7
    rows: list[FileRow] = field(init=False)  # step 9
    left_out: int = 0  # step 9

    @property
    def key_given(self) -> bool:
        """Whether the log key was brought by the reader rather than found in the package."""
        return self.own_key is not None or self.own_policy is not None
