"""Signing a hand-over with a key: the exact bytes are prepared and wait, the key signs them, and they are written.

The key is a passkey, or the one a phone keeps behind its officer's PIN; the event says which before it is signed.
Nothing of a hand-over is kept before its signature verified. What waits belongs to one session, for ten minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts import key_queries
from casemgmt.accounts.key_queries import HeldKey
from casemgmt.accounts.keys import Site, must_have
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import Expired, Invalid, NotFound
from casemgmt.core.i18n import N_
from casemgmt.custody import actions
from casemgmt.custody.models import AssertionRow, SignatureRequest
from casemgmt.custody.pipeline import AnswerCall, OfferCall, by_key
from casemgmt.custody.schemas import Answer, NewOffer
from casemgmt.trust.errors import EncodingError, PasskeyError
from casemgmt.trust.passkey import (
    USER_VERIFIED,
    Assertion,
    PublicKey,
    challenge,
    from_base64url,
    statement,
    to_base64url,
    verify,
)
from casemgmt.trust.pin import verify_pin

log = structlog.get_logger()

LIFETIME = timedelta(minutes=10)
MOST_WAITING = 10  # of one person; the oldest gives way

_UNREADABLE = N_("The device's answer could not be read. Sign again, or go on without a key.")
_UNFIT = N_("The signature does not fit this hand-over. Nothing was recorded. Sign again, or go on without a key.")
_UNVERIFIED = N_("The device did not check who holds it: no finger, face or PIN. Nothing was recorded.")
_NO_KEY = N_("Choose one of your keys, or go on without one.")


@dataclass(frozen=True, slots=True)
class Rules:
    """What this installation asks of keys."""

    site: Site | None
    allow_synced: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for a signature, with the key it waits for."""

    request: SignatureRequest
    key: HeldKey

    @property
    def by_pin(self) -> bool:
        return self.key.row.kind == "pin"

    @property
    def options(self) -> dict[str, Any]:
        """For ``navigator.credentials.get``, as JSON; empty for a key behind a PIN, which a phone's own store keeps."""
        row, rest = self.key.row, self.request.expires_at - utcnow()
        if row.credential is None:
            return {}
        allowed = {"type": "public-key", "id": to_base64url(row.credential), "transports": row.transports}
        return {
            "challenge": to_base64url(challenge(self.request.statement)),
            "rpId": row.rp_id,
            "allowCredentials": [allowed],
            "userVerification": "required",
            "timeout": max(1000, int(rest.total_seconds() * 1000)),
        }


async def prepare_offer(
    database: Database, actor: Actor, data: NewOffer, key: str, codes: Codes, rules: Rules
) -> UUID | int:
    """The request that now waits for ``key`` (its code); or the hand-over this ``client_id`` made before.

    Raises what ``actions.offer`` raises; Invalid beside ``sign_with`` for a key that cannot sign here.
    """
    held = await _key(database, actor, key, codes, rules)
    planned = await actions.plan_offer(database, actor, data, codes)
    if isinstance(planned, int):
        return planned
    return await _keep(database, actor, planned.built(actor, by_key(held.row.fingerprint, held.row.kind)), held, data)


async def prepare_answer(
    database: Database, actor: Actor, handover_id: int, data: Answer, key: str, codes: Codes, rules: Rules
) -> UUID:
    """The request that now waits for ``key``. Raises what ``actions.answer`` raises, and as ``prepare_offer``."""
    held = await _key(database, actor, key, codes, rules)
    planned = await actions.plan_answer(database, actor, handover_id, data, codes)
    return await _keep(database, actor, planned.built(actor, by_key(held.row.fingerprint, held.row.kind)), held, data)


async def pending(db: AsyncSession, actor: Actor, request_id: UUID) -> Pending:
    """What waits in this session under this id; Expired when nothing does."""
    query = select(SignatureRequest).where(
        SignatureRequest.id == request_id,
        SignatureRequest.token_hash == actor.token,
        SignatureRequest.expires_at > utcnow(),
    )
    found = await db.scalar(query)
    if found is None:
        raise Expired
    return Pending(found, await key_queries.key(db, found.passkey_id))


async def sign(database: Database, actor: Actor, request_id: UUID, credential: object, rules: Rules) -> int:
    """Verify the key's answer and write what waited, with its signature; the hand-over's id.

    The same request again, after it was written, returns the same id. Raises Expired, Invalid beside ``credential``
    for a signature that does not fit (the request waits on), Conflict when an exhibit has moved on or the key was
    revoked: then nothing is kept.
    """
    try:
        return await _sign(database, actor, request_id, credential, rules)
    except Expired:
        # by this request sent again, or by another tab a moment ago
        async with database.begin(actor) as db:
            done = await signed_before(db, actor, request_id)
        if done is None:
            raise
        return done


async def _sign(database: Database, actor: Actor, request_id: UUID, credential: object, rules: Rules) -> int:
    async with database.begin(actor) as db:
        waiting = await pending(db, actor, request_id)
    verified = _by_pin if waiting.by_pin else _by_authenticator
    client_data, authenticator_data, signature = verified(waiting, credential, rules)
    worded = actions.answered_before if waiting.request.kind == "answer" else actions.moved_on
    with worded():
        written: int = await database.record(
            "select custody.sign($1,$2,$3,$4,$5)",
            actor.token, request_id, client_data, authenticator_data, signature,
        )  # fmt: skip
        return written


Parts = tuple[bytes | None, bytes | None, bytes]
"""Client data, authenticator data, signature; of a PIN only the last."""


def _by_authenticator(waiting: Pending, credential: object, rules: Rules) -> Parts:
    named, made = read_assertion(credential)
    key, request = waiting.key.row, waiting.request
    if named != key.credential:
        raise Invalid({"credential": N_("Another key signed than the one that was asked. Choose that key instead.")})
    must_have(rules.site)
    try:
        flags = verify(made, request.statement, PublicKey(key.spki), rp_id=key.rp_id or "", origin=key.origin)
    except PasskeyError as error:
        log.warning("custody.signature_refused", request=str(request.id), why=str(error))
        verified = len(made.authenticator_data) > 32 and made.authenticator_data[32] & USER_VERIFIED
        raise Invalid({"credential": _UNFIT if verified else _UNVERIFIED}) from error
    if flags.backup_eligible and not rules.allow_synced:
        raise Invalid({"credential": N_("This key can be copied to other devices, which is not allowed here.")})
    return made.client_data, made.authenticator_data, made.signature


def _by_pin(waiting: Pending, credential: object, _: Rules) -> Parts:
    key, request = waiting.key.row, waiting.request
    if not isinstance(credential, Mapping):
        raise Invalid({"credential": _UNREADABLE})
    try:
        signature = from_base64url(_short(credential.get("signature")))
    except EncodingError as error:
        raise Invalid({"credential": _UNREADABLE}) from error
    if credential.get("key") != key.fingerprint.hex():
        raise Invalid({"credential": N_("Another key signed than the one that was asked. Choose that key instead.")})
    try:
        verify_pin(PublicKey(key.spki), signature, request.statement)
    except PasskeyError as error:
        log.warning("custody.signature_refused", request=str(request.id), why=str(error))
        raise Invalid({"credential": _UNFIT}) from error
    return None, None, signature


async def without(database: Database, actor: Actor, request_id: UUID, codes: Codes) -> int:
    """Go on without the key: make the same hand-over or answer signed in only; the hand-over's id."""
    async with database.begin(actor) as db:
        done = await signed_before(db, actor, request_id)
        if done is not None:
            return done
        request = (await pending(db, actor, request_id)).request
        await db.execute(delete(SignatureRequest).where(SignatureRequest.id == request_id))
    if request.handover_id is None:
        return await actions.offer(database, actor, msgspec.json.decode(request.asked, type=NewOffer), codes)
    data = msgspec.json.decode(request.asked, type=Answer)
    await actions.answer(database, actor, request.handover_id, data, codes)
    return request.handover_id


def read_assertion(credential: object) -> tuple[bytes, Assertion]:
    """The credential id and the assertion in a browser's ``PublicKeyCredential`` as JSON; Invalid for anything else."""
    if not isinstance(credential, Mapping) or not isinstance(credential.get("response"), Mapping):
        raise Invalid({"credential": _UNREADABLE})
    answer = credential["response"]
    try:
        named, *parts = [
            from_base64url(_short(value))
            for value in (
                credential.get("id"), answer.get("clientDataJSON"), answer.get("authenticatorData"),
                answer.get("signature"),
            )
        ]  # fmt: skip
    except EncodingError as error:
        raise Invalid({"credential": _UNREADABLE}) from error
    return named, Assertion(*parts)


def read_credential(text: str) -> object:
    """The JSON that a page's form carries; Invalid when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid({"credential": _UNREADABLE}) from error


def _short(value: object) -> str:
    if not isinstance(value, str) or len(value) > 8192:
        raise EncodingError("not text of a key")
    return value


async def _key(database: Database, actor: Actor, code: str, codes: Codes, rules: Rules) -> HeldKey:
    try:
        async with database.begin(actor) as db:
            found = await key_queries.key(db, codes.decode("passkey", code))
    except NotFound as error:
        raise Invalid({"sign_with": _NO_KEY}) from error
    if found.row.person_id != actor.id or not found.holds or (found.row.backup_eligible and not rules.allow_synced):
        raise Invalid({"sign_with": _NO_KEY})
    if found.row.kind == "passkey":
        must_have(rules.site)
    return found


async def _keep(
    database: Database, actor: Actor, call: OfferCall | AnswerCall, key: HeldKey, data: NewOffer | Answer
) -> UUID:
    request_id, now = uuid4(), utcnow()
    mine = select(SignatureRequest.id).where(SignatureRequest.person_id == actor.id)
    newest = mine.order_by(SignatureRequest.created_at.desc()).limit(MOST_WAITING - 1)
    row = insert(SignatureRequest).values(
        id=request_id,
        token_hash=actor.token,
        passkey_id=key.row.id,
        kind="offer" if isinstance(call, OfferCall) else "answer",
        asked=msgspec.json.encode(data),
        statement=statement(call.bodies),
        expires_at=now + LIFETIME,
        **call.columns(),
    )
    async with database.begin(actor) as db:
        await db.execute(
            delete(SignatureRequest).where(
                SignatureRequest.person_id == actor.id,
                SignatureRequest.id.not_in(newest) | (SignatureRequest.expires_at <= now),
            )
        )
        await db.execute(row)
    return request_id


async def signed_before(db: AsyncSession, actor: Actor, request_id: UUID) -> int | None:
    """The hand-over this very request made; None when it was not signed."""
    query = select(AssertionRow.handover_id).where(
        AssertionRow.request_id == request_id, AssertionRow.person_id == actor.id
    )
    return await db.scalar(query)
