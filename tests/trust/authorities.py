"""An organisation and a timestamp authority of the tests' own, made with the openssl command."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
_TSA = """[tsa]
default_tsa = stamp
[stamp]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""
_EMPTY_PDF = b"%PDF-1.7\n%custody report\n"


@dataclass(frozen=True)
class Authorities:
    """Keys and certificates in `folder`."""

    folder: Path

    @classmethod
    def make(cls, *, name: str = "Test", valid: tuple[str, str] | None = None) -> Authorities:
        """A CA, a signer and a timestamp authority under it; ``valid`` (from, until), YYMMDDHHMMSSZ."""
        folder = Path(tempfile.mkdtemp(prefix="casemgmt-authorities-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        made = cls(folder)
        made._run(
            "req", "-x509", *_EC, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", f"/CN={name} CA"
        )
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=ca.srl\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
            "unique_subject=no\n[p]\ncommonName=supplied\n"
        )
        (folder / "index").touch()
        (folder / "ca.srl").write_text("01\n")
        for who, usage in (
            ("signer", "keyUsage=critical,digitalSignature,nonRepudiation\n"),
            ("tsa", "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"),
        ):
            (folder / f"{who}.ext").write_text(usage)
            subject = f"/CN={name} {who}"
            made._run("req", *_EC, "-new", "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", subject)
            dates = ["-days", "3650"] if valid is None else ["-startdate", valid[0], "-enddate", valid[1]]
            made._run(
                *("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"),
                *("-in", f"{who}.csr", "-out", f"{who}.pem", "-extfile", f"{who}.ext", *dates),
            )
        (folder / "tsa.cnf").write_text(_TSA)
        (folder / "serial").write_text("01\n")
        return made

    @property
    def ca(self) -> bytes:
        return (self.folder / "ca.pem").read_bytes()

    def sign(self, content: bytes) -> bytes:
        """CAdES-B-B, detached, DER."""
        (self.folder / "content").write_bytes(content)
        self._run(
            *("cms", "-sign", "-cades", "-binary", "-outform", "DER", "-md", "sha256"),
            *("-in", "content", "-signer", "signer.pem", "-inkey", "signer.key", "-out", "p7s"),
        )
        return (self.folder / "p7s").read_bytes()

    def stamp(self, content: bytes) -> bytes:
        (self.folder / "content").write_bytes(content)
        self._run("ts", "-query", "-data", "content", "-sha256", "-cert", "-out", "tsq")
        self._run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "tsq", "-out", "tsr")
        return (self.folder / "tsr").read_bytes()

    def pdf(self, text: bytes = b"") -> bytes:
        """Not a PDF that anybody can read, but signed as one is: two ranges around the hexadecimal signature."""
        room, end = 8192, b" >>\n%%EOF\n"
        start = _EMPTY_PDF + text
        ranges = b"/ByteRange [%010d %010d %010d %010d] /Contents "
        length = len(start) + len(ranges % (0, 0, 0, 0))
        before = start + ranges % (0, length, length + room + 2, len(end))
        signature = self.sign(before + end).hex().encode()
        return before + b"<" + signature + b"0" * (room - len(signature)) + b">" + end

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")


@functools.cache
def authorities(name: str = "Test") -> Authorities:
    return Authorities.make(name=name)
