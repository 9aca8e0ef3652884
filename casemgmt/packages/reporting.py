"""What the custody report of a package says, beside what its own entries say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.packages.errors import NotSigned
from casemgmt.packages.gathering import Sealing
from casemgmt.packages.report.gathering import Sealing as Reported
from casemgmt.packages.report.gathering import report_of
from casemgmt.packages.report.model import Certificate, Person, Report
from casemgmt.packages.workshop import Workshop
from casemgmt.signing.errors import SigningError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class About:
    """Who will sign and stamp."""

    certificate: Certificate | None
    demonstration: bool


def about_signing(workshop: Workshop) -> About:
    """Blocks while a token is asked for the first time. Raises NotSigned."""
    signing = workshop.signing
    try:
        if signing.signer is None:
            return About(None, signing.demonstration())
        chain = signing.signer.chain()
        return About(Certificate(subject=chain.subject, fingerprint=chain.fingerprint), signing.demonstration())
    except SigningError as error:
        log.warning("packages.not_signed", error=str(error))
        raise NotSigned from error


async def report_for(
    db: AsyncSession,
    workshop: Workshop,
    actor: Actor,
    number: str,
    sealing: Sealing,
    about: About,
    pictures: Mapping[str, bytes],
) -> Report:
    """``pictures`` are JPEGs by path in the package. Raises TrustError for records that do not prove themselves."""
    case, gathered, authorities = sealing.case, sealing.gathered, workshop.signing.authorities
    chosen = [choice for choice in sealing.choices if choice.chosen]
    left_out = {c.seizure.number: [exhibit.number for exhibit in c.left_out] for c in chosen if c.left_out}
    return await report_of(db, Reported(
        number=number, case_number=case.number, case_title=case.title, made_at=utcnow(),
        made_by=Person(name=actor.name, badge=actor.badge), agency=sealing.agency, zone=workshop.zone,
        seizures=[choice.seizure for choice in chosen], files=gathered.files, events=gathered.events,
        policy=gathered.policy, left_out=left_out, previews=pictures, certificate=about.certificate,
        authorities=[] if authorities is None else authorities.names, demonstration=about.demonstration,
    ))  # fmt: skip
