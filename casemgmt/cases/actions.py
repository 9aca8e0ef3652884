"""What changes a case. Every change is an event of the case's stream in the same transaction.

The event is written before the rows: it locks the stream, so that two changes of one case queue there and nowhere
else, and it is still allowed when the change takes the case out of the actor's own sight.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Person
from casemgmt.cases import queries, rules
from casemgmt.cases.models import CaseFile, CaseKey, CaseLink, CaseMember, CaseSeizure
from casemgmt.cases.schemas import NewCase
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Invalid, NotFound, SentBefore
from casemgmt.core.i18n import N_
from casemgmt.reference import numbers
from casemgmt.reference.fold import KeyKind, search_keys
from casemgmt.reference.lists import LINK_REASONS
from casemgmt.seizures.models import Seizure

_WAIT_FOR_REPEAT = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_NEXT_SERIAL = text("select accounts.next_serial(:unit, 'case_file', :year)")


async def open_case(
    db: AsyncSession, actor: Actor, data: NewCase, zone: tzinfo, *, unit_id: int | None = None
) -> tuple[CaseFile, bool]:
    """The case, led by the actor, and whether it is new: the same ``client_id`` opens no second one.

    ``zone`` decides in which year it is numbered. Raises Forbidden for whoever may open none in ``unit_id``.
    """
    post = rules.opening_post(actor, unit_id)
    await db.execute(_WAIT_FOR_REPEAT, {"name": f"case:{actor.id}:{data.client_id}"})
    known = await db.scalar(
        select(CaseFile).where(CaseFile.opened_by == actor.id, CaseFile.client_id == data.client_id)
    )
    if known is not None:
        if (known.title, known.summary, known.unit_id) != (data.title, data.summary, post.unit_id):
            raise SentBefore
        return known, False
    year = utcnow().astimezone(zone).year
    serial = (await db.execute(_NEXT_SERIAL, {"unit": post.unit_id, "year": year})).scalar_one()
    number = numbers.make(numbers.Kind.CASE_FILE, year=year, unit=post.unit_code or "", serial=serial)
    row = insert(CaseFile).values(
        client_id=data.client_id, number=number, agency_id=post.agency_id, unit_id=post.unit_id,
        title=data.title, summary=data.summary,
    )  # fmt: skip
    case = (await db.scalars(row.returning(CaseFile))).one()
    await _record(db, actor, case, "cases:case:opened", {
        "title": case.title, "summary": case.summary, "status": case.status,
        "unit": {"code": post.unit_code, "name": post.unit}, "agency": post.agency,
    })  # fmt: skip
    await db.execute(insert(CaseMember).values(case_id=case.id, person_id=actor.id, role="lead"))
    await _make_findable(db, case)
    return case, True


async def change_status(db: AsyncSession, actor: Actor, case: CaseFile, status: str, note: str = "") -> None:
    """Along the allowed transitions only."""
    rules.must_lead(actor, case, await queries.roles_of(db, case, actor.id))
    await set_status(db, actor, case, status, note)


async def set_status(db: AsyncSession, actor: Actor, case: CaseFile, status: str, note: str) -> None:
    """``change_status`` for actions that have checked already who may."""
    await _lock(db, case)
    now = (await db.execute(select(CaseFile.status).where(CaseFile.id == case.id))).scalar_one()
    rules.check_transition(now, status)
    await _record(db, actor, case, "cases:case:status", {"from": now, "to": status, "note": note})
    await db.execute(update(CaseFile).where(CaseFile.id == case.id).values(status=status))


async def add_member(db: AsyncSession, actor: Actor, case: CaseFile, person: Person, role: str) -> None:
    rules.must_lead(actor, case, await queries.roles_of(db, case, actor.id))
    if role not in rules.MEMBER_ROLES:
        raise Invalid({"role": N_("Choose one of the given values.")})
    await _record(db, actor, case, "cases:member:added", {"person": _who(person), "role": role})
    row = upsert(CaseMember).values(case_id=case.id, person_id=person.id, role=role).on_conflict_do_nothing()
    if (await db.execute(row.returning(CaseMember.id))).one_or_none() is None:
        raise Invalid({"person": N_("This person is on the team already.")})


async def remove_member(db: AsyncSession, actor: Actor, case: CaseFile, person: Person, reason: str) -> None:
    """End a membership; it stays in the history. The last lead cannot leave."""
    rules.must_lead(actor, case, await queries.roles_of(db, case, actor.id))
    await _lock(db, case)
    team = await queries.members(db, case)
    if all(member.person_id != person.id for member in team):
        raise NotFound
    if not any(member.role == "lead" and member.person_id != person.id for member in team):
        raise Invalid({"person": N_("Somebody must lead the case: name another lead first.")})
    await _record(db, actor, case, "cases:member:left", {"person": _who(person), "reason": reason})
    membership = (CaseMember.case_id == case.id, CaseMember.person_id == person.id, CaseMember.left_at.is_(None))
    await db.execute(update(CaseMember).where(*membership).values(left_at=utcnow()))


async def add_seizure(db: AsyncSession, actor: Actor, case: CaseFile, seizure: Seizure, reason: str = "") -> None:
    """Put a seizure that the actor sees into the case. A seizure of another agency is shared with nobody by that."""
    rules.must_work(actor, case, await queries.roles_of(db, case, actor.id))
    await _record(
        db, actor, case, "cases:seizure:added", {"seizure": seizure.number, "reason": reason}, seizure_id=seizure.id
    )
    row = upsert(CaseSeizure).values(case_id=case.id, seizure_id=seizure.id, reason=reason).on_conflict_do_nothing()
    if (await db.execute(row.returning(CaseSeizure.id))).one_or_none() is None:
        raise Invalid({"seizure": N_("This seizure is in the case already.")})


async def remove_seizure(db: AsyncSession, actor: Actor, case: CaseFile, seizure: Seizure, reason: str) -> None:
    rules.must_work(actor, case, await queries.roles_of(db, case, actor.id))
    await _record(
        db, actor, case, "cases:seizure:removed", {"seizure": seizure.number, "reason": reason}, seizure_id=seizure.id
    )
    place = (CaseSeizure.case_id == case.id, CaseSeizure.seizure_id == seizure.id, CaseSeizure.left_at.is_(None))
    change = update(CaseSeizure).where(*place).values(left_at=utcnow()).returning(CaseSeizure.id)
    if (await db.execute(change)).one_or_none() is None:
        raise NotFound


async def link(
    db: AsyncSession, actor: Actor, case: CaseFile, other: CaseFile, reason: str, *, note: str = ""
) -> CaseLink:
    """Say what two cases have in common.

    Each case gets an event that names the link and not the other case, which its readers may not be allowed to know
    of; who reads both events knows that they belong together.
    """
    rules.must_work(actor, case, await queries.roles_of(db, case, actor.id))
    rules.check_reason(LINK_REASONS, reason, note)
    if other.id == case.id:
        raise Invalid({"case": N_("This is the case itself.")})
    for one in sorted((case, other), key=lambda c: c.number):
        await _lock(db, one)
    row = upsert(CaseLink).values(case_id=case.id, other_id=other.id, reason=reason, note=note)
    made = (await db.scalars(row.on_conflict_do_nothing().returning(CaseLink))).one_or_none()
    if made is None:
        raise Invalid({"case": N_("These two cases are linked for this reason already.")})
    for one in (case, other):
        await _record(db, actor, one, "cases:link:made", {"link": made.id, "reason": reason})
    return made


async def _record(
    db: AsyncSession,
    actor: Actor,
    case: CaseFile,
    type_: str,
    data: Mapping[str, Any],
    *,
    seizure_id: int | None = None,
) -> None:
    await events.record(
        db, actor, type_, f"case:{case.number}", {"case": case.number, **data}, case_id=case.id, seizure_id=seizure_id
    )


async def _lock(db: AsyncSession, case: CaseFile) -> None:
    """Wait for other changes of this case, so that what is read next stays true until the end."""
    await db.execute(text("select seq from ledger.head(:stream)"), {"stream": f"case:{case.number}"})


async def _make_findable(db: AsyncSession, case: CaseFile) -> None:
    keys = search_keys(KeyKind.NUMBER, case.number) | search_keys(KeyKind.NAME, case.title)
    owner = {"case_id": case.id, "unit_id": case.unit_id, "agency_id": case.agency_id, "ntk": case.ntk}
    await db.execute(insert(CaseKey), [{"key": key, **owner} for key in sorted(keys)])


def _who(person: Person) -> dict[str, Any]:
    return {"id": person.id, "name": person.name, "badge": person.badge}
