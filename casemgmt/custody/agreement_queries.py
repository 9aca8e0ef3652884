"""Reads of what was agreed without a network. One that the actor may not see is not found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.errors import NotFound
from casemgmt.custody.agreement_models import (
    Agreement,
    AgreementBringing,
    AgreementItem,
    AgreementOutcome,
    AgreementWaiting,
)
from casemgmt.custody.agreement_rules import Why
from casemgmt.custody.models import CustodyEvent, Handover
from casemgmt.custody.pipeline import Party
from casemgmt.custody.queries import parties

PAGE = 50


@dataclass(frozen=True, slots=True)
class Agreed:
    """One agreement as it stands. ``state``: waiting, settled, disputed or resolved; ``why`` of the first and third.

    ``brought``: by whom it came to the server and when, first to last. ``decided_at``: when it last changed its state.
    """

    agreement: Agreement
    giver: Party
    receiver: Party
    items: Sequence[AgreementItem]
    state: str
    why: Sequence[Why]
    brought: Sequence[tuple[Party, datetime]] = ()
    handover_id: int | None = None
    number: str | None = None
    decided_at: datetime | None = None
    resolved_by: Party | None = None
    outcome: str | None = None
    words: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in {"waiting", "disputed"}


async def agreement(db: AsyncSession, agreement_id: int) -> Agreed:
    found = await db.get(Agreement, agreement_id)
    if found is None:
        raise NotFound
    return (await _described(db, [found]))[0]


async def by_name(db: AsyncSession, name: str) -> Agreed:
    """By its own identifier: the pair that took effect, otherwise the one that came first."""
    try:
        wanted = UUID(name)
    except ValueError as error:
        raise NotFound from error
    query = select(Agreement).where(Agreement.client_id == wanted).order_by(Agreement.id).limit(20)
    found = await _described(db, (await db.scalars(query)).all())
    if not found:
        raise NotFound
    return next((one for one in found if one.state == "settled"), found[0])


async def seen(db: AsyncSession, *, before: int | None = None, limit: int = PAGE) -> Sequence[Agreed]:
    """Every agreement the actor sees, newest first."""
    return await _page(db, None, before, limit)


async def still_open(
    db: AsyncSession, *, person_id: int | None = None, before: int | None = None, limit: int = PAGE
) -> Sequence[Agreed]:
    """Those that wait or are disputed; of one person, or all that the actor sees. Newest first."""
    decided = select(AgreementOutcome.agreement_id).where(
        AgreementOutcome.agreement_id == Agreement.id, AgreementOutcome.kind.in_(("settled", "resolved"))
    )
    where = ~decided.exists()
    if person_id is not None:
        where &= or_(Agreement.from_id == person_id, Agreement.to_id == person_id)
    return await _page(db, where, before, limit)


async def of_exhibit(db: AsyncSession, number: str, *, limit: int = 20) -> Sequence[Agreed]:
    """Those that wait or are disputed about an exhibit and that the actor sees, newest first."""
    named = select(AgreementItem.agreement_id).where(
        AgreementItem.exhibit == number, AgreementItem.agreement_id == Agreement.id
    )
    found = await _page(db, named.exists(), None, limit)
    return [one for one in found if one.is_open]


async def open_disputes(db: AsyncSession, exhibit_ids: Sequence[int]) -> dict[int, int]:
    """How many disputes of each exhibit are not resolved; exhibits without any are left out."""
    query = (
        select(CustodyEvent.exhibit_id, CustodyEvent.agreement_id, CustodyEvent.kind)
        .where(CustodyEvent.exhibit_id.in_(exhibit_ids), CustodyEvent.kind.in_(("disputed", "resolved")))
        .limit(5000)
    )
    stands: dict[tuple[int, int | None], int] = {}
    for row in await db.execute(query):
        place = (row.exhibit_id, row.agreement_id)
        stands[place] = stands.get(place, 0) + (1 if row.kind == "disputed" else -1)
    found: dict[int, int] = {}
    for (exhibit_id, _), count in stands.items():
        if count > 0:
            found[exhibit_id] = found.get(exhibit_id, 0) + count
    return found


async def _page(
    db: AsyncSession, where: ColumnElement[bool] | None, before: int | None, limit: int
) -> Sequence[Agreed]:
    query = select(Agreement).order_by(Agreement.id.desc()).limit(limit)
    if where is not None:
        query = query.where(where)
    if before is not None:
        query = query.where(Agreement.id < before)
    return await _described(db, (await db.scalars(query)).all())


async def _described(db: AsyncSession, rows: Sequence[Agreement]) -> Sequence[Agreed]:
    ids = [row.id for row in rows]
    items: dict[int, list[AgreementItem]] = {i: [] for i in ids}
    for item in await db.scalars(
        select(AgreementItem).where(AgreementItem.agreement_id.in_(ids)).order_by(AgreementItem.exhibit)
    ):
        items[item.agreement_id].append(item)
    outcomes: dict[int, dict[str, AgreementOutcome]] = {i: {} for i in ids}
    for outcome in await db.scalars(select(AgreementOutcome).where(AgreementOutcome.agreement_id.in_(ids))):
        outcomes[outcome.agreement_id][outcome.kind] = outcome
    waiting = await db.scalars(select(AgreementWaiting).where(AgreementWaiting.agreement_id.in_(ids)))
    waits = {row.agreement_id: row.why for row in waiting}
    brought = (
        await db.scalars(
            select(AgreementBringing).where(AgreementBringing.agreement_id.in_(ids)).order_by(AgreementBringing.at)
        )
    ).all()
    settled = [o["settled"].handover_id for o in outcomes.values() if "settled" in o]
    made = await db.execute(select(Handover.id, Handover.number).where(Handover.id.in_(settled)))
    numbers = {row.id: row.number for row in made}
    resolvers = [o["resolved"].person_id for o in outcomes.values() if "resolved" in o]
    ids_of_people = {p for row in rows for p in (row.from_id, row.to_id)} | {p for p in resolvers if p is not None}
    people = await parties(db, sorted(ids_of_people | {b.person_id for b in brought}))
    return [
        _one(
            row, people, items[row.id], outcomes[row.id], waits.get(row.id, []), numbers,
            [(people[b.person_id], b.at) for b in brought if b.agreement_id == row.id],
        )
        for row in rows
    ]  # fmt: skip


def _one(
    row: Agreement,
    people: dict[int, Party],
    items: Sequence[AgreementItem],
    outcomes: dict[str, AgreementOutcome],
    waits: list[dict[str, str]],
    numbers: dict[int, str],
    brought: Sequence[tuple[Party, datetime]],
) -> Agreed:
    state = next((kind for kind in ("resolved", "disputed", "settled") if kind in outcomes), "waiting")
    decided = outcomes.get(state)
    said = outcomes["disputed"].why or [] if "disputed" in outcomes else waits if state == "waiting" else []
    handover_id = outcomes["settled"].handover_id if "settled" in outcomes else None
    resolved = outcomes.get("resolved")
    return Agreed(
        row, people[row.from_id], people[row.to_id], items, state,
        [Why(one["code"], one.get("exhibit")) for one in said], brought, handover_id, numbers.get(handover_id or 0),
        decided.at if decided else None, people[resolved.person_id or 0] if resolved else None,
        resolved.outcome if resolved else None, resolved.words if resolved else None,
    )  # fmt: skip
