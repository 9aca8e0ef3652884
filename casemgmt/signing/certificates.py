"""Certificates as a verifier will see them: a whole chain, in date, for signing, and not revoked as far as is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from casemgmt.signing.errors import CredentialError

DEMONSTRATION = "DEMONSTRATION"
"""Stands in every subject that is not to be believed outside a demonstration."""

SOON = timedelta(days=30)
LONGEST = 10  # certificates of a chain


class State(StrEnum):
    GOOD = "good"
    EXPIRING = "expiring"
    NOT_YET = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of a chain at one moment. ``subject`` is the certificate that decides; ``until`` its end.

    ``revocation`` says in words on what the answer about revocation rests.
    """

    state: State
    subject: str
    until: datetime
    revocation: str

    @property
    def usable(self) -> bool:
        return self.state in {State.GOOD, State.EXPIRING}

    def __str__(self) -> str:
        day = f"{self.until:%Y-%m-%d}"
        said = {
            State.GOOD: f"valid until {day}",
            State.EXPIRING: f"valid only until {day}",
            State.NOT_YET: "not valid yet",
            State.EXPIRED: f"expired on {day}",
            State.REVOKED: "revoked",
        }
        return f"the certificate {self.subject} is {said[self.state]} ({self.revocation})"


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate and its issuers up to a self-signed root, with the revocation lists that were given for them."""

    certificates: Sequence[x509.Certificate]
    lists: Sequence[x509.CertificateRevocationList] = ()

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def subject(self) -> str:
        return self.leaf.subject.rfc4514_string()

    @property
    def fingerprint(self) -> str:
        """Lower-case hex SHA-256 of the certificate, as ``openssl x509 -fingerprint -sha256`` has it without colons."""
        return self.leaf.fingerprint(hashes.SHA256()).hex()

    @property
    def demonstration(self) -> bool:
        return any(DEMONSTRATION in c.subject.rfc4514_string().upper() for c in self.certificates)

    @property
    def issuers_pem(self) -> bytes:
        """Everything above the leaf, the root last: what a verifier passes as ``-CAfile``."""
        return to_pem(self.certificates[1:])

    def condition(self, at: datetime) -> Condition:
        """The worst that is known of any certificate of the chain."""
        unknown = []
        for certificate, issuer in zip(self.certificates, [*self.certificates[1:], self.certificates[-1]], strict=True):
            name, until = certificate.subject.rfc4514_string(), certificate.not_valid_after_utc
            if at < certificate.not_valid_before_utc:
                return Condition(State.NOT_YET, name, until, "not looked at")
            if at > until:
                return Condition(State.EXPIRED, name, until, "not looked at")
            if certificate is issuer:
                continue  # nobody revokes a root but those who believe in it
            current = [crl for crl in self.lists if crl.issuer == issuer.subject and not _stale(crl, at)]
            if any(crl.get_revoked_certificate_by_serial_number(certificate.serial_number) for crl in current):
                return Condition(State.REVOKED, name, until, "in its issuer's revocation list")
            if not current:
                unknown.append(name)
        first = min(self.certificates, key=lambda c: c.not_valid_after_utc)
        state = State.EXPIRING if first.not_valid_after_utc - at < SOON else State.GOOD
        known = "not revoked in current revocation lists"
        if unknown:
            known = f"no current revocation list for {unknown[0]}: revocation was not checked"
        return Condition(state, first.subject.rfc4514_string(), first.not_valid_after_utc, known)


def _stale(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    return crl.next_update_utc is not None and crl.next_update_utc < at


def build_chain(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    lists: Sequence[x509.CertificateRevocationList] = (),
) -> Chain:
    """Order ``others`` above ``leaf``, every signature checked. Raises CredentialError when the root is not reached,
    the leaf is not for signing, or a revocation list is not its issuer's."""
    known, chain = list(others), [leaf]
    while chain[-1].subject != chain[-1].issuer:
        above = next((c for c in known if _issued(c, chain[-1])), None)
        if above is None or len(chain) == LONGEST:
            name, issuer = chain[-1].subject.rfc4514_string(), chain[-1].issuer.rfc4514_string()
            raise CredentialError(
                f"the issuer {issuer} of the certificate {name} is missing: give the certificates up to the root in "
                "CASEMGMT_SEAL_CHAIN_FILE"
            )
        chain.append(above)
    _check_usage(leaf)
    for crl in lists:
        if not any(c.subject == crl.issuer and crl.is_signature_valid(c.public_key()) for c in chain[1:]):  # type: ignore[arg-type]
            raise CredentialError(f"the revocation list of {crl.issuer.rfc4514_string()} is of no issuer of the chain")
    return Chain(tuple(chain), tuple(lists))


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_usage(leaf: x509.Certificate) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise CredentialError(f"the certificate {leaf.subject.rfc4514_string()} is not one for signing (its key usage)")


def read_certificates(pem: bytes, what: str) -> list[x509.Certificate]:
    """Raises CredentialError, which begins with ``what``, for text without certificates."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CredentialError(f"{what} does not hold certificates in PEM form: {error}") from error


def read_lists(pem: bytes, what: str) -> list[x509.CertificateRevocationList]:
    begin = b"-----BEGIN X509 CRL-----"
    try:
        return [x509.load_pem_x509_crl(begin + part) for part in pem.split(begin)[1:]]
    except ValueError as error:
        raise CredentialError(f"{what} does not hold revocation lists in PEM form: {error}") from error


def to_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
