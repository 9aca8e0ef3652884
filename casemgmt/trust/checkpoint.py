"""C2SP tlog-checkpoint: the signed statement "my log `origin` has `size` entries and this root"."""

from dataclasses import dataclass

from casemgmt.trust.encoding import MAX_DECIMAL, from_decimal, hash_from_base64, to_base64
from casemgmt.trust.errors import CheckpointError, EncodingError, NoteError
from casemgmt.trust.hashing import EMPTY_ROOT, HASH_SIZE
from casemgmt.trust.keys import SigningKey, check_name
from casemgmt.trust.note import Note


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Signing two checkpoints of which neither continues the other is the one thing a log must never do."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        try:
            check_name(self.origin)
        except NoteError as error:
            raise CheckpointError(f"not an origin: {error}") from error
        if not 0 <= self.size <= MAX_DECIMAL or len(self.root) != HASH_SIZE:
            raise CheckpointError("a checkpoint has a size of 0 or more and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("the empty tree has another root")

    @classmethod
    def parse(cls, body: str) -> "Checkpoint":
        """Reads a note text of exactly three lines.

        Extension lines, which the format allows and discourages, are refused: no log of ours writes
        them, and not every kind of cosignature covers them.
        """
        lines = body.split("\n")
        if len(lines) != 4 or lines[3]:
            raise CheckpointError("a checkpoint has three lines: origin, size, root")
        try:
            return cls(lines[0], from_decimal(lines[1]), hash_from_base64(lines[2]))
        except EncodingError as error:
            raise CheckpointError(f"malformed checkpoint: {error}") from error

    @property
    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    def signed(self, key: SigningKey) -> Note:
        """The checkpoint as its log publishes it.  The log's key is named by the origin."""
        if key.name != self.origin:
            raise CheckpointError(f"the key {key.name} is not the key of {self.origin}")
        return Note(self.body, (key.sign(self.body),))
