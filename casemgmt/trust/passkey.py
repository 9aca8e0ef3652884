"""A person's signature over ledger entries, made with a passkey (docs/spec/signature.md).

One assertion signs all entries of one offer or one answer.  What it says yes to is a *statement*: one
line for each entry, the lower-case hex SHA-256 of its exact bytes.  The challenge of the assertion is a
hash of the statement, so the assertion fits these entries and no others, for as long as it is kept.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from casemgmt.trust.encoding import from_base64, from_utf8, shown, to_base64
from casemgmt.trust.errors import EncodingError, PasskeyError

CONTEXT = b"evidence-custody-v1\0"
"""Stands before the statement in the challenge: the same key never signs this by signing something else."""

ES256, EDDSA, RS256 = -7, -8, -257
"""COSE algorithm numbers, in the order a new passkey is asked for."""

ALGORITHMS = {ES256: "ES256", EDDSA: "EdDSA", RS256: "RS256"}

MAX_ENTRIES = 1000
"""Lines of a statement."""

MAX_CLIENT_DATA = 4096
MAX_AUTHENTICATOR_DATA = 1024
MAX_SIGNATURE = 1024
"""Bytes; more is refused before anything is computed."""

_LINES = re.compile(r"(?:[0-9a-f]{64}\n)+", re.ASCII)

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP = 0x01, 0x04, 0x08, 0x10
"""Flags of authenticator data."""

_RESERVED, _ATTESTED, _EXTENSIONS = 0x22, 0x40, 0x80
_FIXED = 37  # hash of the relying party id, flags, counter

Key = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A passkey's public key.  `spki` is its DER SubjectPublicKeyInfo, from which everything else follows."""

    spki: bytes

    def __post_init__(self) -> None:
        _load(self.spki)

    @classmethod
    def from_pem(cls, pem: bytes) -> "PublicKey":
        """Reads ``pub.pem``; raises `PasskeyError` unless it is exactly what `pem` writes."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise PasskeyError("the public key is not readable PEM") from error
        made = cls(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        if made.pem != pem:
            raise PasskeyError("the PEM of the public key is not in its one allowed form")
        return made

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of `spki`: how entries name this key."""
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def algorithm(self) -> int:
        return _load(self.spki)[1]

    @property
    def pem(self) -> bytes:
        lines = to_base64(self.spki)
        wrapped = "\n".join(lines[i : i + 64] for i in range(0, len(lines), 64))
        return f"-----BEGIN PUBLIC KEY-----\n{wrapped}\n-----END PUBLIC KEY-----\n".encode()

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises `PasskeyError` unless this key signed `message`."""
        key, _ = _load(self.spki)
        try:
            match key:
                case EllipticCurvePublicKey():
                    key.verify(signature, message, ECDSA(SHA256()))
                case RSAPublicKey():
                    key.verify(signature, message, PKCS1v15(), SHA256())
                case _:
                    key.verify(signature, message)
        except InvalidSignature:
            raise PasskeyError("the signature is not by this key over this statement") from None


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator gave back, byte for byte: with the statement and the key, all that is kept."""

    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Flags:
    """What the authenticator says of the moment of signing, and of the key: can it be copied to other devices
    (`backup_eligible`), and has it been (`backed_up`)?  `counter` is 0 for authenticators that do not count."""

    backup_eligible: bool
    backed_up: bool
    counter: int


def statement(bodies: Iterable[bytes]) -> bytes:
    """What is signed: a line for each entry body, in the order given.  Raises `PasskeyError` for none or a double."""
    made = "".join(hashlib.sha256(body).hexdigest() + "\n" for body in bodies).encode("ascii")
    hashes(made)
    return made


def hashes(statement: bytes) -> tuple[str, ...]:
    """The SHA-256 values a statement names, in hex; raises `PasskeyError` for any other form."""
    if len(statement) > 65 * MAX_ENTRIES:
        raise PasskeyError(f"a statement has at most {MAX_ENTRIES} lines")
    text = statement.decode("ascii", "replace")
    if not _LINES.fullmatch(text):
        raise PasskeyError("a statement is lines of 64 lower-case hexadecimal digits")
    found = tuple(text.split())
    if len(set(found)) != len(found):
        raise PasskeyError("a statement names no entry twice")
    return found


def challenge(statement: bytes) -> bytes:
    """The 32 bytes an authenticator is asked to sign for this statement."""
    return hashlib.sha256(CONTEXT + statement).digest()


def verify(
    assertion: Assertion, statement: bytes, key: PublicKey, *, rp_id: str, origin: str, body: bytes | None = None
) -> Flags:
    """Whether the holder of `key`, verified by their authenticator (PIN, finger, face), said yes to `statement`.

    `rp_id` and `origin` are those the key was enrolled for.  With `body`, that entry must be one the statement names.
    Raises `PasskeyError` with what does not hold.  It says nothing of whose the key is: see `casemgmt.trust.signers`.
    """
    named = hashes(statement)
    if body is not None and hashlib.sha256(body).hexdigest() not in named:
        raise PasskeyError("the statement does not name this entry")
    _check_client_data(assertion.client_data, challenge(statement), origin)
    flags = _check_authenticator_data(assertion.authenticator_data, rp_id)
    if not 0 < len(assertion.signature) <= MAX_SIGNATURE:
        raise PasskeyError(f"a signature has at most {MAX_SIGNATURE} bytes")
    key.verify(assertion.signature, assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest())
    return flags


def to_base64url(data: bytes) -> str:
    """Without padding, as WebAuthn writes."""
    return to_base64(data).rstrip("=").replace("+", "-").replace("/", "_")


def from_base64url(text: str) -> bytes:
    """Decodes only what `to_base64url` could have written; raises `EncodingError`."""
    if not text.isascii() or any(c in text for c in "+/="):
        raise EncodingError(f"not base64url: {shown(text)}")
    return from_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


def _check_client_data(data: bytes, wanted: bytes, origin: str) -> None:
    """WebAuthn section 5.8.1, read strictly: the beginning is fixed, so that it can be compared without any parser,
    and the whole is JSON in which no name stands twice."""
    if len(data) > MAX_CLIENT_DATA:
        raise PasskeyError(f"client data has at most {MAX_CLIENT_DATA} bytes")
    try:
        found = json.loads(from_utf8(data), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError, EncodingError) as error:
        raise PasskeyError("client data is not JSON") from error
    if not isinstance(found, dict):
        raise PasskeyError("client data is not a JSON object")
    if found.get("type") != "webauthn.get":
        raise PasskeyError(f"client data is of type {shown(str(found.get('type')))}, not of a signature (webauthn.get)")
    if found.get("challenge") != to_base64url(wanted):
        raise PasskeyError("the challenge is not that of this statement")
    if found.get("origin") != origin:
        raise PasskeyError(f"it was signed at {shown(str(found.get('origin')))}, not at {shown(origin)}")
    if found.get("crossOrigin", False) is not False or "topOrigin" in found:
        raise PasskeyError("it was signed inside a page of another site")
    if not data.startswith(b'{"type":"webauthn.get","challenge":"%b"' % to_base64url(wanted).encode()):
        raise PasskeyError("client data does not begin with its type and challenge as the standard lays down")


def _check_authenticator_data(data: bytes, rp_id: str) -> Flags:
    if not _FIXED <= len(data) <= MAX_AUTHENTICATOR_DATA:
        raise PasskeyError(f"authenticator data has {_FIXED} to {MAX_AUTHENTICATOR_DATA} bytes, this has {len(data)}")
    flags = data[32]
    if data[:32] != hashlib.sha256(rp_id.encode()).digest():
        raise PasskeyError(f"the authenticator signed for another site than {shown(rp_id)}")
    if not flags & USER_PRESENT:
        raise PasskeyError("nobody was present at the authenticator")
    if not flags & USER_VERIFIED:
        raise PasskeyError("the authenticator did not verify its user (no PIN, finger or face)")
    if flags & (_RESERVED | _ATTESTED) or (flags & BACKED_UP and not flags & BACKUP_ELIGIBLE):
        raise PasskeyError(f"authenticator data cannot have the flags {flags:#04x}")
    if (len(data) > _FIXED) != bool(flags & _EXTENSIONS):
        raise PasskeyError("authenticator data is longer or shorter than its flags say")
    counter = int.from_bytes(data[33:_FIXED], "big")
    return Flags(bool(flags & BACKUP_ELIGIBLE), bool(flags & BACKED_UP), counter)


def _load(spki: bytes) -> tuple[Key, int]:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PasskeyError("the public key is not readable") from error
    match key:
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            algorithm = ES256
        case Ed25519PublicKey():
            algorithm = EDDSA
        case RSAPublicKey() if 2048 <= key.key_size <= 4096 and key.public_numbers().e == 65537:
            algorithm = RS256
        case _:
            raise PasskeyError("a passkey is ES256 (P-256), EdDSA (Ed25519) or RS256 (RSA of 2048 to 4096 bits)")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise PasskeyError("the public key is not in its one allowed form")
    return key, algorithm


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
