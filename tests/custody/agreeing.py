"""Two phones without a network: what they agree and sign, and how it comes to the server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from casemgmt.accounts import pin_keys
from casemgmt.accounts.schemas import NewPinKey
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.custody import agreement_queries, agreements, settling
from casemgmt.custody.agreement_queries import Agreed
from casemgmt.custody.agreements import Brought, NewAgreement
from casemgmt.exhibits.models import Exhibit
from casemgmt.reference import numbers
from casemgmt.trust.passkey import to_base64url as b64u
from casemgmt.trust.pin import enrolment
from tests.cast import Member, World
from tests.trust.phones import Phone, SignedRecord, offer_of


@dataclass(frozen=True)
class Pair:
    offer: SignedRecord
    answer: SignedRecord

    @property
    def id(self) -> str:
        return str(offer_of(self.offer)["id"])

    def sent(self, *, keys: bool = True) -> dict[str, Any]:
        """What a phone sends."""
        said: dict[str, Any] = {
            "offer": b64u(self.offer.body), "offer_signature": b64u(self.offer.signature),
            "answer": b64u(self.answer.body), "answer_signature": b64u(self.answer.signature),
        }  # fmt: skip
        return said | ({"keys": [b64u(self.offer.spki), b64u(self.answer.spki)]} if keys else {})


@dataclass
class Border:
    """Officers and their phones. A phone's key is enrolled when its officer is first seen, unless told otherwise."""

    database: Database
    codes: Codes
    dba: asyncpg.Connection
    phones: dict[int, Phone] = field(default_factory=dict)

    async def phone(self, who: Member, *, enrolled: bool = True) -> Phone:
        if who.id not in self.phones:
            badge = await self.dba.fetchval("select badge from accounts.person where id = $1", who.id)
            self.phones[who.id] = Phone(who.login, who.name, badge)
            if enrolled:
                await self.enrol(who)
        return self.phones[who.id]

    async def enrol(self, who: Member, phone: Phone | None = None) -> int:
        phone = phone or self.phones[who.id]
        person = self.codes.encode("person", who.id)
        proof = phone.private.sign(enrolment(person, phone.device), ec.ECDSA(SHA256()))
        said = NewPinKey(
            spki=b64u(phone.key.spki), proof=b64u(proof), device=uuid.UUID(phone.device), name="Android"
        )  # fmt: skip
        async with self.database.begin(who.actor) as db:
            return await pin_keys.enrol(db, who.actor, person, "http://localhost:8000", said)

    async def agree(
        self, giver: Member, receiver: Member, exhibits: Sequence[Exhibit | str], *, at: datetime | None = None,
        said: Sequence[Mapping[str, Any]] = (), after: str | None = None, seals: Sequence[str | None] = (),
        answered: timedelta = timedelta(minutes=2), **more: Any,
    ) -> Pair:  # fmt: skip
        """Both sign. ``said``: what the receiver says of each; unless told otherwise they accept what they see."""
        at = at or utcnow()
        shown = [_shown(e, seals[n] if seals else None) for n, e in enumerate(exhibits)]
        items = [item | ({"after": after} if after else {}) for item in shown]
        offer = (await self.phone(giver)).offer(items, at=_clock(at), **({"place": "Ak-Tilek"} | more))
        replies = [_accepted(item) | dict(said[n] if said else {}) for n, item in enumerate(shown)]
        replies = [{name: value for name, value in reply.items() if value is not None} for reply in replies]
        answer = (await self.phone(receiver)).answer(offer, replies, at=_clock(at + answered))
        return Pair(offer, answer)

    async def bring(self, who: Member, pair: Pair, **more: Any) -> Brought:
        return await agreements.bring(self.database, who.actor, NewAgreement(**pair.sent(**more)))


def _shown(exhibit: Exhibit | str, seal: str | None) -> dict[str, Any]:
    if isinstance(exhibit, str):
        return {"exhibit": exhibit, "what": "DRUG"}
    seal = exhibit.seal_no if seal is None else seal
    return {"exhibit": exhibit.number, "what": exhibit.category, **({"seal": seal} if seal else {})}


def _accepted(item: Mapping[str, Any]) -> dict[str, Any]:
    seen = {"seal": item["seal"], "seal_state": "intact"} if "seal" in item else {}
    return {"exhibit": item["exhibit"], "decision": "accepted", **seen}


def _clock(moment: datetime) -> str:
    """As the phone's clock at +06:00 shows it."""
    return (moment + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "+06:00"


async def state(border: Border, who: Member, pair: Pair) -> Agreed:
    """How the pair stands, as this person sees it."""
    async with border.database.begin(who.actor) as db:
        found = await agreement_queries.seen(db)
    return next(one for one in found if one.agreement.offer == pair.offer.body)


async def next_exhibit(border: Border, world: World) -> str:
    """The number that Aida's next seizure will have: a phone knows it from its block."""
    code, year = world.codes["post"], utcnow().year
    last = await border.dba.fetchval(
        "select last from accounts.serial s join accounts.unit u on u.id = s.unit_id"
        " where u.code = $1 and s.kind = 'seizure' and s.year = $2",
        code, year)  # fmt: skip
    return numbers.make_exhibit(numbers.make(numbers.Kind.SEIZURE, year=year, unit=code, serial=(last or 0) + 1), 1)


async def work(dsn: Any, limit: int = 50) -> int:
    """One round of the background worker."""
    connection = await asyncpg.connect(dsn.sequencer)
    try:
        return await settling.settle_waiting(connection, limit)
    finally:
        await connection.close()


async def send(api: httpx.AsyncClient, pair: Pair, **more: Any) -> httpx.Response:
    return await api.post("/api/v1/agreements", json=pair.sent(**more))
