"""Who stands for a sealed package: as it says of itself, for its page and for the letter that goes with it.

Read from what was sealed, and not verified again: that is for whoever receives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.ledger.standing import quorum_words
from casemgmt.packages import queries
from casemgmt.packages.models import Package
from casemgmt.signing.certificates import DEMONSTRATION, read_certificates
from casemgmt.trust.contents import ORGANISATION_CA, TIMESTAMP_CA
from casemgmt.trust.manifest import BAG_INFO, parse_info
from casemgmt.trust.policy import Accepted, Policy
from casemgmt.trust.promise import LAYOUT, NONE, SIGNATURE, TIMESTAMP, Promise
from casemgmt.trust.proof import Proof

_SIGNED = text(
    "select b #>> '{actor,name}' who, coalesce(b #>> '{data,signature,means}', '') means,"
    "       b #>> '{data,signature,key}' as key, count(*) entries"
    "  from (select convert_from(p.data, 'UTF8')::jsonb b from packages.part p"
    "         where p.package_id = :package and p.path like :entries) e"
    " where b ->> 'type' like 'custody:handover:%' group by 1, 2, 3 order by 1, 2 limit 200"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who answered for hand-overs in the package: by what means, with which key, how often."""

    who: str
    means: str
    key: str | None
    entries: int


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose certificate signed the list of all files. ``fingerprint``: SHA-256 in hex; ``root`` that of the CA's."""

    kind: str
    subject: str
    fingerprint: str
    root: str
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """``at`` as the authority says; ``root`` is the SHA-256 of its CA certificate."""

    at: datetime
    root: str
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Attested:
    """``witnesses`` cosigned the checkpoint of the package's proofs, each at its time; ``policy`` in the words of the
    trust policy. ``tools`` are the page and the scripts inside, with their SHA-256."""

    log_key: str
    policy: str
    witnesses: Sequence[tuple[str, datetime]]
    witness_keys: Sequence[tuple[str, str]]
    people: Sequence[Signer]
    organisation: Organisation | None
    stamp: Stamp | None
    tools: Sequence[tuple[str, str]]
    reports: Sequence[str]

    @property
    def demonstration(self) -> bool:
        return any(part is not None and part.demonstration for part in (self.organisation, self.stamp))


async def attested(db: AsyncSession, package: Package) -> Attested | None:
    """None for a package of an older layout, which says nothing of all this."""
    info = parse_info(await queries.document(db, package, BAG_INFO))
    if info.get("Package-Layout") != LAYOUT:
        return None
    promise = Promise.parse(info)
    policy = Policy.parse(await queries.policy(db, package))
    accepted = policy.accept(Proof.parse(await queries.any_proof(db, package)).checkpoint)
    return Attested(
        str(accepted.log), quorum_words(policy), _times(accepted),
        [(name, str(witness.key)) for name, witness in policy.witnesses.items()],
        await signers(db, package),
        await _organisation(db, package, promise), await _stamp(db, package, promise),
        await queries.tools(db, package),
        await queries.reports(db, package),
    )  # fmt: skip


async def signers(db: AsyncSession, package: Package) -> Sequence[Signer]:
    """By person, means and key; hand-overs that are withheld are nobody's."""
    rows = await db.execute(_SIGNED, {"package": package.id, "entries": f"{package.number}/ledger/%.event"})
    return [Signer(row.who, row.means, row.key, row.entries) for row in rows]


def _times(accepted: Accepted) -> list[tuple[str, datetime]]:
    return [(name, datetime.fromtimestamp(time, UTC)) for name, time in sorted(accepted.witnessed.items())]


async def _organisation(db: AsyncSession, package: Package, promise: Promise) -> Organisation | None:
    if promise.organisation == NONE:
        return None
    content = cms.ContentInfo.load(await queries.document(db, package, SIGNATURE))["content"]
    serial = content["signer_infos"][0]["sid"].chosen["serial_number"].native
    found = [x509.load_der_x509_certificate(choice.chosen.dump()) for choice in content["certificates"]]
    signer = next(certificate for certificate in found if certificate.serial_number == serial)
    root = await _root(db, package, ORGANISATION_CA)
    return Organisation(
        promise.organisation, signer.subject.rfc4514_string(), signer.fingerprint(SHA256()).hex(),
        root.fingerprint(SHA256()).hex(), _demonstration(signer, root),
    )  # fmt: skip


async def _stamp(db: AsyncSession, package: Package, promise: Promise) -> Stamp | None:
    if promise.timestamp == NONE:
        return None
    token = tsp.TimeStampResp.load(await queries.document(db, package, TIMESTAMP))["time_stamp_token"]
    at = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    root = await _root(db, package, TIMESTAMP_CA)
    return Stamp(at, root.fingerprint(SHA256()).hex(), _demonstration(root))


async def _root(db: AsyncSession, package: Package, path: str) -> x509.Certificate:
    return read_certificates(await queries.document(db, package, path), path)[-1]


def _demonstration(*certificates: x509.Certificate) -> bool:
    return any(DEMONSTRATION in certificate.subject.rfc4514_string().upper() for certificate in certificates)
