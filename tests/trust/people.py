"""People of the tests who sign ledger entries with passkeys; keys and signatures are the same in every run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.encoding import to_base64
from casemgmt.trust.passkey import EDDSA, Assertion, PublicKey, challenge, statement, to_base64url
from casemgmt.trust.personal import PersonalSignature

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


AIDA = Person(7, "aida", "Aida")
NURLAN = Person(8, "nurlan", "Nurlan")
