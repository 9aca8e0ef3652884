"""By what means custody events are signed, and the files that show it to somebody with openssl."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.errors import NotFound
from casemgmt.custody.models import AssertionRow, SignatureRow
from casemgmt.trust.errors import PasskeyError
from casemgmt.trust.passkey import Assertion, PublicKey, verify
from casemgmt.trust.personal import FILES, PIN_FILES, RECORD, PersonalSignature
from casemgmt.trust.pin import PinSignature, verify_pin
from casemgmt.trust.signers import PASSKEY, PIN

Place = tuple[int, int]
"""A custody event: the exhibit's id and the event's number."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Signed:
    """An event is signed with a key. ``key`` is its fingerprint; ``synced``: it can be copied to other devices.

    ``means``: ``passkey``, or ``pin`` for a key that software keeps in one phone behind a PIN, which is weaker.
    ``agreed``: two phones without a network signed a record that the event repeats.

    ``fits``: the signature was verified just now. It is False only when somebody has changed the database.
    """

    key: str
    synced: bool
    at: datetime
    fits: bool = True
    means: str = PASSKEY
    agreed: bool = False

    @property
    def file_names(self) -> tuple[str, ...]:
        """Of the files of docs/spec/signature.md, those of this signature."""
        if self.means == PASSKEY:
            return FILES
        return (*PIN_FILES, RECORD) if self.agreed else PIN_FILES

    def described(self) -> dict[str, Any]:
        """A passkey says whether it is synced, and the key of a PIN that it is in one phone only."""
        return {"means": self.means, "key": self.key, "synced": self.synced, "fits": self.fits}


def described(signed: Signed | None) -> dict[str, Any]:
    """For machines: by what means."""
    return signed.described() if signed else {"means": "session"}


async def of_handover(db: AsyncSession, handover_id: int) -> dict[Place, Signed]:
    """The signed events of a hand-over; what is missing is signed in only."""
    return await _signed(db, AssertionRow.handover_id == handover_id)


async def of_exhibit(db: AsyncSession, exhibit_id: int) -> dict[Place, Signed]:
    """The signed events of an exhibit's chain."""
    return await _signed(db, SignatureRow.exhibit_id == exhibit_id)


async def files(db: AsyncSession, exhibit_id: int, seq: int) -> Mapping[str, bytes]:
    """The files of docs/spec/signature.md by name; NotFound for an event without a signature, or not to be seen."""
    query = (
        select(AssertionRow)
        .join(SignatureRow, SignatureRow.assertion_id == AssertionRow.id)
        .where(SignatureRow.exhibit_id == exhibit_id, SignatureRow.seq == seq)
    )
    found = await db.scalar(query)
    if found is None:
        raise NotFound
    return PersonalSignature(found.statement, made_of(found), PublicKey(found.spki)).files()


def made_of(row: AssertionRow) -> Assertion | PinSignature:
    """What the key gave, by its means."""
    if row.client_data is None or row.authenticator_data is None:
        return PinSignature(row.signature, row.record)
    return Assertion(row.client_data, row.authenticator_data, row.signature)


async def signer_entries(db: AsyncSession, exhibit_ids: list[int]) -> list[Any]:
    """The ledger's whole stream of keys of everybody who signed an event of these exhibits, for packages.

    Rows of ``id`` (of the ledger entry), ``stream``, ``stream_seq``, ``type``, ``body``, ``leaf_hash``, by stream and
    number. Of an exhibit the actor does not see there are none.
    """
    found = await db.execute(text("select * from access.signer_entries(:ids)"), {"ids": exhibit_ids})
    return list(found.all())


async def _signed(db: AsyncSession, where: ColumnElement[bool]) -> dict[Place, Signed]:
    query = (
        select(SignatureRow.exhibit_id, SignatureRow.seq, AssertionRow)
        .join(AssertionRow, AssertionRow.id == SignatureRow.assertion_id)
        .where(where)
        .limit(2000)
    )
    made: dict[int, Signed] = {}
    found: dict[Place, Signed] = {}
    for exhibit_id, seq, row in await db.execute(query):
        if row.id not in made:
            made[row.id] = _looked_at(row)
        found[exhibit_id, seq] = made[row.id]
    return found


def _looked_at(row: AssertionRow) -> Signed:
    """The signature is verified each time somebody is told of it: what the database says it holds proves nothing."""
    fingerprint, made = hashlib.sha256(row.spki).hexdigest(), made_of(row)
    means, agreed = (PASSKEY, False) if isinstance(made, Assertion) else (PIN, row.record is not None)
    synced = False
    try:
        if isinstance(made, Assertion):
            key, site = PublicKey(row.spki), row.rp_id or ""
            synced = verify(made, row.statement, key, rp_id=site, origin=row.origin).backup_eligible
        else:
            verify_pin(PublicKey(row.spki), made.signature, row.statement)
    except PasskeyError as error:
        log.error("custody.signature_does_not_fit", assertion=row.id, why=str(error))  # noqa: TRY400
        return Signed(fingerprint, synced, row.at, fits=False, means=means, agreed=agreed)
    return Signed(fingerprint, synced, row.at, means=means, agreed=agreed)
