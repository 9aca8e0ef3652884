"""C2SP tlog-proof: a file beside an event that shows, offline, that the event is in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from casemgmt.trust.encoding import (
    from_base64,
    from_decimal,
    hash_from_base64,
    shown,
    to_base64,
)
from casemgmt.trust.errors import EncodingError, NoteError, ProofError
from casemgmt.trust.hashing import HASH_SIZE
from casemgmt.trust.note import Note
from casemgmt.trust.policy import Accepted, Policy
from casemgmt.trust.tree import verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"

MAX_PATH = 63
"""Hashes in the inclusion proof of the largest possible tree."""


@dataclass(frozen=True, slots=True)
class Proof:
    """`path` starts at the leaf's sibling; `extra` is not authenticated by the proof itself."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> "Proof":
        """Reads a proof; ``str(Proof.parse(text)) == text`` holds for all it accepts."""
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != HEADER:
            raise ProofError(f"does not begin with {HEADER}")
        try:
            extra = None
            if lines and lines[0].startswith("extra "):
                extra = from_base64(lines.pop(0).removeprefix("extra "))
                if not extra:
                    raise ProofError("an empty extra line")
            if not lines or not lines[0].startswith("index "):
                raise ProofError(f"expected an index line, found {shown(''.join(lines[:1]))}")
            index = from_decimal(lines.pop(0).removeprefix("index "))
            if len(lines) > MAX_PATH:
                raise ProofError(f"{len(lines)} hashes are more than any tree needs")
            path = tuple(hash_from_base64(line) for line in lines)
            return cls(index, path, Note.parse(note), extra)
        except (EncodingError, NoteError) as error:
            raise ProofError(f"malformed proof: {error}") from error

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [to_base64(value) for value in self.path]
        return "\n".join(lines) + f"\n\n{self.checkpoint}"

    def verify(self, leaf: bytes, policy: Policy) -> Accepted:
        """Raises a `TrustError` unless `policy` accepts the checkpoint and it contains leaf hash `leaf`."""
        accepted = policy.accept(self.checkpoint)
        self.verify_path(leaf, accepted)
        return accepted

    def verify_path(self, leaf: bytes, accepted: Accepted) -> None:
        """As `verify`, for a checkpoint the policy has already accepted."""
        tree = accepted.checkpoint
        if not verify_inclusion(leaf, self.index, tree.size, self.path, tree.root):
            raise ProofError(f"the entry is not at index {self.index} of the {tree.size} entries")


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """A consistency proof as the `extra` data of a proof: its hashes, one after another."""
    return b"".join(hashes)


def unpack_hashes(data: bytes) -> list[bytes]:
    """What `pack_hashes` wrote."""
    if len(data) % HASH_SIZE:
        raise ProofError(f"{len(data)} bytes are not a row of hashes")
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]
