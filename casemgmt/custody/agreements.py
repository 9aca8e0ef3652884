"""Bringing to the server what two phones agreed without a network."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import asyncpg
import msgspec
import structlog
from sqlalchemy import select

from casemgmt.accounts.models import Person
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.errors import Conflict, DomainError, Forbidden, Invalid
from casemgmt.core.events import Head
from casemgmt.core.i18n import N_, Text
from casemgmt.custody import agreement_rules, settling
from casemgmt.trust.agreement import Answer, Offer, check_pair, parse_answer, parse_offer
from casemgmt.trust.errors import TrustError
from casemgmt.trust.passkey import PublicKey, from_base64url

log = structlog.get_logger()

AT_ONCE = 20  # agreements of one person that one request settles; the worker does the rest

_BRING = "select id, made, told from custody.bring($1, $2, $3, $4, $5, $6)"
_HEAD = "select seq, hash from ledger.head($1)"
_ENTRY = "insert into ledger.entry(event_id, stream, stream_seq, type, body) values ($1, $2, $3, $4, $5)"
_PUBLIC_KEY = "select custody.public_key($1)"
_MINE = """
    select w.agreement_id from custody.agreement_waiting w join custody.agreement a on a.id = w.agreement_id
     where w.due <= now() and $1 in (a.from_id, a.to_id) order by a.offered_at, a.id limit $2
"""

_UNREADABLE = N_("This is not base64url.")
_NOT_BETWEEN_YOU = N_("Only the two people of an agreement bring it. It stays on the phone.")
_TAKEN = N_("Another agreement has this identifier. Nothing was done; it stays on the phone.")


class NewAgreement(msgspec.Struct, kw_only=True):
    """Bytes are base64url without padding. ``keys``: the public keys of the two, where they may not be enrolled yet."""

    offer: Annotated[str, msgspec.Meta(max_length=22_000)]
    offer_signature: Annotated[str, msgspec.Meta(max_length=200)]
    answer: Annotated[str, msgspec.Meta(max_length=22_000)]
    answer_signature: Annotated[str, msgspec.Meta(max_length=200)]
    keys: Annotated[list[Annotated[str, msgspec.Meta(max_length=400)]], msgspec.Meta(max_length=2)] = []


@dataclass(frozen=True, slots=True)
class Brought:
    """``made``: it was not known before."""

    id: int
    made: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    offer: Offer
    offer_signature: bytes
    answer: Answer
    answer_signature: bytes
    keys: Mapping[str, bytes]


async def bring(database: Database, actor: Actor, data: NewAgreement) -> Brought:
    """Keep the two records, and settle them where they can be.

    The same two again, by either person, are the same agreement. Raises Invalid with the member for what is not two
    signed records that fit each other, Forbidden for anybody but the two, Conflict for an identifier that another
    agreement has.
    """
    pair = _read(data)
    if actor.login not in (pair.offer.by.login, pair.answer.by.login):
        raise Forbidden(_NOT_BETWEEN_YOU)
    keys = await _public_keys(database, actor, pair)
    _check(pair, keys)
    brought = await _keep(database, actor, pair, keys)
    await _settle(database, actor, brought.id)
    return brought


def _read(data: NewAgreement) -> _Pair:
    wrong: dict[str, Text] = {}
    found: dict[str, bytes] = {}
    for name in ("offer", "offer_signature", "answer", "answer_signature"):
        try:
            found[name] = from_base64url(getattr(data, name))
        except TrustError:
            wrong[name] = _UNREADABLE
    keys: dict[str, bytes] = {}
    for text in data.keys:
        try:
            key = PublicKey(from_base64url(text))
        except TrustError:
            wrong["keys"] = N_("A public key cannot be read.")
        else:
            keys[key.fingerprint] = key.spki
    if wrong:
        raise Invalid(wrong)
    offer = _parsed("offer", parse_offer, found["offer"])
    answer = _parsed("answer", parse_answer, found["answer"])
    return _Pair(offer, found["offer_signature"], answer, found["answer_signature"], keys)


def _parsed(name: str, parse: Any, data: bytes) -> Any:
    try:
        return parse(data)
    except TrustError as error:
        raise Invalid({name: N_("This record cannot be used: %(why)s", why=str(error))}) from error


async def _public_keys(database: Database, actor: Actor, pair: _Pair) -> dict[str, bytes]:
    """The public key of each record: the one that was sent, otherwise the enrolled one of that fingerprint."""
    found: dict[str, bytes] = {}
    async with database.begin_raw(actor) as connection:
        for name, record in (("offer", pair.offer), ("answer", pair.answer)):
            spki = pair.keys.get(record.key)
            if spki is None:
                spki = await connection.fetchval(_PUBLIC_KEY, bytes.fromhex(record.key))
            if spki is None:
                words = N_("The server does not know the key that signed this. Send the public key with it.")
                raise Invalid({f"{name}_signature": words})
            found[name] = spki
    return found


def _check(pair: _Pair, keys: Mapping[str, bytes]) -> None:
    try:
        check_pair(pair.offer, pair.answer)
    except TrustError as error:
        raise Invalid({"answer": N_("This record cannot be used: %(why)s", why=str(error))}) from error
    for name, record, signature in (
        ("offer", pair.offer, pair.offer_signature), ("answer", pair.answer, pair.answer_signature),
    ):  # fmt: skip
        try:
            record.check_signature(signature, PublicKey(keys[name]))
        except TrustError as error:
            raise Invalid({f"{name}_signature": N_("The signature does not fit this record.")}) from error
    if (words := agreement_rules.check_codes(pair.offer, pair.answer)) is not None:
        raise Invalid({"offer": words})


async def _keep(database: Database, actor: Actor, pair: _Pair, keys: Mapping[str, bytes]) -> Brought:
    offer, answer = pair.offer, pair.answer
    people = await _people(database, actor, offer, answer)
    try:
        async with database.begin_raw(actor) as connection:
            row = await connection.fetchrow(
                _BRING, offer.body, pair.offer_signature, keys["offer"],
                answer.body, pair.answer_signature, keys["answer"],
            )  # fmt: skip
            if row["told"]:
                said = {
                    "agreement": offer.id, "offer": offer.sha256, "answer": answer.sha256,
                    "offered_at": offer.at_text, "answered_at": answer.at_text,
                    "from": people[offer.by.login], "to": people[answer.by.login],
                    "exhibits": [item.exhibit for item in offer.items],
                }  # fmt: skip
                await record(connection, actor, "custody:agreement:brought", offer.id, said)
    except Conflict as error:
        raise Conflict(_TAKEN) from error
    return Brought(row["id"], row["made"])


async def _people(database: Database, actor: Actor, offer: Offer, answer: Answer) -> dict[str, dict[str, Any]]:
    wanted = {offer.by.login: "offer", answer.by.login: "answer"}
    async with database.begin(actor) as db:
        rows = (await db.scalars(select(Person).where(Person.login.in_(wanted)))).all()
    found = {row.login: {"id": row.id, "name": row.name, "badge": row.badge} for row in rows}
    missing = [name for login, name in wanted.items() if login not in found]
    if missing:
        raise Invalid(dict.fromkeys(missing, N_("Nobody here has the login of who made this.")))
    return found


async def record(connection: Any, actor: Actor, type_: str, name: str, data: Mapping[str, Any]) -> None:
    """One event in the agreement's own stream, on the driver's connection."""
    stream = f"agreement:{name}"
    row = await connection.fetchrow(_HEAD, stream)
    head = Head(row["seq"], row["hash"])
    body = events.build(type_, stream, head, actor, data)
    await connection.execute(_ENTRY, uuid.uuid4(), stream, head.seq + 1, type_, body)


async def _settle(database: Database, actor: Actor, agreement_id: int) -> None:
    """What was brought, and what of theirs waited for it. All is kept: what cannot be done now the worker does."""
    wanted = [agreement_id]
    for _ in range(AT_ONCE):
        if not wanted:
            return
        current = wanted.pop(0)
        try:
            async with database.begin_raw(actor) as connection:
                await settling.settle(connection, current)
                rows = await connection.fetch(_MINE, actor.id, AT_ONCE)
                wanted = [row["agreement_id"] for row in rows if row["agreement_id"] != current]
        except Conflict:
            continue  # somebody settled it, or moved an exhibit, a moment ago
        except (DomainError, asyncpg.PostgresError, settling.DoesNotFit) as error:
            why = f"{type(error).__name__}: {error}"
            log.error("custody.agreement_not_settled", agreement=current, error=why)  # noqa: TRY400
