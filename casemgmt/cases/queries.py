"""Reads of cases. Row-level security decides what exists; a hidden case is not found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import column, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from casemgmt.accounts.models import Person
from casemgmt.cases.models import CaseFile, CaseLink, CaseMember, CaseSeizure
from casemgmt.core.actor import Actor
from casemgmt.core.errors import NotFound
from casemgmt.core.i18n import N_
from casemgmt.exhibits.models import Exhibit
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.scopes import Scope, scopes_of

PAGE = 50
TEAM = Scope("team", N_("I am on the team"))
# The one view through which case reach is read: my own rows of it.
_MY_CASE_REACH = table("my_case_reach", column("case_id"), schema="access")


@dataclass(frozen=True, slots=True)
class Member:
    person_id: int
    name: str
    badge: str
    role: str
    since: datetime


@dataclass(frozen=True, slots=True)
class InCase:
    """A seizure of a case that the actor may see."""

    seizure: Seizure
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """The other end of a link, from wherever one looks."""

    link: CaseLink
    other: CaseFile


def case_scopes(actor: Actor) -> list[Scope]:
    """The tabs of the list: what I work on first, then my unit's (or, for an auditor, the agency's) and shared ones."""
    return [TEAM, *scopes_of(actor)]


async def case(db: AsyncSession, case_id: int) -> CaseFile:
    """The case, or NotFound when there is none the actor may see."""
    found = await db.get(CaseFile, case_id)
    if found is None:
        raise NotFound
    return found


async def in_scope(
    db: AsyncSession, actor: Actor, scope: Scope, *, after: int | None = None, limit: int = PAGE
) -> tuple[Sequence[CaseFile], bool]:
    """Newest first, and whether there are more. ``after`` is the id of the last case of the page before."""
    query = select(CaseFile).order_by(CaseFile.id.desc()).limit(limit + 1)
    mine = select(CaseMember.case_id).where(CaseMember.person_id == actor.id, CaseMember.left_at.is_(None))
    if scope == TEAM:
        query = query.where(CaseFile.id.in_(mine))
    elif scope.unit_id is not None:
        query = query.where(CaseFile.unit_id == scope.unit_id)
    elif scope.agency_id is not None:
        query = query.where(CaseFile.agency_id == scope.agency_id)
    else:
        reached = select(_MY_CASE_REACH.c.case_id)
        query = query.where(CaseFile.id.in_(reached), CaseFile.unit_id.not_in(actor.unit_ids), CaseFile.id.not_in(mine))
    if after is not None:
        query = query.where(CaseFile.id < after)
    rows = (await db.scalars(query)).all()
    return rows[:limit], len(rows) > limit


async def members(db: AsyncSession, case: CaseFile) -> Sequence[Member]:
    query = (
        select(CaseMember.person_id, Person.name, Person.badge, CaseMember.role, CaseMember.since)
        .join(Person, Person.id == CaseMember.person_id)
        .where(CaseMember.case_id == case.id, CaseMember.left_at.is_(None))
        .order_by(CaseMember.role, Person.name)
        .limit(200)
    )
    return [Member(*row) for row in await db.execute(query)]


async def roles_of(db: AsyncSession, case: CaseFile, person_id: int) -> Collection[str]:
    """What the person is in the case now: nothing, or one role."""
    query = select(CaseMember.role).where(
        CaseMember.case_id == case.id, CaseMember.person_id == person_id, CaseMember.left_at.is_(None)
    )
    return set((await db.scalars(query)).all())


async def seizures(db: AsyncSession, case: CaseFile) -> Sequence[InCase]:
    """Those of the case's seizures that the actor may see, oldest first; at most 500."""
    query = (
        select(Seizure, CaseSeizure.reason, CaseSeizure.since)
        .join(CaseSeizure, CaseSeizure.seizure_id == Seizure.id)
        .where(CaseSeizure.case_id == case.id, CaseSeizure.left_at.is_(None))
        .order_by(CaseSeizure.id)
        .limit(500)
    )
    return [InCase(*row) for row in await db.execute(query)]


async def cases_of_seizure(db: AsyncSession, seizure_id: int) -> Sequence[CaseFile]:
    """The cases this seizure is in, as far as the actor may see them."""
    query = (
        select(CaseFile)
        .join(CaseSeizure, CaseSeizure.case_id == CaseFile.id)
        .where(CaseSeizure.seizure_id == seizure_id, CaseSeizure.left_at.is_(None))
        .order_by(CaseFile.id)
        .limit(50)
    )
    return (await db.scalars(query)).all()


async def exhibits(
    db: AsyncSession, case: CaseFile, *, words: str = "", after: int = 0, limit: int = PAGE
) -> tuple[Sequence[Exhibit], bool]:
    """Exhibits of the case's visible seizures by id, and whether there are more. ``words``: in number, seal or text."""
    of_case = select(CaseSeizure.seizure_id).where(CaseSeizure.case_id == case.id, CaseSeizure.left_at.is_(None))
    query = (
        select(Exhibit).where(Exhibit.seizure_id.in_(of_case), Exhibit.id > after).order_by(Exhibit.id).limit(limit + 1)
    )
    for word in words.split()[:8]:
        query = query.where(
            or_(*(c.icontains(word, autoescape=True) for c in (Exhibit.number, Exhibit.description, Exhibit.seal_no)))
        )
    rows = (await db.scalars(query)).all()
    return rows[:limit], len(rows) > limit


async def links(db: AsyncSession, case: CaseFile) -> Sequence[Linked]:
    """Links to and from the case whose other end the actor sees as well."""
    other = aliased(CaseFile)
    found: list[Linked] = []
    for mine, theirs in ((CaseLink.case_id, CaseLink.other_id), (CaseLink.other_id, CaseLink.case_id)):
        query = select(CaseLink, other).join(other, other.id == theirs).where(mine == case.id).limit(200)
        found.extend(Linked(*row) for row in await db.execute(query))
    return sorted(found, key=lambda linked: linked.link.id)
