"""Certificates made for one test: of any age, revoked, of an intermediate, or not for signing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey
NOW = datetime.now(UTC).replace(microsecond=0)
PASSWORD = "correct horse"


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def issue(
    subject: str,
    *,
    by: "tuple[x509.Certificate, Key] | None" = None,
    ca: bool = False,
    signs: bool = True,
    since: datetime = NOW - timedelta(days=1),
    until: datetime = NOW + timedelta(days=400),
) -> tuple[x509.Certificate, Key]:
    """A certificate and its key; ``by`` none: signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, issuer_key = by or (None, key)
    usage = x509.KeyUsage(
        digital_signature=signs and not ca, content_commitment=False, key_encipherment=not signs,
        data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer.subject if issuer else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    return certificate, key


def revoke(
    certificate: x509.Certificate, by: tuple[x509.Certificate, Key], *, until: datetime = NOW + timedelta(days=7)
) -> x509.CertificateRevocationList:
    issuer, key = by
    entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(NOW).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject).last_update(NOW - timedelta(days=8))
    return builder.next_update(until).add_revoked_certificate(entry).sign(key, hashes.SHA256())


def write_pkcs12(path: Path, of: tuple[x509.Certificate, Key], *others: x509.Certificate) -> Path:
    certificate, key = of
    encryption = BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"seal", key, certificate, others, encryption))
    return path


def pem(*certificates: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)
