"""A package with all that a package can have, signed, stamped and reported as in a running system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typst
from cryptography import x509

from casemgmt.signing.authority import Authorities
from casemgmt.signing.certificates import read_certificates
from casemgmt.signing.credentials import Pkcs12
from casemgmt.signing.demonstration import Demonstration, ensure_demonstration
from casemgmt.signing.local_authority import LocalAuthority
from casemgmt.signing.signer import OrganisationSigner
from casemgmt.trust import kit
from casemgmt.trust.contents import ORGANISATION_CA, TIMESTAMP_CA
from casemgmt.trust.promise import Promise
from tests.trust.factory import LOG, NAME, archive, full_draft

_REPORT = '#set document(title: "Отчёт", date: datetime(year: 2027, month: 2, day: 3))\n= Отчёт о хранении'


@dataclass(frozen=True)
class Complete:
    """The archive, and what its makers publish on their own."""

    archive: bytes
    policy: bytes
    organisation_ca: bytes
    timestamp_ca: bytes
    name: str = NAME

    def publish(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "trust.policy").write_bytes(self.policy)
        (folder / "organisation-ca.pem").write_bytes(self.organisation_ca)
        (folder / "timestamp-ca.pem").write_bytes(self.timestamp_ca)


async def complete(folder: Path) -> Complete:
    """Demonstration certificates are made in `folder`."""
    demo = ensure_demonstration(folder)
    authorities = Authorities([LocalAuthority(demo.directory, _roots(demo), None, 20.0)])
    signer = OrganisationSigner(lambda: Pkcs12(demo.pkcs12, demo.password.read_text()), [], [], authorities)
    pdf = typst.compile(_REPORT.encode(), format="pdf", pdf_standards=["a-3b"])
    package = full_draft()
    package.authorities = None
    package.beside = replace(
        package.beside,
        guides=kit.documents(NAME, LOG.name, package.size),
        promise=Promise("CAdES-B-T", "PAdES-B-T", "RFC3161"),
        reports={"en": await signer.sign_pdf(pdf, reason="Custody report")},
        keys={ORGANISATION_CA: demo.ca.read_bytes(), TIMESTAMP_CA: demo.tsa_ca.read_bytes()},
    )
    unsigned = package.prepared()
    stamped = await authorities.stamp(unsigned.tag_manifest)
    prepared = unsigned.signed(await signer.sign_detached(unsigned.tag_manifest), stamped.response)
    entries = prepared.sealed(*package.seal(prepared))
    policy = package.ledger.policy.encode()
    return Complete(archive(entries, package.contents), policy, demo.ca.read_bytes(), demo.tsa_ca.read_bytes())


def _roots(demo: Demonstration) -> Sequence[x509.Certificate]:
    return read_certificates(demo.tsa_ca.read_bytes(), "the demonstration's root")
