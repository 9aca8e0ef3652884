"""Ed25519 keys of the C2SP signed-note format: how logs and witnesses are named, and how they sign."""

import hashlib
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from casemgmt.trust.encoding import MAX_DECIMAL, from_base64, shown, to_base64
from casemgmt.trust.errors import EncodingError, NoteError, SignatureInvalidError

NOTE = 0x01
"""Signature type: Ed25519 over the note text.  Logs sign with it."""

COSIGNATURE = 0x04
"""Signature type: Ed25519 over a time and a checkpoint (cosignature/v1).  Witnesses sign with it."""

_PRIVATE = "PRIVATE+KEY+"
_TIME = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.  `value` is what follows the four bytes of the key id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def time(self) -> int:
        """POSIX seconds of a cosignature; its witness says it saw no larger tree by then."""
        if len(self.value) != _TIME.size + 64:
            raise SignatureInvalidError("a cosignature has 72 bytes")
        seconds: int = _TIME.unpack_from(self.value)[0]
        if seconds > MAX_DECIMAL:
            raise SignatureInvalidError("the time of a cosignature is out of range")
        return seconds


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under (a *vkey*)."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Reads ``name+key id+key``.  Kinds other than `NOTE` and `COSIGNATURE` are refused."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise NoteError(f"not a verifier key: {shown(text)}")
        try:
            material = from_base64(parts[2])
        except EncodingError as error:
            raise NoteError(f"not a verifier key: {error}") from error
        if len(material) != 33 or material[0] not in (NOTE, COSIGNATURE):
            raise NoteError(f"not an Ed25519 verifier key: {shown(text)}")
        key = cls(check_name(parts[0]), material[0], material[1:])
        if str(key) != text:
            raise NoteError(f"the key id does not fit the key: {shown(text)}")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @property
    def key_id(self) -> bytes:
        """Four bytes that pick the key for a signature line.  Not a fingerprint: too short."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the key's text, for paper: ``printf %s "$VKEY" | sha256sum`` gives the same."""
        return hashlib.sha256(str(self).encode()).hexdigest()

    def made(self, signature: Signature) -> bool:
        """Whether the signature claims to be by this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verify(self, text: str, signature: Signature) -> None:
        """Raises `SignatureInvalidError` unless this key signed `text`."""
        value, message = signature.value, text.encode()
        if self.kind == COSIGNATURE:
            message = _cosigned(text, signature.time)
            value = value[_TIME.size :]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message)
        except InvalidSignature:
            raise SignatureInvalidError(f"the signature by {self.name} does not fit") from None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key.  Its text form and its `seed` are secrets; `repr` shows neither."""

    name: str
    kind: int
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str, kind: int = NOTE) -> "SigningKey":
        """A new random key; a log's name is its origin."""
        return cls(check_name(name), kind, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Reads what `to_text` wrote.  The error never repeats the secret."""
        try:
            name, _, encoded = text.removeprefix(_PRIVATE).split("+", 2)
            material = from_base64(encoded)
        except (ValueError, EncodingError):
            raise NoteError("not a private key") from None
        if len(material) != 33 or material[0] not in (NOTE, COSIGNATURE):
            raise NoteError("not an Ed25519 private key")
        key = cls(check_name(name), material[0], material[1:])
        if key.to_text() != text:
            raise NoteError("the key id does not fit the private key")
        return key

    def to_text(self) -> str:
        """``PRIVATE+KEY+name+key id+seed``, the form of Go's sumdb/note; keep it in a file of mode 0600."""
        material = to_base64(bytes([self.kind]) + self.seed)
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{material}"

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.kind, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Signs a note text (kind `NOTE`)."""
        self._must_be(NOTE)
        return Signature(self.name, self.verifier.key_id, self._private.sign(text.encode()))

    def cosign(self, checkpoint: str, time: int) -> Signature:
        """Cosigns a checkpoint body at `time`, POSIX seconds (kind `COSIGNATURE`).

        The caller must first have verified that the checkpoint continues the last one it cosigned.
        """
        self._must_be(COSIGNATURE)
        signed = self._private.sign(_cosigned(checkpoint, time))
        return Signature(self.name, self.verifier.key_id, _TIME.pack(time) + signed)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _must_be(self, kind: int) -> None:
        if self.kind != kind:
            raise NoteError(f"the key {self.name} is of kind {self.kind:#04x}, not {kind:#04x}")


def check_name(name: str) -> str:
    """A key name: not empty, without spaces, plus signs or control characters."""
    if not name or any(c.isspace() or c == "+" or ord(c) < 0x20 for c in name):
        raise NoteError(f"not a key name: {shown(name)}")
    return name


def _cosigned(checkpoint: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{checkpoint}".encode()
