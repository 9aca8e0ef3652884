"""Officers with a key behind their phone's PIN, enrolled through the product's own action."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from casemgmt.accounts import key_queries, pin_keys
from casemgmt.accounts.models import Passkey
from casemgmt.accounts.schemas import NewPinKey
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.custody.signing import Pending
from casemgmt.walkthrough.phone_key import PhoneKey
from tests.cast import Member

ORIGIN = "http://localhost:8000"


@dataclass
class PinHolder:
    """Takes the place of a ``Holder``: their phone, and the key as the system knows it."""

    member: Member
    phone: PhoneKey
    key: Passkey

    def signs(self, pending: Pending) -> dict[str, Any]:
        return self.phone.credential(pending.request.statement)


async def enrol(database: Database, codes: Codes, member: Member, phone: PhoneKey, **more: Any) -> int:
    person = codes.encode("person", member.id)
    said = {**phone.enrolment(person), "name": "Android", **more}
    data = NewPinKey(**{**said, "device": uuid.UUID(said["device"])})
    async with database.begin(member.actor) as db:
        return await pin_keys.enrol(db, member.actor, person, ORIGIN, data)


async def with_pin(database: Database, codes: Codes, member: Member, phone: PhoneKey | None = None) -> PinHolder:
    phone = phone or PhoneKey()
    key_id = await enrol(database, codes, member, phone)
    async with database.begin(member.actor) as db:
        return PinHolder(member, phone, (await key_queries.key(db, key_id)).row)
