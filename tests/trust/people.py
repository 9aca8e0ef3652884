"""People of the tests who sign ledger entries with passkeys or by PIN; keys and signatures are always the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.encoding import to_base64
from casemgmt.trust.passkey import EDDSA, ES256, Assertion, PublicKey, challenge, statement, to_base64url
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.pin import CONTEXT, PinSignature

RP_ID = "evidence.example.org"
ORIGIN = "https://evidence.example.org"
PRESENT_AND_VERIFIED = 0x05


@dataclass(frozen=True)
class Person:
    id: int
    login: str
    name: str

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.login.encode()).digest())

    @property
    def key(self) -> PublicKey:
        return PublicKey(self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def actor(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "badge": f"C-{self.id}"}

    @property
    def stream(self) -> str:
        return f"passkeys:{self.login}"

    @property
    def means(self) -> dict[str, str]:
        """What an entry says that this person signs with their key."""
        return {"means": "passkey", "key": self.key.fingerprint}

    @property
    def enrolment(self) -> tuple[str, dict[str, Any]]:
        """Type and data of the entry that enrols the key."""
        said = {
            "person": self.actor, "credential": to_base64url(self.login.encode()), "key": self.key.fingerprint,
            "spki": to_base64(self.key.spki), "algorithm": EDDSA, "aaguid": "0" * 32, "attestation": "none",
            "backup_eligible": False, "backed_up": False, "rp_id": RP_ID, "origin": ORIGIN,
        }  # fmt: skip
        return "accounts:passkey:enrolled", said

    @property
    def revocation(self) -> tuple[str, dict[str, Any]]:
        return "accounts:passkey:revoked", {"person": self.actor, "key": self.key.fingerprint, "reason": "lost"}

    def sign(self, bodies: Sequence[bytes], *, flags: int = PRESENT_AND_VERIFIED) -> PersonalSignature:
        said = statement(bodies)
        client = {"type": "webauthn.get", "challenge": to_base64url(challenge(said)), "origin": ORIGIN}
        client_data = json.dumps({**client, "crossOrigin": False}, separators=(",", ":")).encode()
        data = hashlib.sha256(RP_ID.encode()).digest() + bytes([flags, 0, 0, 0, 0])
        signature = self._key.sign(data + hashlib.sha256(client_data).digest())
        return PersonalSignature(said, Assertion(client_data, data, signature), self.key)


@dataclass(frozen=True)
class PinPerson(Person):
    """Somebody who signs with the key behind the PIN of their phone."""

    @cached_property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        secret = int.from_bytes(hashlib.sha256(b"pin of " + self.login.encode()).digest()) >> 1
        return ec.derive_private_key(secret, ec.SECP256R1())

    @property
    def key(self) -> PublicKey:
        return PublicKey(self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def means(self) -> dict[str, str]:
        return {"means": "pin", "key": self.key.fingerprint}

    @property
    def device(self) -> str:
        return str(UUID(bytes=hashlib.sha256(self.login.encode()).digest()[:16]))

    @property
    def enrolment(self) -> tuple[str, dict[str, Any]]:
        said = {
            "person": self.actor, "key": self.key.fingerprint, "spki": to_base64(self.key.spki), "algorithm": ES256,
            "device": self.device, "origin": ORIGIN,
        }  # fmt: skip
        return "accounts:pinkey:enrolled", said

    @property
    def revocation(self) -> tuple[str, dict[str, Any]]:
        return "accounts:pinkey:revoked", {"person": self.actor, "key": self.key.fingerprint, "reason": "lost"}

    def sign(self, bodies: Sequence[bytes], *, flags: int = 0, context: bytes = CONTEXT) -> PersonalSignature:
        said = statement(bodies)
        return PersonalSignature(said, PinSignature(self._signed(context + said)), self.key)

    def agree(self, record: bytes) -> PersonalSignature:
        """On a phone without a network: the record is signed, and an entry repeats it."""
        said = statement([record])
        return PersonalSignature(said, PinSignature(self._signed(CONTEXT + said), record), self.key)

    def _signed(self, message: bytes) -> bytes:
        return self._private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


AIDA = Person(7, "aida", "Aida")
NURLAN = Person(8, "nurlan", "Nurlan")
BOLOT, CHOLPON = PinPerson(9, "bolot", "Bolot"), PinPerson(10, "cholpon", "Cholpon")
