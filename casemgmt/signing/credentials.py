"""The private key of the organisation: in a PKCS#12 file, or on a token that never gives it away."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from asn1crypto import x509 as asn1
from asn1crypto.algos import DigestInfo, DSASignature
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pyhanko.sign.signers import Signer, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from casemgmt.signing.errors import CredentialError

TOKEN_SECONDS = 30.0


class Credential(Protocol):
    """A certificate whose private key can be used. ``others`` are certificates that came with it."""

    certificate: x509.Certificate
    others: Sequence[x509.Certificate]

    def signer(self, chain: Sequence[x509.Certificate]) -> AbstractContextManager[Signer]:
        """A signer for one signature that embeds ``chain``. Raises CredentialError when the key cannot be reached."""
        ...


class Pkcs12:
    """A file as certification authorities hand it out. Read once; raises CredentialError."""

    def __init__(self, path: Path, password: str) -> None:
        try:
            self._data = path.read_bytes()
        except OSError as error:
            raise CredentialError(f"{path} cannot be read: {error.strerror}") from error
        self._password = password.encode() or None
        try:
            key, certificate, others = pkcs12.load_key_and_certificates(self._data, self._password)
        except ValueError as error:
            raise CredentialError(f"{path} cannot be opened as PKCS#12: wrong password, or another format") from error
        if key is None or certificate is None:
            raise CredentialError(f"{path} holds no private key with its certificate")
        self.certificate: x509.Certificate = certificate
        self.others: Sequence[x509.Certificate] = others

    @contextmanager
    def signer(self, chain: Sequence[x509.Certificate]) -> Iterator[Signer]:
        yield SimpleSigner.load_pkcs12_data(self._data, [as_asn1(c) for c in chain[1:]], self._password)


class Pkcs11:
    """A key on a PKCS#11 token, asked in a process of its own for each signature: a token that was away is found again.

    Needs the extra ``casemgmt[pkcs11]``. Raises CredentialError.
    """

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        self._asked = {"module": str(module), "token": token, "label": label, "pin": pin}
        found = self._ask(b"")
        if not found["certificate"]:
            raise CredentialError(f"the token {token!r} holds no certificate labelled {label!r}")
        self.certificate = x509.load_der_x509_certificate(b64decode(found["certificate"]))
        self.others: Sequence[x509.Certificate] = [
            x509.load_der_x509_certificate(b64decode(other)) for other in found["others"]
        ]

    @contextmanager
    def signer(self, chain: Sequence[x509.Certificate]) -> Iterator[Signer]:
        yield _TokenSigner(self, chain)

    def sign(self, plain: bytes) -> bytes:
        """What the key's plain mechanism (RSA PKCS #1, ECDSA) makes of it."""
        return b64decode(self._ask(plain)["signature"])

    def _ask(self, plain: bytes) -> dict[str, Any]:
        name = self._asked["token"]
        if find_spec("pkcs11") is None:
            raise CredentialError("a token needs the extra part: pip install 'casemgmt[pkcs11]'")
        command = [sys.executable, "-m", "casemgmt.signing.token_process"]
        question = json.dumps(self._asked | {"sign": b64encode(plain).decode()}).encode()
        try:
            done = subprocess.run(command, input=question, capture_output=True, timeout=TOKEN_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise CredentialError(f"the token {name!r} did not answer within {TOKEN_SECONDS:.0f} seconds") from error
        if done.returncode:
            raise CredentialError(f"the token {name!r} cannot be used: its library ended with {done.returncode}")
        answer: dict[str, Any] = json.loads(done.stdout)
        if "error" in answer:
            raise CredentialError(f"the token {name!r} cannot be used: {answer['error']}")
        return answer


class _TokenSigner(Signer):
    """pyHanko's view of the token: it is given a hash, as every token can sign one."""

    def __init__(self, token: Pkcs11, chain: Sequence[x509.Certificate]) -> None:
        certificates = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        certificates.register_multiple(as_asn1(c) for c in chain[1:])
        super().__init__(signing_cert=as_asn1(chain[0]), cert_registry=certificates)
        self._token = token

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if dry_run:  # only the length is wanted
            return bytes(512)
        hashed = hashlib.new(digest_algorithm, data).digest()
        if self.get_signature_mechanism_for_digest(digest_algorithm).signature_algo == "ecdsa":
            return bytes(DSASignature.from_p1363(self._token.sign(hashed)).dump())
        info = DigestInfo({"digest_algorithm": {"algorithm": digest_algorithm}, "digest": hashed})
        return self._token.sign(info.dump())


def as_asn1(certificate: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(certificate.public_bytes(Encoding.DER))
