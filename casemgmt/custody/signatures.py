"""By what means custody events are signed, and the five files that show it to somebody with openssl."""

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

Place = tuple[int, int]
"""A custody event: the exhibit's id and the event's number."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Signed:
    """An event is signed with a key. ``key`` is its fingerprint; ``synced``: it can be copied to other devices.

    ``fits``: the signature was verified just now. It is False only when somebody has changed the database.
    """

    key: str
    synced: bool
    at: datetime
    fits: bool = True

    def described(self) -> dict[str, Any]:
        return {"means": "passkey", "key": self.key, "synced": self.synced, "fits": self.fits}


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
    return {
        "statement.txt": found.statement,
        "clientData.json": found.client_data,
        "authData.bin": found.authenticator_data,
        "sig.der": found.signature,
        "pub.pem": PublicKey(found.spki).pem,
    }


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
    fingerprint = hashlib.sha256(row.spki).hexdigest()
    assertion = Assertion(row.client_data, row.authenticator_data, row.signature)
    try:
        flags = verify(assertion, row.statement, PublicKey(row.spki), rp_id=row.rp_id, origin=row.origin)
    except PasskeyError as error:
        log.error("custody.signature_does_not_fit", assertion=row.id, why=str(error))  # noqa: TRY400
        return Signed(fingerprint, False, row.at, fits=False)
    return Signed(fingerprint, flags.backup_eligible, row.at)
