"""Other people's signatures, checked by other people's program: the ``openssl`` command, version 3 or later.

It is found on the path, run without its configuration file, and believes only the CA certificates it is given,
not those of the machine.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from casemgmt.trust.encoding import shown
from casemgmt.trust.errors import SignatureInvalidError

_SECONDS = 60
_STAMPED = re.compile(r"^Time stamp: (\w{3} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \d{4}) GMT$", re.MULTILINE)
_MARK = "DEMONSTRATION"


@dataclass(frozen=True, slots=True)
class Signer:
    """The certificate of whoever signed; `fingerprint` is its SHA-256 in hex."""

    name: str
    issuer: str
    fingerprint: str

    @property
    def demonstration(self) -> bool:
        return _MARK in (self.name + self.issuer).upper()

    def __str__(self) -> str:
        return f"{self.name}, certified by {self.issuer} (certificate SHA-256 {self.fingerprint})"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified timestamp.  `expired` says that the authority's certificate has expired since."""

    time: datetime
    authority: Signer
    expired: bool


class OpenSsl:
    """Raises `SignatureInvalidError` with the command's own words for what does not hold."""

    def __init__(self, program: str) -> None:
        self._program = program

    @classmethod
    def found(cls) -> "OpenSsl | None":
        """None when there is no such command on the path, or it is another program or an old one."""
        program = shutil.which("openssl")
        if program is None:
            return None
        told = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
        version = re.match(r"OpenSSL (\d+)\.", told)
        return cls(program) if version and int(version[1]) >= 3 else None

    def verify_signature(self, content: bytes, signature: bytes, ca: bytes, *, at: datetime | None = None) -> Signer:
        """Whether `signature` (CMS, detached, DER) is over `content`, by a certificate under `ca` (PEM)."""
        with tempfile.TemporaryDirectory(prefix="casemgmt-verify-") as name:
            folder = Path(name)
            for file, data in (("content", content), ("p7s", signature), ("ca.pem", ca)):
                (folder / file).write_bytes(data)
            options = ["-binary", "-inform", "DER", "-in", "p7s", "-content", "content", "-purpose", "any", "-cades"]
            trust = ["-CAfile", "ca.pem", "-no-CApath", "-no-CAstore", *_at(at)]
            self._run(folder, "cms", "-verify", *options, *trust, "-signer", "signer.pem", "-out", os.devnull)
            return _signer((folder / "signer.pem").read_bytes())

    def verify_timestamp(self, content: bytes, response: bytes, ca: bytes) -> Stamp:
        """Whether `response` (RFC 3161, DER) stamps `content`, by an authority under `ca` (PEM)."""
        with tempfile.TemporaryDirectory(prefix="casemgmt-verify-") as name:
            folder = Path(name)
            for file, data in (("content", content), ("tsr", response), ("ca.pem", ca)):
                (folder / file).write_bytes(data)
            time = _time(self._run(folder, "ts", "-reply", "-in", "tsr", "-text"))
            verify = ["ts", "-verify", "-data", "content", "-in", "tsr", "-CAfile", "ca.pem"]
            at: list[str] = []
            try:
                self._run(folder, *verify)
            except SignatureInvalidError:
                if time > datetime.now(UTC):  # a certificate of the future has not expired
                    raise
                at = _at(time)
                self._run(folder, *verify, *at)
            self._run(folder, "ts", "-reply", "-in", "tsr", "-token_out", "-out", "token")
            # a token may carry any certificates beside the authority's: whose signature it is, only verifying it says
            trust = ["-purpose", "timestampsign", "-CAfile", "ca.pem", "-no-CApath", "-no-CAstore", *at]
            token = ["-binary", "-inform", "DER", "-in", "token", "-signer", "signer.pem", "-out", os.devnull]
            self._run(folder, "cms", "-verify", *token, *trust)
            return Stamp(time, _signer((folder / "signer.pem").read_bytes()), bool(at))

    def _run(self, folder: Path, *arguments: str) -> str:
        environment = {"PATH": os.defpath, "OPENSSL_CONF": os.devnull, "LC_ALL": "C"}
        command: Sequence[str] = [self._program, *arguments]
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise SignatureInvalidError(f"openssl {arguments[0]} did not finish in {_SECONDS} s") from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "error" in line.lower()]
            why = lines[-1].rpartition("error:")[2] if lines else f"status {done.returncode}"
            raise SignatureInvalidError(f"openssl {arguments[0]} says: {shown(why, 200)}")
        return done.stdout.decode("utf-8", "replace")


def _at(time: datetime | None) -> list[str]:
    return [] if time is None else ["-attime", str(int(time.timestamp()))]


def _time(told: str) -> datetime:
    found = _STAMPED.search(told)
    if found is None:
        raise SignatureInvalidError("the timestamp response has no time")
    text = re.sub(r"\.\d+", "", found[1])
    return datetime.strptime(text, "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def _signer(pem: bytes) -> Signer:
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SignatureInvalidError("the signer's certificate is not readable") from error
    if len(certificates) != 1:
        raise SignatureInvalidError(f"signed by {len(certificates)} at once, not by one")
    (one,) = certificates
    return Signer(one.subject.rfc4514_string(), one.issuer.rfc4514_string(), one.fingerprint(SHA256()).hex())
