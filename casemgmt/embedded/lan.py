"""HTTPS on the local network without anybody's help: a certificate authority of this machine's own.

Camera, place, passkeys and work without a network need a secure origin, and a border post has no public name. The
authority may vouch for nothing but private addresses and this machine's names (name constraints, RFC 5280 4.2.1.10):
whoever stole its key could not pose as a bank to the telephones that trust it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.secret_files import private_directory, read_or_create

_AUTHORITY_YEARS = 10
_SERVER_DAYS = 397  # the longest that every telephone accepts
_RENEWED_BEFORE = timedelta(days=30)
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")


class NoNetworkError(EmbeddedError):
    """This machine has no address that a telephone could reach."""


@dataclass(frozen=True, slots=True)
class LanFiles:
    """Paths for the web server, and the authority's certificate for the telephones."""

    certificate: Path
    key: Path
    authority: bytes  # DER
    fingerprint: str  # SHA-256 of the authority's certificate, in pairs, as a telephone shows it


def lan_addresses() -> list[IPv4Address]:
    """Addresses of this machine that others may reach, the one of the default route first. Sends nothing."""
    found = [
        IPv4Address(address.address)
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET
    ]
    reachable = sorted({address for address in found if not address.is_loopback})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: a datagram socket only chooses its own address here
            preferred = IPv4Address(probe.getsockname()[0])
        except OSError:
            preferred = None
    return sorted(reachable, key=lambda address: address != preferred)


def make_certificates(
    directory: Path, name: str, addresses: Sequence[IPv4Address], now: datetime | None = None
) -> LanFiles:
    """The authority, made once, and a server certificate for ``name`` and these addresses, renewed when it must be."""
    now = now or datetime.now(UTC)
    private_directory(directory)
    key = _key(directory / "authority.key")
    subjects = _subjects(name, addresses)
    authority = _authority(directory / "authority.crt", key, subjects, now)
    server_key = _key(directory / "server.key")
    certificate = directory / "server.crt"
    if not _still_good(certificate, authority, subjects, now):
        _write(certificate, _server(server_key, key, authority, subjects, now).public_bytes(Encoding.PEM))
    der = authority.public_bytes(Encoding.DER)
    fingerprint = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    return LanFiles(certificate, directory / "server.key", der, fingerprint)


def _subjects(name: str, addresses: Sequence[IPv4Address]) -> list[x509.GeneralName]:
    host = socket.gethostname().split(".")[0].lower()
    names = dict.fromkeys(["localhost", f"{host}.local"])
    literal = [*addresses, IPv4Address("127.0.0.1")]
    try:
        literal.insert(0, IPv4Address(name))
    except ValueError:
        names = dict.fromkeys([name, *names])
    return [
        *(x509.DNSName(text) for text in names),
        *(x509.IPAddress(address) for address in dict.fromkeys(literal)),
    ]


def _authority(
    path: Path, key: ec.EllipticCurvePrivateKey, subjects: Sequence[x509.GeneralName], now: datetime
) -> x509.Certificate:
    """Kept as long as it covers what is to be served: a new one would have to be installed on every telephone."""
    if path.exists():
        kept = x509.load_pem_x509_certificate(path.read_bytes())
        if kept.public_key() == key.public_key() and kept.not_valid_after_utc > now and _covers(kept, subjects):
            return kept
    host = socket.gethostname()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"casemgmt local network, {host}"[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * _AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.NameConstraints(_permitted(subjects), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(path, made.public_bytes(Encoding.PEM))
    return made


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    subjects: Sequence[x509.GeneralName],
    now: datetime,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "casemgmt")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_SERVER_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _permitted(subjects: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    networks = [IPv4Network(text) for text in _PRIVATE]
    literal = [IPv4Network(s.value) for s in subjects if isinstance(s, x509.IPAddress)]
    outside = [network for network in literal if not any(network.subnet_of(known) for known in networks)]
    return [
        *(s for s in subjects if isinstance(s, x509.DNSName)),
        *(x509.IPAddress(network) for network in (*networks, *outside)),
    ]


def _covers(authority: x509.Certificate, subjects: Sequence[x509.GeneralName]) -> bool:
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    names = {s.value for s in permitted if isinstance(s, x509.DNSName)}
    networks = [s.value for s in permitted if isinstance(s, x509.IPAddress)]
    return all(
        s.value in names
        if isinstance(s, x509.DNSName)
        else any(isinstance(network, IPv4Network) and s.value in network for network in networks)
        for s in subjects
    )


def _still_good(path: Path, authority: x509.Certificate, subjects: Sequence[x509.GeneralName], now: datetime) -> bool:
    if not path.exists():
        return False
    kept = x509.load_pem_x509_certificate(path.read_bytes())
    held = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    issuer = kept.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    ours = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    return set(subjects) <= set(held) and issuer == ours and kept.not_valid_after_utc - now > _RENEWED_BEFORE


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    def make() -> bytes:
        return ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    key = serialization.load_pem_private_key(read_or_create(path, make), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EmbeddedError(f"{path} holds another kind of key than casemgmt makes")
    return key


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".new")
    partial.write_bytes(content)
    partial.replace(path)


def named_address(name: str) -> str:
    """The name people type, checked: an IPv4 address or a host name. Raises NoNetworkError."""
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        labels = name.lower().rstrip(".").split(".")
        fits = all(0 < len(label) < 64 and label.replace("-", "a").isalnum() and label.isascii() for label in labels)
        if not fits or len(name) > 253:
            raise NoNetworkError(f"{name!r} is neither an IPv4 address nor a host name") from None
        return ".".join(labels)
