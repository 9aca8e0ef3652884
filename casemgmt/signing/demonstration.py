"""Certificates and a timestamp authority for demonstrations and tests, made with openssl.

Every subject says DEMONSTRATION. Nobody vouches for them: what is signed with them shows the way and proves nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from casemgmt.signing.local_authority import CONFIGURATION
from casemgmt.signing.openssl import openssl

DAYS = 3650
POLICY = "1.3.6.1.4.1.99999.1"  # of nobody: an arc for documentation

_EXTENSIONS = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[seal]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

# Without `certs`: openssl would send the chain as an unsorted set, which strict readers refuse.
_TSA = f"""\
[tsa]
default_tsa = demonstration
[demonstration]
serial = tsa.serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = {POLICY}
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Where it all lies. The certification authorities' own keys are gone: nothing more can be issued."""

    directory: Path

    @property
    def pkcs12(self) -> Path:
        return self.directory / "seal.p12"

    @property
    def password(self) -> Path:
        return self.directory / "seal.password"

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def tsa_ca(self) -> Path:
        return self.directory / "tsa-ca.pem"

    @property
    def authority(self) -> str:
        """As CASEMGMT_TIMESTAMP_AUTHORITIES wants it."""
        return f"{self.directory.as_uri()} {self.tsa_ca}"


def ensure_demonstration(directory: Path, days: int = DAYS) -> Demonstration:
    """What is in ``directory``, made there the first time: whole or not at all. Raises OpensslError."""
    if not directory.exists():
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        try:
            _make(made, days)
            made.rename(directory)
        except OSError:
            if not directory.exists():  # another process was first
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return Demonstration(directory)


def _make(at: Path, days: int) -> None:
    (at / "extensions.cnf").write_text(_EXTENSIONS)
    (at / CONFIGURATION).write_text(_TSA)
    (at / "tsa.serial").write_text("01\n")
    _root(at, "ca", "DEMONSTRATION certification authority", days)
    _issue(at, "seal", "ca", "DEMONSTRATION evidence office", days)
    _root(at, "tsa-ca", "DEMONSTRATION timestamping root", days)
    _issue(at, "tsa", "tsa-ca", "DEMONSTRATION timestamp authority", days)
    (at / "seal.password").write_text(secrets.token_urlsafe(24))
    openssl(
        "pkcs12", "-export", "-inkey", "seal.key", "-in", "seal.pem", "-certfile", "ca.pem", "-name", "seal",
        "-passout", "file:seal.password", "-out", "seal.p12", where=at,
    )  # fmt: skip
    for name in ("ca.key", "tsa-ca.key", "seal.key", "seal.csr", "tsa.csr", "extensions.cnf"):
        (at / name).unlink()
    for path in at.iterdir():
        path.chmod(0o600)
    os.sync()


def _root(at: Path, name: str, who: str, days: int) -> None:
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", str(days), "-subj", _subject(who),
        "-config", "extensions.cnf", "-extensions", "ca", "-keyout", f"{name}.key", "-out", f"{name}.pem", where=at,
    )  # fmt: skip


def _issue(at: Path, name: str, issuer: str, who: str, days: int) -> None:
    openssl(
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", _subject(who), "-config", "extensions.cnf",
        "-keyout", f"{name}.key", "-out", f"{name}.csr", where=at,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-sha256",
        "-set_serial", f"0x{secrets.token_hex(15)}", "-days", str(days), "-extfile", "extensions.cnf",
        "-extensions", name, "-out", f"{name}.pem", where=at,
    )  # fmt: skip


def _subject(name: str) -> str:
    return f"/O=DEMONSTRATION - not for evidence/CN={name}"
