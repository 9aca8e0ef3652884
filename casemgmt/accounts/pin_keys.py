"""The key behind an officer's PIN: enrolled by their phone while they are signed in.

It stands among their other keys, is listed and revoked like them, and signs by a means of its own, which everything
that is said of it names. Format of the entries: docs/spec/signature.md.
"""

from __future__ import annotations

from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts import key_queries
from casemgmt.accounts.keys import MOST, named
from casemgmt.accounts.models import Passkey, Person
from casemgmt.accounts.schemas import NewPinKey
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Conflict, Invalid
from casemgmt.core.i18n import N_
from casemgmt.trust.encoding import to_base64
from casemgmt.trust.errors import TrustError
from casemgmt.trust.passkey import ES256, PublicKey, from_base64url
from casemgmt.trust.pin import MAX_SIGNATURE, enrolment

_UNREADABLE = N_("The phone's key could not be read.")


async def enrol(db: AsyncSession, actor: Actor, person: str, origin: str, data: NewPinKey) -> int:
    """Keep the key with its entry in the ledger; its id. Sent again: the same, also when it was revoked since.

    ``person`` is the actor's code, which the key's own proof names. Raises Invalid for a key or a proof that does not
    hold, Conflict for somebody else's key, for a phone whose key was revoked, and when there are too many.
    """
    key, proof = _read(data, person)
    await db.execute(text("select pg_advisory_xact_lock(1886544236, hashint8(:person))"), {"person": actor.id})
    held = [one for one in await key_queries.held_by(db, actor.id) if one.row.kind == "pin"]
    for one in held:
        if one.row.spki == key.spki:
            return one.row.id
    if any(one.row.device == data.device and not one.holds for one in held):
        raise Conflict(N_("The key of this phone was revoked. Nothing is signed with this phone any more."))
    if sum(one.holds for one in held) >= MOST:
        raise Conflict(N_("You have as many keys as one person may have. Revoke one that you do not use."))
    row = insert(Passkey).values(
        kind="pin", device=data.device, proof=proof, spki=key.spki, algorithm=ES256, name=data.name.strip(),
        backup_eligible=False, backed_up=False, origin=origin,
    )  # fmt: skip
    try:
        async with db.begin_nested():
            new = (await db.execute(row.returning(Passkey))).scalar_one()
    except IntegrityError as error:
        raise Conflict(N_("This key is enrolled already.")) from error
    said = {
        **named(new, Person(id=actor.id, name=actor.name, badge=actor.badge)),
        "spki": to_base64(key.spki), "algorithm": ES256, "device": str(data.device), "origin": origin,
    }  # fmt: skip
    await events.record(db, actor, "accounts:pinkey:enrolled", f"passkeys:{actor.login}", said)
    return new.id


def _read(data: NewPinKey, person: str) -> tuple[PublicKey, bytes]:
    try:
        key, proof = PublicKey(from_base64url(data.spki)), from_base64url(data.proof)
    except TrustError as error:
        raise Invalid({"spki": _UNREADABLE}) from error
    if key.algorithm != ES256 or not 0 < len(proof) <= MAX_SIGNATURE:
        raise Invalid({"spki": _UNREADABLE})
    try:
        key.verify(proof, enrolment(person, str(data.device)))
    except TrustError as error:
        raise Invalid({"proof": N_("The key did not sign its own enrolment.")}) from error
    return key, proof
