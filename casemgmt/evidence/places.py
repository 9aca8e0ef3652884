"""The record a file is for: asked for before its bytes come, and once more when they are kept."""

from __future__ import annotations

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.errors import NotFound
from casemgmt.evidence import rules
from casemgmt.evidence.schemas import NewFile

_ASK = "select evidence.ask($1, $2, $3, $4)"
_PLACE = text("select * from evidence.place(:seizure_id, :exhibit_id)")


class Place(msgspec.Struct, frozen=True):
    """Numbers of the seizure and the exhibit, the seizure's unit, and who holds or was offered the exhibit."""

    seizure_id: int
    seizure: str
    exhibit: str | None
    unit_id: int
    holder_id: int | None
    offered_to: int | None

    def check_may_add(self, actor: Actor) -> None:
        """Raises Forbidden unless the actor may add a file here."""
        rules.check_may_add(actor, self.unit_id, {self.holder_id, self.offered_to} - {None})


class _Asked(msgspec.Struct, frozen=True):
    place: Place
    earlier: int | None


async def ask(database: Database, actor: Actor, data: NewFile) -> tuple[Place, int | None]:
    """The place, and the id of the file the actor sent under this ``client_id`` before. One round trip.

    Raises NotFound for a record the actor does not see, Forbidden for one they may not add to.
    """
    raw = await database.call(_ASK, actor.token, data.seizure_id, data.exhibit_id, data.client_id)
    asked = msgspec.json.decode(raw, type=_Asked)
    asked.place.check_may_add(actor)
    return asked.place, asked.earlier


async def ask_again(db: AsyncSession, actor: Actor, data: NewFile) -> Place:
    """The place as it is in this transaction. Raises as ``ask`` does: much can happen while bytes stream."""
    found = (await db.execute(_PLACE, {"seizure_id": data.seizure_id, "exhibit_id": data.exhibit_id})).one_or_none()
    if found is None:
        raise NotFound
    place = msgspec.convert(found, Place, from_attributes=True)
    place.check_may_add(actor)
    return place
