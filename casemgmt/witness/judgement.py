"""The whole decision of a witness, without disk, clock or network.

A witness cosigns a checkpoint when the log it knows signed it and the tree only grew since the last one it cosigned.
The statuses are those of C2SP tlog-witness; docs/spec/witness.md says when which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import CheckpointError, SignatureInvalidError, WitnessError
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.tree import verify_consistency
from casemgmt.trust.witness import AddCheckpoint


class Refusal(Exception):
    """Why not. ``known`` goes with 409: the size this witness cosigned last."""

    def __init__(self, status: int, words: str, known: int | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.known = status, words, known


@dataclass(frozen=True, slots=True)
class Known:
    """A log as this witness knows it: its keys, and the last checkpoint it cosigned (size 0: none yet)."""

    keys: Sequence[VerifierKey]
    last: Checkpoint


def judge(body: bytes, logs: Mapping[str, Known]) -> tuple[AddCheckpoint, Checkpoint]:
    """What may be cosigned: the request and its checkpoint. Raises Refusal. ``logs`` are known by their origin."""
    try:
        asked = AddCheckpoint.parse(body)
    except WitnessError as error:
        raise Refusal(400, str(error)) from error
    origin = asked.checkpoint.text.split("\n", 1)[0]
    known = logs.get(origin)
    if known is None:
        raise Refusal(404, "this witness does not know the log")
    try:
        if not asked.checkpoint.signed_by(known.keys):
            raise Refusal(403, "not signed by the key this witness knows the log by")
        checkpoint = Checkpoint.parse(asked.checkpoint.text)
    except SignatureInvalidError as error:
        raise Refusal(403, str(error)) from error
    except CheckpointError as error:
        raise Refusal(400, str(error)) from error
    if asked.old > checkpoint.size:
        raise Refusal(400, "the old size is larger than the checkpoint's")
    last = known.last
    if asked.old != last.size:
        raise Refusal(409, "another size was cosigned last", last.size)
    if not verify_consistency(last.size, checkpoint.size, asked.proof, last.root, checkpoint.root):
        raise Refusal(422, f"this tree does not begin with the one of {last.size} entries that was cosigned")
    return asked, checkpoint
