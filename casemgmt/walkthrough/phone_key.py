"""The key behind a PIN, in software: for the walkthrough and the tests it does what an officer's phone does."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.passkey import PublicKey, to_base64url
from casemgmt.trust.pin import enrolment, signed_bytes


@dataclass
class PhoneKey:
    """One officer's key on one phone. No PIN guards it here."""

    device: str = field(default_factory=lambda: str(uuid.uuid4()))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, statement: bytes) -> bytes:
        return self.private.sign(signed_bytes(statement), ec.ECDSA(SHA256()))

    def enrolment(self, person: str) -> dict[str, Any]:
        """What the phone sends to enrol the key for the officer of this code."""
        proof = self.private.sign(enrolment(person, self.device), ec.ECDSA(SHA256()))
        return {"spki": to_base64url(self.public.spki), "proof": to_base64url(proof), "device": self.device}

    def credential(self, statement: bytes) -> dict[str, Any]:
        """What the phone's page sends as the signature of what waits."""
        return {"key": self.public.fingerprint, "signature": to_base64url(self.sign(statement))}
