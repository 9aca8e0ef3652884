"""Aida and Nurlan with keys on their phones: enrolled and used through the product's own actions."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import pytest
from litestar import Litestar

from casemgmt.accounts import keys
from casemgmt.accounts.keys import Site
from casemgmt.accounts.models import Passkey
from casemgmt.core.db import Database
from casemgmt.custody import signing
from casemgmt.custody.schemas import Answer, Decision, NewOffer, OfferedExhibit
from casemgmt.custody.signing import Pending, Rules
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.queries import by_ids
from casemgmt.trust.passkey import to_base64url
from casemgmt.walkthrough.authenticator import SoftAuthenticator
from tests.cast import Member, World
from tests.custody.conftest import Desk
from tests.records import Registered, register_seizure

SITE = Site("localhost", "http://localhost:8000")
RULES = Rules(SITE, allow_synced=True)


@dataclass
class Holder:
    """Somebody with a key: their device, and the key as the system knows it."""

    member: Member
    device: SoftAuthenticator
    key: Passkey

    def signs(self, pending: Pending) -> dict[str, Any]:
        return self.device.get(pending.options)


class Holds(Protocol):
    """Somebody with a key of either kind."""

    member: Member
    key: Passkey

    def signs(self, pending: Pending) -> dict[str, Any]: ...


async def begun(database: Database, member: Member) -> dict[str, Any]:
    """Creation options as after the right password: the challenge is written by the gate role."""
    challenge = secrets.token_bytes(32)
    await database.gate(
        "select accounts.begin_enrolment($1, $2, $3)", member.actor.token, challenge, timedelta(minutes=5)
    )
    return {"rp": {"id": "localhost"}, "challenge": to_base64url(challenge)}


async def with_key(database: Database, member: Member, **options: Any) -> Holder:
    device = SoftAuthenticator("http://localhost:8000", **options)
    made = device.create(await begun(database, member))
    key = await keys.enrol(database, member.actor, SITE, made, name="phone", allow_synced=True)
    return Holder(member, device, key)


@dataclass(frozen=True)
class Signers(Desk):
    """The desk of the custody tests, and what is signed at it."""

    def code(self, holder: Holds) -> str:
        return self.codes.encode("passkey", holder.key.id)

    async def prepared(self, giver: Holds, to: Member, exhibits: list[Exhibit], **more: Any) -> uuid.UUID:
        made = await self.prepare(giver, to, exhibits, **more)
        assert isinstance(made, uuid.UUID)
        return made

    async def prepare(self, giver: Holds, to: Member, exhibits: list[Exhibit], **more: Any) -> uuid.UUID | int:
        async with self.database.begin(giver.member.actor) as db:
            fresh = {e.id: e for e in await by_ids(db, [e.id for e in exhibits])}
        items = [
            OfferedExhibit(
                exhibit=self.codes.encode("exhibit", e.id), seq=fresh[e.id].last_seq,
                prev=fresh[e.id].last_hash.hex(), seal=e.seal_no or "",
            )
            for e in exhibits
        ]  # fmt: skip
        values = {"client_id": uuid.uuid4(), "purpose": "storage", **more}
        data = NewOffer(to=self.codes.encode("person", to.id), exhibits=items, **values)
        return await signing.prepare_offer(self.database, giver.member.actor, data, self.code(giver), self.codes, RULES)

    async def pending(self, holder: Holds, request: uuid.UUID) -> Pending:
        async with self.database.begin(holder.member.actor) as db:
            return await signing.pending(db, holder.member.actor, request)

    async def sign(self, holder: Holds, request: uuid.UUID, credential: object = None) -> int:
        if credential is None:
            credential = holder.signs(await self.pending(holder, request))
        return await signing.sign(self.database, holder.member.actor, request, credential, RULES)

    async def signed_offer(self, giver: Holds, to: Member, exhibits: list[Exhibit], **more: Any) -> int:
        return await self.sign(giver, await self.prepared(giver, to, exhibits, **more))

    async def prepared_answer(self, who: Holds, handover: int, *decisions: Decision) -> uuid.UUID:
        return await signing.prepare_answer(
            self.database, who.member.actor, handover, Answer(items=list(decisions)), self.code(who), self.codes, RULES
        )

    async def signed_answer(self, who: Holds, handover: int, *decisions: Decision) -> int:
        return await self.sign(who, await self.prepared_answer(who, handover, *decisions))


@pytest.fixture
def desk(app: Litestar) -> Signers:
    return Signers(app.state.database, app.state.codes)


@pytest.fixture
async def made(world: World, database: Database) -> Registered:
    return await register_seizure(database, world.aida, "B-1001", "B-1002", None)


@pytest.fixture
async def aida(world: World, database: Database) -> Holder:
    return await with_key(database, world.aida)


@pytest.fixture
async def nurlan(world: World, database: Database) -> Holder:
    return await with_key(database, world.nurlan)


Enrol = Callable[..., Awaitable[Holder]]
