"""A person's signature made with the key behind their PIN (docs/spec/signature.md).

The key lies in the store of one phone, wrapped by the PIN, and software signs with it.  That is weaker than a passkey,
which no software can read, and stronger than having signed in; whoever speaks of it says so.
"""

import hashlib
from dataclasses import dataclass

from casemgmt.trust.errors import PasskeyError
from casemgmt.trust.passkey import ES256, PublicKey, hashes

CONTEXT = b"evidence-custody-pin-v1\0"
"""Stands before the statement in what is signed: the same key never signs this by signing something else."""

ENROLMENT = b"evidence-custody-pinkey-v1\0"
"""Stands before person and device in the key's own yes to its enrolment."""

MAX_SIGNATURE = 80
"""Bytes of an ECDSA signature on P-256 in DER, generously."""


def signed_bytes(statement: bytes) -> bytes:
    """What the key signs, to be hashed with SHA-256 by ECDSA."""
    return CONTEXT + statement


def enrolment(person: str, device: str) -> bytes:
    """What a new key signs to show that whoever enrols it holds it: the person's code and the phone's identifier."""
    return ENROLMENT + f"{person}\n{device}\n".encode()


def verify_pin(key: PublicKey, signature: bytes, statement: bytes) -> None:
    """Whether the holder of `key` said yes to `statement` with their PIN; raises `PasskeyError` for what does not hold.

    It says nothing of whose the key is: see `casemgmt.trust.signers`.
    """
    hashes(statement)
    if key.algorithm != ES256:
        raise PasskeyError("the key behind a PIN is ES256 (P-256)")
    if not 0 < len(signature) <= MAX_SIGNATURE:
        raise PasskeyError(f"a signature by PIN has at most {MAX_SIGNATURE} bytes")
    key.verify(signature, signed_bytes(statement))


@dataclass(frozen=True, slots=True)
class PinSignature:
    """What was kept of one signature by PIN.  `record`: what two phones without a network agreed on, where that was
    signed and the entry repeats it."""

    signature: bytes
    record: bytes | None = None

    def check(self, key: PublicKey, statement: bytes, body: bytes, *, record: str | None) -> None:
        """Whether `key` signed this entry, or the record of this hash that the entry names; raises `PasskeyError`.

        That such a record says what the entry says is for the caller to check: `casemgmt.trust.agreement`.
        """
        if (self.record is None) != (record is None):
            raise PasskeyError("the entry names a record that is not here, or one is here that it does not name")
        signed = body if self.record is None else self.record
        named, digest = hashes(statement), hashlib.sha256(signed).hexdigest()
        if self.record is None and digest not in named:
            raise PasskeyError("the statement does not name this entry")
        if self.record is not None and not (named == (digest,) and record == digest):
            raise PasskeyError("the statement does not name this record alone, or the entry names another")
        verify_pin(key, self.signature, statement)
