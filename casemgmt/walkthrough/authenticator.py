"""An authenticator in software, for the walkthrough and the tests: it does what a person's phone does.

Its private keys are in the memory of one process and protect nothing. It says yes to whatever it is asked and claims
that its user was verified; a real one asks for a finger or a PIN.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.passkey import EDDSA, ES256, RS256, from_base64url, to_base64url

PRESENT, VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_MAKE: Mapping[int, Callable[[], PrivateKey]] = {
    ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
    EDDSA: ed25519.Ed25519PrivateKey.generate,
    RS256: lambda: rsa.generate_private_key(65537, 2048),
}


@dataclass
class SoftAuthenticator:
    """One person's device at ``origin``. ``flags`` are what it claims when it signs; tests take some away."""

    origin: str
    algorithm: int = ES256
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    keys: dict[str, PrivateKey] = field(default_factory=dict, repr=False)  # by credential id

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``: JSON in, JSON out, attestation "none"."""
        credential, key = secrets.token_bytes(32), _MAKE[self.algorithm]()
        self.keys[to_base64url(credential)] = key
        attested = bytes(16) + len(credential).to_bytes(2, "big") + credential + _cbor(_cose(key))
        data = self._authenticator_data(options["rp"]["id"], self.flags | ATTESTED) + attested
        return _answer(
            credential,
            clientDataJSON=self._client_data("webauthn.create", options["challenge"]),
            attestationObject=_cbor({"fmt": "none", "attStmt": {}, "authData": data}),
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.get`` with the first allowed key that this device has."""
        allowed = [c["id"] for c in options["allowCredentials"]]
        name = next(i for i in allowed if i in self.keys)
        self.counter += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(options["rpId"], self.flags)
        return _answer(
            from_base64url(name),
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=sign(self.keys[name], data + hashlib.sha256(client_data).digest()),
        )

    def _authenticator_data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, type_: str, challenge: str) -> bytes:
        said = {"type": type_, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said, separators=(",", ":")).encode()


def sign(key: PrivateKey, message: bytes) -> bytes:
    """As an authenticator does: DER for ES256, plain for the others."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(SHA256()))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), SHA256())
    return key.sign(message)


def spki(key: PrivateKey) -> bytes:
    """DER of the public key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _answer(credential: bytes, **response: bytes) -> dict[str, Any]:
    name = to_base64url(credential)
    return {
        "id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {},
        "response": {key: to_base64url(value) for key, value in response.items()},
    }  # fmt: skip


def _cose(key: PrivateKey) -> dict[int, int | bytes]:
    """COSE_Key of the public half (RFC 9052, RFC 8230)."""
    match key:
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            return {1: 3, 3: RS256, -1: numbers.n.to_bytes(key.key_size // 8, "big"), -2: numbers.e.to_bytes(3, "big")}
    return {1: 1, 3: EDDSA, -1: 6, -2: key.public_key().public_bytes_raw()}


def _cbor(value: Any) -> bytes:
    """The little of CBOR (RFC 8949) an authenticator writes: whole numbers, bytes, text, maps in the order given."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(_cbor(name) + _cbor(item) for name, item in value.items())


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    size = 1 if argument < 1 << 8 else 2
    return bytes([major << 5 | (23 + size)]) + argument.to_bytes(size, "big")
