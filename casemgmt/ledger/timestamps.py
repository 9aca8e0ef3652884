"""Reads of the ledger's timestamps. They are public: hashes, times and the names of authorities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.errors import NotFound
from casemgmt.ledger.models import Timestamp

PAGE = 50


@dataclass(frozen=True, slots=True)
class Outage:
    """No authority has given a timestamp since then; ``problem`` is what each of them answered, a line each."""

    since: datetime
    problem: str


_OUTAGE = text("select failing_since, problem from ledger.timestamp_state where failing_since is not null")


async def newest(db: AsyncSession, *, below: int | None = None, limit: int = PAGE) -> Sequence[Timestamp]:
    """Newest first; ``below`` is the size of the last one of the page before."""
    query = select(Timestamp).order_by(Timestamp.size.desc()).limit(limit)
    if below is not None:
        query = query.where(Timestamp.size < below)
    return (await db.scalars(query)).all()


async def up_to(db: AsyncSession, size: int) -> Timestamp | None:
    """The newest timestamp over a checkpoint of at most that size: what a package proved at ``size`` can point to."""
    query = select(Timestamp).where(Timestamp.size <= size).order_by(Timestamp.size.desc()).limit(1)
    return (await db.scalars(query)).one_or_none()


async def of_size(db: AsyncSession, size: int) -> Timestamp:
    """Raises NotFound."""
    found = await db.get(Timestamp, size)
    if found is None:
        raise NotFound
    return found


async def outage(db: AsyncSession) -> Outage | None:
    row = (await db.execute(_OUTAGE)).first()
    return None if row is None else Outage(row.failing_since, row.problem)
