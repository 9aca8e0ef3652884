"""C2SP signed notes: a text, a blank line, and one line for each signature."""

from collections.abc import Iterable
from dataclasses import dataclass

from casemgmt.trust.encoding import from_base64, shown, to_base64
from casemgmt.trust.errors import EncodingError, NoteError, SignatureInvalidError
from casemgmt.trust.keys import Signature, VerifierKey, check_name

MAX_SIGNATURES = 100
"""More are refused: a verifier must not be made to work for strangers.  The format asks for at least 16."""

_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends in a newline.  It means nothing until a trusted key is known to have signed it."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: str) -> "Note":
        """Reads a note; ``str(Note.parse(note)) == note`` holds for all it accepts."""
        if any(ord(c) < 0x20 and c != "\n" for c in note):
            raise NoteError("a note has no control characters but newlines")
        text, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise NoteError("a note is a text, an empty line, and signature lines")
        lines = signatures[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise NoteError(f"a note has at most {MAX_SIGNATURES} signatures, this has {len(lines)}")
        return cls(text + "\n", tuple(_parse_line(line) for line in lines))

    def __str__(self) -> str:
        return self.text + "\n" + "".join(_line(signature) for signature in self.signatures)

    def signed_by(self, keys: Iterable[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
        """The keys, of those given, that signed this note.

        Lines by other keys are ignored.  One bad signature by a given key condemns the whole note.
        """
        found = []
        for key in keys:
            by_key = [signature for signature in self.signatures if key.made(signature)]
            for signature in by_key:
                key.verify(self.text, signature)
            if by_key:
                found.append((key, by_key[0]))
        return found

    def require(self, key: VerifierKey) -> None:
        """Raises `SignatureInvalidError` unless `key` signed this note."""
        if not self.signed_by([key]):
            raise SignatureInvalidError(f"not signed by {key}")

    def with_signatures(self, signatures: Iterable[Signature]) -> "Note":
        """This note with further signature lines."""
        return Note(self.text, (*self.signatures, *signatures))


def _line(signature: Signature) -> str:
    return f"{_DASH}{signature.name} {to_base64(signature.key_id + signature.value)}\n"


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        value = from_base64(encoded)
    except EncodingError as error:
        raise NoteError(f"not a signature line: {error}") from error
    if not line.startswith(_DASH) or len(value) <= 4:
        raise NoteError(f"not a signature line: {shown(line)}")
    return Signature(check_name(name), value[:4], value[4:])
