"""What a package's page says about the evidence inside: three separate signs, and every remark."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.i18n import N_, Text
from casemgmt.core.parts import Sign
from casemgmt.custody.models import CustodyEvent
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence.refusals import BY_REASON
from casemgmt.exhibits.models import Exhibit
from casemgmt.packages import queries
from casemgmt.packages.attested import signers
from casemgmt.packages.models import Package
from casemgmt.packages.queries import Content
from casemgmt.packages.withholding import WITHHELD
from casemgmt.packages.writing import NARROWED
from casemgmt.trust.events import EXHIBIT_STREAM
from casemgmt.trust.withheld import ENTRY, parse_withheld
from casemgmt.trust.withheld import PATH as WITHHELD_LIST

_REMARKS = 200
_NOT_INTACT = {"damaged", "missing", "differs"}


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a reader must not miss. ``detail`` is a code of ``code_list``, or else somebody's own words."""

    at: datetime
    subject: str
    text: Text
    detail: Text | str = ""
    code_list: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    exhibits: Sequence[Exhibit]
    signs: Sequence[Sign]
    remarks: Sequence[Remark]


async def facts(db: AsyncSession, package: Package, files: Sequence[Content]) -> Facts:
    body = json.loads(await queries.seal_event(db, package))
    heads: dict[str, dict[str, Any]] = body["data"]["exhibits"]
    query = select(Exhibit).where(Exhibit.number.in_(heads)).order_by(Exhibit.number)
    exhibits = (await db.scalars(query)).all()
    custody = await _custody(db, exhibits)
    numbers = {exhibit.id: exhibit.number for exhibit in exhibits}
    disputed = {numbers[e.exhibit_id] for e in custody if e.kind == "disputed"}
    custody_sign = await _custody_sign(db, package, exhibits, disputed)
    signs = [await _files_sign(db, files), custody_sign, _seals_sign(exhibits, custody)]
    return Facts(exhibits, signs, await _remarks(db, package, exhibits, custody))


async def _custody(db: AsyncSession, exhibits: Sequence[Exhibit]) -> Sequence[CustodyEvent]:
    query = select(CustodyEvent).where(CustodyEvent.exhibit_id.in_([e.id for e in exhibits]))
    return (await db.scalars(query.order_by(CustodyEvent.exhibit_id, CustodyEvent.seq))).all()


async def _files_sign(db: AsyncSession, files: Sequence[Content]) -> Sign:
    name = N_("Files unchanged")
    checks = await evidence_queries.latest_fixity(db, {entry.file.id for entry in files})
    bad = sum(check.outcome in ("changed", "missing") for check in checks.values())
    fine = [check.at for check in checks.values() if check.outcome == "unchanged"]
    last = max((check.at for check in checks.values()), default=None)
    if bad:
        return Sign(name, "bad", N_("Not as they were received: %(bad)s of %(all)s stored files.",
                                    bad=bad, all=len(files)), last)  # fmt: skip
    if not files:
        return Sign(name, "unknown", N_("There are no files in this package."))
    if len(fine) < len(files):
        return Sign(name, "unknown", N_("Read again since they were received: %(checked)s of %(all)s files.",
                                        checked=len(fine), all=len(files)), last)  # fmt: skip
    return Sign(name, "ok", N_("Every file (%(all)s) was read again and has the hash it was received with.",
                               all=len(files)), min(fine))  # fmt: skip


async def _custody_sign(db: AsyncSession, package: Package, exhibits: Sequence[Exhibit], disputed: Set[str]) -> Sign:
    """With a remark for whatever of it nobody can check as well as a passkey: the same rule as verify.html's."""
    whole = N_(
        "Every chain of custody (%(all)s) was checked when the package was sealed: no event is missing, each names the "
        "one before it, and all are in the ledger.",
        all=len(exhibits),
    )
    name, by = N_("Custody unbroken"), Counter[str]()
    for signer in await signers(db, package):
        by[signer.means if signer.means in ("passkey", "pin") else "session"] += signer.entries
    listed = await queries.document(db, package, WITHHELD_LIST)
    rows = parse_withheld(listed) if listed else []
    hidden = sum(row.kind == ENTRY and row.stream.startswith(EXHIBIT_STREAM) for row in rows)
    if disputed:
        words = N_(
            "Disputed at some time, see the remarks: %(numbers)s. The chains (%(all)s) were whole when the package was "
            "sealed.",
            numbers=", ".join(sorted(disputed)), all=len(exhibits),
        )  # fmt: skip
        return Sign(name, "warn", words, package.created_at)
    if not (by["pin"] or by["session"] or hidden):
        return Sign(name, "ok", whole, package.created_at)
    remark = N_(
        "The chains (%(all)s) were whole when the package was sealed. Hand-over entries signed with passkeys: "
        "%(passkey)s; by PIN, which is weaker: %(pin)s; signed in only: %(session)s; withheld entries, any of which "
        "may be a hand-over: %(hidden)s.",
        all=len(exhibits), passkey=by["passkey"], pin=by["pin"], session=by["session"], hidden=hidden,
    )  # fmt: skip
    return Sign(name, "warn", remark, package.created_at)


def _seals_sign(exhibits: Sequence[Exhibit], custody: Sequence[CustodyEvent]) -> Sign:
    name = N_("Seals intact")
    # Whoever refused an exhibit for its seal saw it last, though the record keeps what its holder saw.
    last_seen = {event.exhibit_id: event.seal_state for event in custody if event.seal_state is not None}
    broken = [e.number for e in exhibits if {e.seal_state, last_seen.get(e.id)} & _NOT_INTACT]
    sealed = [e for e in exhibits if e.seal_no]
    differed = any(event.discrepancy for event in custody)
    if broken:
        return Sign(name, "bad", N_("Seal damaged, missing or different: %(numbers)s.", numbers=", ".join(broken)))
    if not sealed:
        return Sign(name, "unknown", N_("None of the exhibits has a seal on record."))
    if differed:
        return Sign(name, "warn", N_("A seal differed at a hand-over; see the remarks."))
    if len(sealed) < len(exhibits):
        return Sign(name, "warn", N_("With a seal, intact when last seen: %(sealed)s of %(all)s exhibits.",
                                     sealed=len(sealed), all=len(exhibits)))  # fmt: skip
    return Sign(name, "ok", N_("Every seal was intact when it was last seen."))


async def _remarks(
    db: AsyncSession, package: Package, exhibits: Sequence[Exhibit], custody: Sequence[CustodyEvent]
) -> list[Remark]:
    numbers = {exhibit.id: exhibit.number for exhibit in exhibits}
    found: list[Remark] = []
    for event in custody:
        number = numbers[event.exhibit_id]
        if event.kind == "disputed":
            words = N_("Disputed: two people agreed otherwise, and it did not take effect.")
            found.append(Remark(event.at, number, words, event.reason or "", "dispute_reasons"))
        elif event.kind == "resolved":
            found.append(Remark(event.at, number, N_("A dispute was resolved."), event.note or ""))
        elif event.kind == "refused":
            found.append(
                Remark(event.at, number, N_("A hand-over was refused."), event.reason or "", "refusal_reasons")
            )
        elif event.discrepancy:
            found.append(Remark(event.at, number, N_("Accepted with a discrepancy."), event.discrepancy))
        elif event.seal_state in _NOT_INTACT:
            found.append(Remark(event.at, number, N_("The seal was not intact."), ""))
    for seizure_id in package.seizure_ids:
        for refusal in await evidence_queries.refusals_of_seizure(db, seizure_id):
            why = BY_REASON[refusal.reason].default if refusal.reason in BY_REASON else refusal.reason
            found.append(Remark(refusal.at, refusal.original_name, N_("A file was not taken in."), why))
    for told in await queries.told(db, package):
        if told.type == NARROWED:
            words = N_("Not in this package: %(numbers)s.", numbers=", ".join(told.data["left_out"]))
            found.append(Remark(told.at, told.data["seizure"], words, told.data["reason"]))
        elif told.type == WITHHELD:
            words = N_(
                "Withheld, and proved to exist: files %(files)s, ledger entries %(entries)s.",
                files=told.data["files"], entries=told.data["entries"],
            )  # fmt: skip
            found.append(Remark(told.at, package.number, words, told.data["words"]))
    return sorted(found, key=lambda remark: remark.at)[-_REMARKS:]
