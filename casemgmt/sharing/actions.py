"""Granting, ending a grant early, and referring a case. Events first, rows after: see ``cases.actions``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Agency, Unit
from casemgmt.cases import actions as cases
from casemgmt.cases import queries as case_queries
from casemgmt.cases import rules as case_rules
from casemgmt.cases.models import CaseFile
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Conflict, Forbidden, Invalid, NotFound, SentBefore
from casemgmt.core.i18n import N_
from casemgmt.seizures.models import Seizure
from casemgmt.sharing import queries, rules
from casemgmt.sharing.models import Grant, GrantEnd, Referral
from casemgmt.sharing.queries import Given
from casemgmt.sharing.receivers import Receiver
from casemgmt.sharing.schemas import NewGrant, NewReferral

_FOREVER = text("'infinity'::timestamptz")
_HEAD = text("select seq from ledger.head(:stream)")


@dataclass(frozen=True, slots=True)
class _Terms:
    """One grant to be: of which record, to whom, and how far it goes. ``until`` None has no end."""

    number: str
    of: Mapping[str, int]
    to: Receiver
    purpose: str
    until: datetime | None
    note: str = ""
    onward: bool = False
    with_seizures: bool = False
    referral: tuple[int, str] | None = None

    @property
    def stream(self) -> str:
        return f"sharing:{self.number}"

    def event(self) -> dict[str, Any]:
        return {
            "record": self.number,
            "to": {"id": self.to.id, "name": self.to.name},
            "purpose": self.purpose,
            "note": self.note,
            "onward": self.onward,
            "with_seizures": self.with_seizures,
            "until": events.timestamp(self.until) if self.until else None,
            "referral": self.referral[1] if self.referral else None,
        }

    def row(self) -> dict[str, Any]:
        return {
            **self.of,
            "to_id": self.to.id,
            "purpose": self.purpose,
            "note": self.note,
            "onward": self.onward,
            "with_seizures": self.with_seizures,
            "until": self.until or _FOREVER,
            "referral_id": self.referral[0] if self.referral else None,
        }


async def grant_seizure(
    db: AsyncSession, actor: Actor, seizure: Seizure, receiver: Receiver, data: NewGrant, *, zone: tzinfo
) -> Given:
    """Open a seizure to ``receiver`` to the end of the last day in ``zone``. The same grant again is the same one."""
    rules.must_supervise(actor, seizure.unit_id)
    rules.check_grant(data, utcnow().astimezone(zone).date(), of_case=False)
    return await _give_once(db, actor, _terms(seizure.number, {"seizure_id": seizure.id}, receiver, data, zone))


async def grant_case(
    db: AsyncSession, actor: Actor, case: CaseFile, receiver: Receiver, data: NewGrant, *, zone: tzinfo
) -> Given:
    """As ``grant_seizure``. With its seizures: those the case's own agency put into it, now and later."""
    rules.must_supervise(actor, case.unit_id)
    rules.check_grant(data, utcnow().astimezone(zone).date(), of_case=True)
    return await _give_once(db, actor, _terms(case.number, {"case_id": case.id}, receiver, data, zone))


def _terms(number: str, of: Mapping[str, int], to: Receiver, data: NewGrant, zone: tzinfo) -> _Terms:
    return _Terms(
        number, of, to, data.purpose, rules.end_of(data.until, zone),
        note=data.note, onward=data.onward, with_seizures=data.with_seizures,
    )  # fmt: skip


async def _give_once(db: AsyncSession, actor: Actor, terms: _Terms) -> Given:
    await db.execute(_HEAD, {"stream": terms.stream})  # two clicks on one button queue here
    same = [getattr(Grant, name) == value for name, value in terms.row().items() if name != "referral_id"]
    # not queries.live(): of two that waited, the second's now() is older than the first's grant
    same += [Grant.referral_id.is_(None), ~queries.withdrawn()]
    known = await db.scalar(select(Grant.id).where(*same).limit(1))
    if known is not None:
        return await queries.grant(db, known)
    await _record(db, actor, terms)
    row = insert(Grant).values(**terms.row())
    return await queries.grant(db, (await db.execute(row.returning(Grant.id))).scalar_one())


async def end_grant(db: AsyncSession, actor: Actor, given: Given, reason: str) -> None:
    """End a grant before its time; the grant and its end both stay on record.

    By a supervisor of the unit that owns the record, or by whoever gave it. Raises Conflict when it is over already.
    """
    number, unit_id = await _record_of(db, given)
    if not actor.holds("supervisor", unit_id) and given.given_by_id != actor.id:
        raise Forbidden(N_("Only a supervisor of the unit that owns this record, or who gave it, may end this."))
    if given.state == "lapsed":
        raise Conflict(N_("This grant has ended already."))
    of = {"seizure_id": given.seizure_id, "case_id": given.case_id}
    await events.record(
        db, actor, "sharing:grant:ended", f"sharing:{number}",
        {"record": number, "grant": given.id, "to": {"id": given.to_id, "name": given.to}, "reason": reason}, **of,
    )  # fmt: skip
    row = upsert(GrantEnd).values(grant_id=given.id, reason=reason).on_conflict_do_nothing()
    if (await db.execute(row.returning(GrantEnd.grant_id))).one_or_none() is None:
        raise Conflict(N_("This grant has ended already."))


async def refer(
    db: AsyncSession, actor: Actor, case: CaseFile, data: NewReferral, *, unit_id: int, seizure_ids: Collection[int]
) -> tuple[int, bool]:
    """Send the case with these of its seizures to a prosecution unit; the referral's id and whether it is new.

    What is not among ``seizure_ids`` stays hidden from the prosecutor, down to its existence: the case's own event
    tells no number and no count, each seizure has an event of its own. Another agency's seizure goes only where its
    grant allows it, and for as long. Raises Invalid beside ``unit`` or ``seizures``.
    """
    case_rules.must_lead(actor, case, await case_queries.roles_of(db, case, actor.id))
    await db.execute(_HEAD, {"stream": f"case:{case.number}"})
    known = await db.scalar(select(Referral).where(Referral.made_by == actor.id, Referral.client_id == data.client_id))
    if known is not None:
        said = (case.id, unit_id, data.qualification, data.note)
        if (known.case_id, known.to_id, known.qualification, known.note) != said:
            raise SentBefore
        return known.id, False
    await db.refresh(case)
    rules.check_can_refer(case.status)
    unit = await _prosecution_unit(db, unit_id)
    chosen, ends = await _referable(db, case, seizure_ids)
    await events.record(
        db, actor, "sharing:referral:made", f"case:{case.number}",
        {"case": case.number, "to": {"id": unit.id, "name": unit.name}, "qualification": data.qualification,
         "note": data.note, "referral": str(data.client_id)},
        case_id=case.id,
    )  # fmt: skip
    row = insert(Referral).values(
        client_id=data.client_id, case_id=case.id, to_id=unit.id, qualification=data.qualification, note=data.note
    )
    referral = ((await db.execute(row.returning(Referral.id))).scalar_one(), str(data.client_id))
    to = Receiver("unit", unit.id, unit.name)
    grants = [_Terms(case.number, {"case_id": case.id}, to, "prosecution", None, referral=referral)]
    grants += [_Terms(s.number, {"seizure_id": s.id}, to, "prosecution", ends[s.id], referral=referral) for s in chosen]
    for terms in grants:
        await _record(db, actor, terms, case_id=case.id)
    for terms in grants:
        await db.execute(insert(Grant).values(**terms.row()))
    if case.status != rules.REFERRED:
        await cases.set_status(db, actor, case, rules.REFERRED, "")
    return referral[0], True


async def _referable(
    db: AsyncSession, case: CaseFile, seizure_ids: Collection[int]
) -> tuple[Sequence[Seizure], dict[int, datetime | None]]:
    visible = {entry.seizure.id: entry.seizure for entry in await case_queries.seizures(db, case)}
    if not visible.keys() >= set(seizure_ids):
        raise Invalid({"seizures": N_("Choose among the seizures of this case.")})
    chosen = sorted((visible[i] for i in set(seizure_ids)), key=lambda s: s.number)
    ends = await queries.may_refer(db, case, chosen)
    for seizure in chosen:
        if seizure.id not in ends:
            not_allowed = N_("Seizure %(number)s belongs to another agency, which has not allowed it to be referred.",
                             number=seizure.number)  # fmt: skip
            raise Invalid({"seizures": not_allowed})
    return chosen, ends


async def _record(db: AsyncSession, actor: Actor, terms: _Terms, *, case_id: int | None = None) -> None:
    """The event of a grant. With ``case_id`` it is seen only by those who see the case as well."""
    about = {"case_id": case_id, **terms.of}
    await events.record(db, actor, "sharing:grant:given", terms.stream, terms.event(), **about)


async def _prosecution_unit(db: AsyncSession, unit_id: int) -> Unit:
    query = select(Unit).join(Agency, Agency.id == Unit.agency_id).where(Unit.id == unit_id)
    found = await db.scalar(query.where(Agency.kind == "prosecution"))
    if found is None:
        raise Invalid({"unit": N_("Choose a prosecution unit.")})
    return found


async def _record_of(db: AsyncSession, given: Given) -> tuple[str, int]:
    """The number and the owning unit of what a grant opens."""
    if given.seizure_id is not None:
        row = await db.execute(select(Seizure.number, Seizure.unit_id).where(Seizure.id == given.seizure_id))
    else:
        row = await db.execute(select(CaseFile.number, CaseFile.unit_id).where(CaseFile.id == given.case_id))
    found = row.one_or_none()
    if found is None:
        raise NotFound
    return found.number, found.unit_id
