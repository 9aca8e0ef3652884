"""A hand-over as the tests make it: Aida's sealed packages, offered to Nurlan of the store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from litestar import Litestar

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.custody import actions, queries
from casemgmt.custody.queries import Full
from casemgmt.custody.schemas import Answer, Decision, NewOffer, OfferedExhibit
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.queries import by_ids
from tests.cast import Member, World
from tests.records import Registered, register_seizure


@dataclass(frozen=True)
class Desk:
    """What the tests do, through the product's own actions."""

    database: Database
    codes: Codes

    async def offer(self, giver: Member, to: Member, exhibits: list[Exhibit], **more: Any) -> int:
        fresh = {e.id: e for e in await self.exhibits(giver, exhibits)}
        seals = more.pop("seals", None) or [e.seal_no or "" for e in exhibits]
        items = [
            OfferedExhibit(
                exhibit=self.codes.encode("exhibit", e.id),
                seq=fresh[e.id].last_seq,
                prev=fresh[e.id].last_hash.hex(),
                seal=s,
            )
            for e, s in zip(exhibits, seals, strict=True)
        ]
        values = {"client_id": uuid.uuid4(), "purpose": "storage", **more}
        data = NewOffer(to=self.codes.encode("person", to.id), exhibits=items, **values)
        return await actions.offer(self.database, giver.actor, data, self.codes)

    def decide(self, exhibit: Exhibit, decision: str, **more: str) -> Decision:
        return Decision(exhibit=self.codes.encode("exhibit", exhibit.id), decision=decision, **more)  # type: ignore[arg-type]

    def accept(self, exhibit: Exhibit, **more: str) -> Decision:
        seen = {"seal": exhibit.seal_no or "", "seal_state": "intact"} | more
        return self.decide(exhibit, "accepted", **seen)

    def refuse(self, exhibit: Exhibit, reason: str = "seal_differs", **more: str) -> Decision:
        return self.decide(exhibit, "refused", reason=reason, **more)

    def withdraw(self, exhibit: Exhibit) -> Decision:
        return self.decide(exhibit, "withdrawn")

    async def answer(self, who: Member, handover: int, *decisions: Decision, **more: Any) -> None:
        await actions.answer(self.database, who.actor, handover, Answer(items=list(decisions), **more), self.codes)

    async def exhibits(self, who: Member, exhibits: list[Exhibit]) -> list[Exhibit]:
        async with self.database.begin(who.actor) as db:
            return list(await by_ids(db, [e.id for e in exhibits]))

    async def full(self, who: Member, handover: int) -> Full:
        async with self.database.begin(who.actor) as db:
            return await queries.handover(db, handover)


@pytest.fixture
def desk(app: Litestar) -> Desk:
    return Desk(app.state.database, app.state.codes)


@pytest.fixture
async def made(world: World, database: Database) -> Registered:
    return await register_seizure(database, world.aida, "B-1001", "B-1002", None)
