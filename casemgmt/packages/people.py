"""Who signed what goes into a package: signatures of custody events, and the ledger's record of the signers' keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.custody.models import AssertionRow, SignatureRow
from casemgmt.custody.signatures import made_of, signer_entries
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import PublicKey
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.signers import ENROLLED, Means

Place = tuple[str, int]
"""An entry by its stream and its number there."""


async def signatures(db: AsyncSession, exhibits: Mapping[int, str]) -> dict[Place, PersonalSignature]:
    """Of the custody events of these exhibits (numbers by id), those signed with a key."""
    query = (
        select(SignatureRow.exhibit_id, SignatureRow.seq, AssertionRow)
        .join(AssertionRow, AssertionRow.id == SignatureRow.assertion_id)
        .where(SignatureRow.exhibit_id.in_(exhibits))
    )
    made: dict[int, PersonalSignature] = {}
    found: dict[Place, PersonalSignature] = {}
    for exhibit_id, seq, row in await db.execute(query):
        if row.id not in made:
            made[row.id] = PersonalSignature(row.statement, made_of(row), PublicKey(row.spki))
        found[f"exhibit:{exhibits[exhibit_id]}", seq] = made[row.id]
    return found


async def key_entries(
    db: AsyncSession, exhibits: Mapping[int, str], shown: Iterable[Event]
) -> Sequence[tuple[int, bytes]]:
    """Entry ids and bodies of every stream of keys of somebody who signed one of the events ``shown``, whole."""
    used = {means.key for means in map(Means.of, shown) if means is not None and means.key is not None}
    if not used:
        return []
    rows = await signer_entries(db, list(exhibits))
    events = [(row, Event.parse(row.body)) for row in rows]
    streams = {event.stream for _, event in events if event.type in ENROLLED and event.data.get("key") in used}
    return [(row.id, row.body) for row, event in events if event.stream in streams]
