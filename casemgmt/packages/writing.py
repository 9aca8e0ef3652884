"""What sealing writes: the number it draws first, and at the end the package, its parts and its events at once."""

from __future__ import annotations

import hashlib
from datetime import tzinfo

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases.models import CaseFile
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import SentBefore
from casemgmt.packages import rules, withholding
from casemgmt.packages.gathering import Gathered, Sealing
from casemgmt.packages.models import Attempt, Package, Part
from casemgmt.packages.ordering import Order
from casemgmt.reference import numbers
from casemgmt.trust import withheld
from casemgmt.trust.package import Prepared
from casemgmt.trust.seal import SEALED

NARROWED = "packages:package:narrowed"

_NEXT_SERIAL = text("select accounts.next_serial(:unit, 'package', :year)")
_AT_ONCE = 500  # parts in one statement


async def number_of(db: AsyncSession, actor: Actor, case: CaseFile, order: Order, zone: tzinfo) -> str:
    """The number of what was sent: drawn the first time, the same ever after. Raises SentBefore for another case."""
    mine = Attempt.sealed_by == actor.id, Attempt.client_id == order.client_id
    known = (await db.scalars(select(Attempt).where(*mine))).one_or_none()
    if known is None:
        row = upsert(Attempt).values(
            client_id=order.client_id, case_id=case.id, number=await _next_number(db, actor, case, zone)
        )
        await db.execute(row.on_conflict_do_nothing(index_elements=["sealed_by", "client_id"]))
        known = (await db.scalars(select(Attempt).where(*mine))).one()
    if known.case_id != case.id:
        raise SentBefore
    return known.number


async def write(db: AsyncSession, actor: Actor, order: Order, sealing: Sealing, prepared: Prepared) -> Package:
    """All of it in the caller's transaction; the seal's proof comes later, at place 0."""
    case, choices = sealing.case, sealing.choices
    row = insert(Package).values(
        client_id=order.client_id, number=prepared.name, case_id=case.id, ledger_size=prepared.checkpoint.size,
        seizure_ids=[choice.seizure.id for choice in choices if choice.chosen],
        tagmanifest_sha256=hashlib.sha256(prepared.tag_manifest).digest(),
        withheld=prepared.promise.withheld, asked=order.asked,
    )  # fmt: skip
    package = (await db.scalars(row.returning(Package))).one()
    stream = f"case:{case.number}"
    for choice in choices:
        if choice.left_out:
            said = {
                "package": package.number,
                "seizure": choice.seizure.number,
                "left_out": [exhibit.number for exhibit in choice.left_out],
                "reason": order.reason.strip(),
            }
            # one event for each seizure: it is seen by those who see that seizure, and by nobody else
            await events.record(db, actor, NARROWED, stream, said, case_id=case.id, seizure_id=choice.seizure.id)
    if order.withheld:
        listed = hashlib.sha256(prepared.documents[withheld.PATH]).hexdigest()
        told = withholding.said(package.number, order.withheld, listed)
        await events.record(db, actor, withholding.WITHHELD, stream, told, case_id=case.id)
    body = await events.record(db, actor, SEALED, stream, prepared.seal_data(), case_id=case.id)
    parts = _parts(package, prepared, body, sealing.gathered)
    for first in range(0, len(parts), _AT_ONCE):
        await db.execute(insert(Part), parts[first : first + _AT_ONCE])
    return package


def _parts(package: Package, prepared: Prepared, body: bytes, gathered: Gathered) -> list[dict[str, object]]:
    """Rows for everything there is; place 0 stays free for the seal's proof."""
    return [
        {
            "package_id": package.id, "ord": place, "path": entry.path, "size": entry.size, "crc32": entry.crc32,
            "sha256": bytes.fromhex(entry.sha256),
            "data": entry.source if isinstance(entry.source, bytes) else None,
            "file_id": gathered.rows[entry.source].id if isinstance(entry.source, str) else None,
        }
        for place, entry in enumerate(prepared.unproven(body), 1)
    ]  # fmt: skip


async def _next_number(db: AsyncSession, actor: Actor, case: CaseFile, zone: tzinfo) -> str:
    post, year = rules.sealing_post(actor, case), utcnow().astimezone(zone).year
    serial = (await db.execute(_NEXT_SERIAL, {"unit": post.unit_id, "year": year})).scalar_one()
    return numbers.make(numbers.Kind.PACKAGE, year=year, unit=post.unit_code or "", serial=serial)
