"""Reads of people's keys: one's own, and for administrators everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from casemgmt.accounts.models import Passkey, PasskeyRevocation, Person
from casemgmt.core.errors import NotFound

SHOWN = 100  # keys of one person, revoked ones included


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key with its holder, and its end if it has one. Its attestation is not loaded."""

    row: Passkey
    person: Person
    ended: PasskeyRevocation | None

    @property
    def holds(self) -> bool:
        return self.ended is None


def _keys() -> Select[Passkey, Person, PasskeyRevocation]:
    return (
        select(Passkey, Person, PasskeyRevocation)
        .join(Person, Person.id == Passkey.person_id)
        .outerjoin(PasskeyRevocation, PasskeyRevocation.passkey_id == Passkey.id)
        .options(defer(Passkey.attestation), defer(Passkey.client_data))
    )


async def key(db: AsyncSession, key_id: int) -> HeldKey:
    """One key, or NotFound for one that is not the actor's to see."""
    row = (await db.execute(_keys().where(Passkey.id == key_id))).one_or_none()
    if row is None:
        raise NotFound
    return HeldKey(row[0], row[1], row[2])


async def held_by(db: AsyncSession, person_id: int) -> Sequence[HeldKey]:
    """A person's keys, newest first."""
    query = _keys().where(Passkey.person_id == person_id).order_by(Passkey.id.desc()).limit(SHOWN)
    return [HeldKey(row[0], row[1], row[2]) for row in await db.execute(query)]


async def pin_keys_of(db: AsyncSession, person_id: int) -> Sequence[str]:
    """Fingerprints of the keys behind a person's PINs that hold, newest first."""
    return [key.row.fingerprint.hex() for key in await held_by(db, person_id) if key.row.kind == "pin" and key.holds]
