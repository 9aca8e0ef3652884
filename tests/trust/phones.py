"""Phones of the tests: each its officer's, with a key behind a PIN, that make and sign the records of an agreement."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.trust.passkey import PublicKey
from casemgmt.trust.pin import CONTEXT

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
PART = 560  # letters of one QR code


@dataclass(frozen=True)
class SignedRecord:
    body: bytes
    signature: bytes
    spki: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Phone:
    """``seed`` makes the key: the same in every run."""

    login: str
    name: str
    badge: str = ""
    seed: str = ""
    device: str = field(default_factory=lambda: str(uuid.uuid4()))

    @cached_property
    def private(self) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(hashlib.sha256(f"{self.login}/{self.seed}".encode()).digest(), "big")
        return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())

    @cached_property
    def key(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, record: bytes) -> SignedRecord:
        said = f"{hashlib.sha256(record).hexdigest()}\n".encode()
        return SignedRecord(record, self.private.sign(CONTEXT + said, ec.ECDSA(SHA256())), self.key.spki)

    def record(self, **members: Any) -> SignedRecord:
        """A record with these members, ``None`` leaving one out, signed as it is."""
        said = self.common | members
        return self.sign(rfc8785.dumps({name: value for name, value in said.items() if value is not None}))

    @property
    def common(self) -> dict[str, Any]:
        by = {"badge": self.badge, "login": self.login, "name": self.name}
        return {"v": 1, "by": by, "device": self.device, "key": self.key.fingerprint}

    def offer(
        self, items: Iterable[Mapping[str, Any]], *, at: str, agreement: str | None = None, purpose: str = "storage",
        **more: Any,
    ) -> SignedRecord:  # fmt: skip
        return self.record(
            type="handover-offer", id=agreement or str(uuid.uuid4()), at=at, purpose=purpose, items=[*items], **more
        )

    def answer(
        self,
        to: SignedRecord,
        items: Iterable[Mapping[str, Any]],
        *,
        at: str,
        agreement: str | None = None,
        **more: Any,
    ) -> SignedRecord:  # fmt: skip
        asked = offer_of(to)["id"]
        said = {"type": "handover-answer", "id": agreement or asked, "offer": to.sha256, "at": at, "items": [*items]}
        return self.record(**(said | more))


def offer_of(record: SignedRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record.body)
    return found


def qr_lines(kind: str, signed: SignedRecord, *, part: int = PART) -> list[str]:
    """A signed record as the lines of its QR codes; ``kind`` O or A."""
    content = b"\0".join((signed.body, signed.signature, signed.spki))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    letters = base64.b32encode(packed).decode().rstrip("=")
    of = -(-len(letters) // part)
    size = -(-len(letters) // of)
    start = f"CMH1:{kind}:{offer_of(signed)['id'][:8].upper()}"
    return [f"{start}:{n + 1}/{of}:{letters[n * size : (n + 1) * size]}" for n in range(of)]


def from_qr(lines: Sequence[str]) -> SignedRecord:
    """What the lines of one record, in any order, hold."""
    parts = sorted((int(line.split(":")[3].split("/")[0]), line.split(":")[4]) for line in lines)
    letters = "".join(part for _, part in parts)
    packed = base64.b32decode(letters + "=" * (-len(letters) % 8))
    content = zlib.decompressobj(-15).decompress(packed, 65_536)
    record, _, rest = content.partition(b"\0")
    length = rest[1] + 2
    return SignedRecord(record, rest[:length], rest[length + 1 :])
