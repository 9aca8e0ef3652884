"""What sealing writes: the number it draws first, and at the end the package, its parts and its events at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
from casemgmt.packages.models import Attempt, Package
from casemgmt.packages.ordering import Order
from casemgmt.reference import numbers
from casemgmt.trust import withheld
from casemgmt.trust.package import Prepared
from casemgmt.trust.seal import SEALED
from casemgmt.trust.zip import Entry

NARROWED = "packages:package:narrowed"

_NEXT_SERIAL = text("select accounts.next_serial(:unit, 'package', :year)")
_ADD_PARTS = text(
    "insert into packages.part(package_id, ord, path, size, crc32, sha256, data, file_id)"
    " select :package, * from unnest(cast(:ords as int[]), cast(:paths as text[]), cast(:sizes as bigint[]),"
    " cast(:crcs as bigint[]), cast(:hashes as bytea[]), cast(:contents as bytea[]), cast(:files as bigint[]))"
)
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
    await _add_parts(db, package, prepared.unproven(body), sealing.gathered)
    return package


async def _add_parts(db: AsyncSession, package: Package, entries: Sequence[Entry], gathered: Gathered) -> None:
    """Everything there is, in few statements; place 0 stays free for the seal's proof."""
    for first in range(0, len(entries), _AT_ONCE):
        some = entries[first : first + _AT_ONCE]
        values = {
            "package": package.id,
            "ords": list(range(first + 1, first + 1 + len(some))),
            "paths": [entry.path for entry in some],
            "sizes": [entry.size for entry in some],
            "crcs": [entry.crc32 for entry in some],
            "hashes": [bytes.fromhex(entry.sha256) for entry in some],
            "contents": [entry.source if isinstance(entry.source, bytes) else None for entry in some],
            "files": [gathered.rows[entry.source].id if isinstance(entry.source, str) else None for entry in some],
        }
        await db.execute(_ADD_PARTS, values)


async def _next_number(db: AsyncSession, actor: Actor, case: CaseFile, zone: tzinfo) -> str:
    post, year = rules.sealing_post(actor, case), utcnow().astimezone(zone).year
    serial = (await db.execute(_NEXT_SERIAL, {"unit": post.unit_id, "year": year})).scalar_one()
    return numbers.make(numbers.Kind.PACKAGE, year=year, unit=post.unit_code or "", serial=serial)
