"""What lies in a package's ``verify/``."""

from __future__ import annotations

from casemgmt.trust import kit
from casemgmt.trust.checkpoint import Checkpoint


def guides(number: str, checkpoint: Checkpoint) -> dict[str, bytes]:
    """By path below ``verify/``."""
    return kit.documents(number, checkpoint.origin, checkpoint.size)
