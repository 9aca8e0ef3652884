"""Events as their readers may see them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.errors import NotFound
from casemgmt.ledger.models import Entry


async def entry(db: AsyncSession, entry_id: int) -> Entry:
    """Raises NotFound for one the actor may not see."""
    found = await db.get(Entry, entry_id)
    if found is None:
        raise NotFound
    return found


async def entry_id_of(db: AsyncSession, stream: str, seq: int) -> int:
    """The id of the event with this number in its stream. Raises NotFound."""
    found = await db.scalar(select(Entry.id).where(Entry.stream == stream, Entry.stream_seq == seq))
    if found is None:
        raise NotFound
    return found
