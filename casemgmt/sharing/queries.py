"""Reads of grants and referrals. A grant is seen by the unit that owns the record and by those it was given to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, case, func, literal_column, null, select
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts import queries as accounts
from casemgmt.accounts.models import Agency, Unit
from casemgmt.cases.models import CaseFile
from casemgmt.core.errors import NotFound
from casemgmt.core.i18n import PN_, Text
from casemgmt.seizures.models import Seizure
from casemgmt.sharing.models import Grant, GrantEnd, Referral

MOST = 200
_MY_PRINCIPALS: ColumnElement[list[int]] = literal_column("(select access.principals())::bigint[]")


@dataclass(frozen=True, slots=True)
class Given:
    """A grant as a person reads it. ``until`` None has no end; ``state`` is live, early, lapsed or ended."""

    id: int
    seizure_id: int | None
    case_id: int | None
    to_id: int
    to: str
    purpose: str
    note: str
    with_seizures: bool
    onward: bool
    starts_at: datetime
    until: datetime | None
    given_by: str
    given_by_id: int
    given_at: datetime
    by_referral: bool
    state: str
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None

    @property
    def state_words(self) -> tuple[Text, str]:
        """The state and the colour that repeats it."""
        return _STATES[self.state]


_STATES: Mapping[str, tuple[Text, str]] = {
    "live": (PN_("state of a grant", "In force"), "ok"),
    "early": (PN_("state of a grant", "Not begun yet"), "info"),
    "lapsed": (PN_("state of a grant", "Expired"), "quiet"),
    "ended": (PN_("state of a grant", "Withdrawn"), "quiet"),
}

_STATE = case(
    (GrantEnd.grant_id.is_not(None), "ended"),
    (Grant.until <= func.now(), "lapsed"),
    (Grant.starts_at > func.now(), "early"),
    else_="live",
)
# 'infinity' has no Python datetime
_UNTIL = case((func.isfinite(Grant.until), Grant.until), else_=null().cast(TIMESTAMP(timezone=True)))


async def grants_of_seizure(db: AsyncSession, seizure_id: int) -> Sequence[Given]:
    return await _given(db, Grant.seizure_id == seizure_id)


async def grants_of_case(db: AsyncSession, case_id: int) -> Sequence[Given]:
    return await _given(db, Grant.case_id == case_id)


async def grant(db: AsyncSession, grant_id: int) -> Given:
    """The grant, or NotFound when there is none the actor may see."""
    found = await _given(db, Grant.id == grant_id)
    if not found:
        raise NotFound
    return found[0]


async def _given(db: AsyncSession, condition: ColumnElement[bool]) -> Sequence[Given]:
    query = (
        select(
            Grant.id, Grant.seizure_id, Grant.case_id, Grant.to_id, Grant.purpose, Grant.note, Grant.with_seizures,
            Grant.onward, Grant.starts_at, _UNTIL.label("until"), Grant.given_by, Grant.given_at, Grant.referral_id,
            _STATE.label("state"), GrantEnd.at, GrantEnd.ended_by, GrantEnd.reason,
        )
        .outerjoin(GrantEnd, GrantEnd.grant_id == Grant.id)
        .where(condition)
        .order_by(Grant.id.desc())
        .limit(MOST)
    )  # fmt: skip
    rows = (await db.execute(query)).all()
    names = await accounts.names(db, {i for row in rows for i in (row.to_id, row.given_by, row.ended_by)})
    return [_as_given(row, names) for row in rows]


def _as_given(row: Row[tuple[object, ...]], names: Mapping[int, str]) -> Given:
    values = row._mapping
    return Given(
        **{name: values[name] for name in _PLAIN},
        to=names.get(values["to_id"], ""),
        given_by=names.get(values["given_by"], ""),
        given_by_id=values["given_by"],
        by_referral=values["referral_id"] is not None,
        ended_at=values["at"],
        ended_by=names.get(values["ended_by"]),
        end_reason=values["reason"],
    )


_PLAIN = (
    "id", "seizure_id", "case_id", "to_id", "purpose", "note", "with_seizures", "onward", "starts_at", "until",
    "given_at", "state",
)  # fmt: skip


def live() -> ColumnElement[bool]:
    """The condition that a grant is in force now."""
    return and_(Grant.starts_at <= func.now(), Grant.until > func.now(), ~withdrawn())


def withdrawn() -> ColumnElement[bool]:
    return select(GrantEnd.grant_id).where(GrantEnd.grant_id == Grant.id).exists()


async def may_refer(db: AsyncSession, case_file: CaseFile, seizures: Collection[Seizure]) -> dict[int, datetime | None]:
    """Which of these seizures the actor may refer with the case, and until when (None: without end).

    Those of the case's own agency; another agency's only under a grant to the actor, their unit or their agency that
    allows it, and no longer than that grant lasts.
    """
    allowed: dict[int, datetime | None] = {s.id: None for s in seizures if s.agency_id == case_file.agency_id}
    foreign = [s.id for s in seizures if s.agency_id != case_file.agency_id]
    if foreign:
        mine = Grant.to_id == func.any(_MY_PRINCIPALS)
        longest = func.max(Grant.until)
        query = (
            select(Grant.seizure_id, case((func.isfinite(longest), longest), else_=null()).label("until"))
            .where(Grant.seizure_id.in_(foreign), Grant.onward, mine, live())
            .group_by(Grant.seizure_id)
        )
        allowed.update({row.seizure_id: row.until for row in await db.execute(query)})
    return allowed


@dataclass(frozen=True, slots=True)
class Referred:
    id: int
    to: str
    by: str
    at: datetime
    qualification: str
    note: str


async def referrals(db: AsyncSession, case_id: int) -> Sequence[Referred]:
    query = select(Referral).where(Referral.case_id == case_id).order_by(Referral.id.desc()).limit(50)
    rows = (await db.scalars(query)).all()
    names = await accounts.names(db, {i for row in rows for i in (row.to_id, row.made_by)})
    return [
        Referred(r.id, names.get(r.to_id, ""), names.get(r.made_by, ""), r.at, r.qualification, r.note) for r in rows
    ]


async def prosecution_units(db: AsyncSession) -> Sequence[tuple[Unit, str]]:
    """Units a case may be referred to, with their agency's name."""
    query = (
        select(Unit, Agency.name)
        .join(Agency, Agency.id == Unit.agency_id)
        .where(Agency.kind == "prosecution")
        .order_by(Agency.name, Unit.name)
        .limit(500)
    )
    return [(row[0], row[1]) for row in await db.execute(query)]
