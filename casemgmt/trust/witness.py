"""C2SP tlog-witness: how a log asks a witness to cosign a checkpoint, and what the witness answers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from casemgmt.trust.encoding import from_decimal, from_utf8, hash_from_base64, shown, to_base64
from casemgmt.trust.errors import EncodingError, NoteError, WitnessError
from casemgmt.trust.keys import Signature, VerifierKey
from casemgmt.trust.note import Note

MAX_PROOF = 63
"""Hashes in the consistency proof of the largest possible tree."""

MAX_REQUEST = 65_536
"""Bytes; more are refused.  A request with one signature line has less than 4,000."""

MAX_ANSWER = 65_536
"""Bytes of an answer that a log reads: many cosignatures, or words."""

SIZE_TYPE = "text/x.tlog.size"
"""Content type of a 409 whose body is the size of the last checkpoint the witness cosigned."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The claim "you cosigned my tree of `old` entries, and the tree of this checkpoint begins with it"."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Note

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """Reads a request body; raises `WitnessError` and nothing else.

        ``str(AddCheckpoint.parse(body)).encode() == body`` holds for all it accepts.  Whether the note is a checkpoint,
        and by whom, is not looked at here.
        """
        if len(body) > MAX_REQUEST:
            raise WitnessError(f"a request has at most {MAX_REQUEST} bytes")
        try:
            head, blank, note = from_utf8(body).partition("\n\n")
            lines = head.split("\n")
            first = lines.pop(0)
            if not blank or not first.startswith("old "):
                raise WitnessError(f"expected the line of the old size, found {shown(first)}")
            if len(lines) > MAX_PROOF:
                raise WitnessError(f"{len(lines)} hashes are more than any tree needs")
            old = from_decimal(first.removeprefix("old "))
            return cls(old, tuple(hash_from_base64(line) for line in lines), Note.parse(note))
        except (EncodingError, NoteError) as error:
            raise WitnessError(f"malformed request: {error}") from error

    def __str__(self) -> str:
        lines = [f"old {self.old}", *(to_base64(value) for value in self.proof)]
        return "\n".join(lines) + f"\n\n{self.checkpoint}"


def request(old: int, proof: Sequence[bytes], signed: Note, log: VerifierKey) -> bytes:
    """The body that asks for a cosignature.  Only the log's own signature goes along: witnesses read little."""
    note = Note(signed.text, tuple(signature for signature in signed.signatures if log.made(signature)))
    return str(AddCheckpoint(old, tuple(proof), note)).encode()


def cosignature(answer: bytes, checkpoint: str, witness: VerifierKey) -> Signature:
    """The line of a 200 by this witness's key, verified over the checkpoint's text.

    Lines of other keys are ignored.  Raises a `TrustError` when there is none, or one that does not fit.
    """
    note = Note.parse(f"{checkpoint}\n{from_utf8(answer)}")
    found = note.signed_by([witness])
    if not found:
        raise WitnessError(f"no cosignature by {witness.name}")
    return found[0][1]


def size_answer(answer: bytes) -> int:
    """The size a 409 names."""
    return from_decimal(from_utf8(answer).removesuffix("\n"))


def monitoring_name(origin: str) -> str:
    """Under which name a witness shows the last checkpoint of a log: ``<prefix>/<this>/checkpoint``."""
    return hashlib.sha256(origin.encode()).hexdigest()
