"""From what was gathered to a package that lacks only its seal: lists, graph, reports, signature, timestamp.

No database here: signing asks tokens and authorities that may take their time, and no transaction waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import structlog

from casemgmt.packages.case_graph.graph import CaseRecord, case_graph
from casemgmt.packages.errors import NoTimestamp, NotSigned
from casemgmt.packages.gathering import Sealing
from casemgmt.packages.report.model import Report
from casemgmt.packages.report.render import render
from casemgmt.packages.workshop import Workshop
from casemgmt.signing.authority import Authorities
from casemgmt.signing.errors import NoTimestampError, SigningError
from casemgmt.signing.signer import OrganisationSigner
from casemgmt.trust.contents import ORGANISATION_CA, TIMESTAMP_CA, Accompanying
from casemgmt.trust.kit import documents
from casemgmt.trust.package import Prepared, prepare
from casemgmt.trust.promise import NONE, Promise

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made. The report is written in each of ``languages``."""

    number: str
    bagged_on: date
    sealing: Sealing
    report: Report
    languages: Sequence[str]
    observations: Mapping[str, bytes]


async def make(workshop: Workshop, plan: Plan) -> Prepared:
    """Raises TrustError for records that do not prove themselves, NoTimestamp and NotSigned."""
    signer, authorities = workshop.signing.signer, workshop.signing.authorities
    pages = await asyncio.gather(*(asyncio.to_thread(render, plan.report, name) for name in plan.languages))
    reports = dict(zip(plan.languages, pages, strict=True))
    try:
        try:
            return await _made(plan, reports, signer, authorities)
        except NoTimestampError as error:
            if not workshop.without_timestamp:
                raise
            log.warning("packages.without_timestamp", package=plan.number, reasons=error.reasons)
            return await _made(plan, reports, signer and signer.without_timestamps(), None)
    except NoTimestampError as error:
        log.warning("packages.no_timestamp", package=plan.number, reasons=error.reasons)
        raise NoTimestamp from error
    except SigningError as error:
        log.warning("packages.not_signed", package=plan.number, error=str(error))
        raise NotSigned from error


async def _made(
    plan: Plan, reports: Mapping[str, bytes], signer: OrganisationSigner | None, authorities: Authorities | None
) -> Prepared:
    promise, keys = Promise(), {}
    if signer is not None:
        reports = {language: await _signed(signer, pdf, plan) for language, pdf in reports.items()}
        report = f"PAdES-{signer.level}" if reports else NONE
        promise = replace(promise, organisation=f"CAdES-{signer.level}", report=report)
        keys[ORGANISATION_CA] = (await asyncio.to_thread(signer.chain)).issuers_pem
    if authorities is not None:
        promise = replace(promise, timestamp="RFC3161")
        keys[TIMESTAMP_CA] = authorities.chain_pem
    prepared = await asyncio.to_thread(_prepared, plan, reports, promise, keys)
    signature, timestamp = await asyncio.gather(
        _signature(signer, prepared.tag_manifest), _timestamp(authorities, prepared.tag_manifest)
    )
    return prepared.signed(signature, timestamp)


async def _signed(signer: OrganisationSigner, pdf: bytes, plan: Plan) -> bytes:
    return await signer.sign_pdf(pdf, reason=f"Custody report of package {plan.number}")


async def _signature(signer: OrganisationSigner | None, content: bytes) -> bytes | None:
    return None if signer is None else await signer.sign_detached(content)


async def _timestamp(authorities: Authorities | None, content: bytes) -> bytes | None:
    return None if authorities is None else (await authorities.stamp(content)).response


def _prepared(plan: Plan, reports: Mapping[str, bytes], promise: Promise, keys: Mapping[str, bytes]) -> Prepared:
    gathered, case = plan.sealing.gathered, plan.sealing.case
    record = CaseRecord(
        gathered.checkpoint.origin, case.number, case.title, plan.sealing.agency, gathered.shown_entries,
        [file.row for file in gathered.shown_files],
    )  # fmt: skip
    guides = documents(plan.number, gathered.checkpoint.origin, gathered.checkpoint.size)
    beside = Accompanying(
        guides=guides, graph=case_graph(record), promise=promise,
        observations=plan.observations, reports=reports, keys=keys,
    )  # fmt: skip
    return prepare(
        plan.number, bagged_on=plan.bagged_on, files=gathered.files, events=gathered.events, policy=gathered.policy,
        beside=beside,
    )  # fmt: skip
