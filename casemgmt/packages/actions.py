"""Taking a package out of the house: never without a reason on record."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases import queries as case_queries
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.ledger.queries import entry_id_of
from casemgmt.packages import queries
from casemgmt.packages.errors import NotComplete
from casemgmt.packages.models import Package
from casemgmt.packages.schemas import NewDownload
from casemgmt.trust.events import Event


async def record_download(db: AsyncSession, actor: Actor, package: Package, data: NewDownload) -> int:
    """Record who takes the package and why; returns the event's id, which lets the same person fetch it for a week.

    Raises NotComplete while the seal's own proof is missing.
    """
    if not await queries.is_complete(db, package):
        raise NotComplete
    case = await case_queries.case(db, package.case_id)
    said = {"package": package.number, "reason": data.reason}
    body = await events.record(db, actor, queries.DOWNLOADED, f"case:{case.number}", said, case_id=case.id)
    event = Event.parse(body)
    return await entry_id_of(db, event.stream, event.seq)
