"""What the database itself refuses, whoever asks: a signature without its event, an event without its signature."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any

import asyncpg
import pytest
import rfc8785

from tests.cast import Member, World
from tests.passkeys.conftest import Holder, Signers, begun
from tests.records import Registered


@pytest.fixture
async def connection(dsn: Any) -> Any:
    opened = await asyncpg.connect(dsn.app)
    yield opened
    await opened.close()


class Refused:
    """The database says no with this state, and everything is as before."""

    def __init__(self, connection: Any, *states: str) -> None:
        self.connection, self.states = connection, states

    async def __aenter__(self) -> None:
        self.transaction = self.connection.transaction()
        await self.transaction.start()

    async def __aexit__(self, kind: Any, error: Any, _: Any) -> bool:
        if error is None:
            with pytest.raises(asyncpg.PostgresError) as late:
                await self.transaction.commit()
            error = late.value
        else:
            await self.transaction.rollback()
        assert error.sqlstate in self.states, error
        return True


async def enter(connection: Any, member: Member) -> None:
    assert await connection.fetchval("select access.enter($1)", member.actor.token) == member.id


def means(body: bytes, signature: dict[str, str] | None) -> bytes:
    """The same body, saying something else of its signature."""
    value = json.loads(body)
    value["data"].pop("signature")
    if signature is not None:
        value["data"]["signature"] = signature
    return rfc8785.dumps(value)


async def offer(connection: Any, request: Any, bodies: list[bytes]) -> int:
    """As ``custody.sign`` does it, without what comes after."""
    r = request
    return int(
        await connection.fetchval(
            "select custody.offer($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)",
            r.token_hash, r.client_id, r.number, r.to_id, r.purpose, r.place, r.note, None, None, None, None,
            r.exhibits, r.expected, r.prevs, r.events, bodies, r.seals, r.seal_states,
        )
    )  # fmt: skip


ASSERTION = (
    "insert into custody.assertion(request_id, passkey_id, handover_id, spki, rp_id, origin, statement,"
    " client_data, authenticator_data, signature) values ($1, $2, $3, $4, $7, $8, $5, '{}', $6, 'x') returning id"
)


async def assertion(connection: Any, holder: Holder, handover: int, statement: bytes, **more: Any) -> int:
    values = {"passkey": holder.key.id, "spki": holder.key.spki, "rp_id": "localhost",
              "origin": holder.key.origin} | more  # fmt: skip
    return int(
        await connection.fetchval(
            ASSERTION,
            uuid.uuid4(),
            values["passkey"],
            handover,
            values["spki"],
            statement,
            bytes(37),
            values["rp_id"],
            values["origin"],
        )
    )


@pytest.fixture
async def request_(desk: Signers, world: World, made: Registered, aida: Holder) -> Any:
    waiting = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    return (await desk.pending(aida, waiting)).request


SIGNED = "insert into custody.signature(exhibit_id, seq, assertion_id) values ($1, $2, $3)"


async def test_an_event_that_says_it_is_signed_is_refused_without_its_signature(connection, world, request_):
    async with Refused(connection, "CM002"):
        await offer(connection, request_, request_.bodies)


async def test_the_same_event_with_its_signature_is_kept(connection, world, request_, aida, made):
    """Guard of these tests: what they leave out is what is missing."""
    async with connection.transaction():
        handover = await offer(connection, request_, request_.bodies)
        made_ = await assertion(connection, aida, handover, request_.statement)
        await connection.execute(SIGNED, made.exhibits[0].id, 2, made_)


@pytest.mark.parametrize("said", [{"means": "session"}, None], ids=["session", "nothing"])
async def test_an_event_that_says_otherwise_takes_no_signature(said, connection, world, request_, aida, made):
    async with Refused(connection, "CM002"):
        handover = await offer(connection, request_, [means(b, said) for b in request_.bodies])
        made_ = await assertion(connection, aida, handover, request_.statement)
        await connection.execute(SIGNED, made.exhibits[0].id, 2, made_)


async def test_a_signature_by_another_key_than_the_body_says_is_refused(connection, request_, aida, made):
    async with Refused(connection, "CM002"):
        body = means(request_.bodies[0], {"means": "passkey", "key": "0" * 64})
        handover = await offer(connection, request_, [body])
        from casemgmt.trust.passkey import statement

        made_ = await assertion(connection, aida, handover, statement([body]))
        await connection.execute(SIGNED, made.exhibits[0].id, 2, made_)


async def test_a_statement_that_does_not_name_the_body_is_refused(connection, request_, aida, made):
    async with Refused(connection, "CM002"):
        handover = await offer(connection, request_, request_.bodies)
        made_ = await assertion(connection, aida, handover, b"0" * 64 + b"\n")
        await connection.execute(SIGNED, made.exhibits[0].id, 2, made_)


async def test_an_assertion_with_somebody_elses_key_is_refused(connection, request_, aida, nurlan, made):
    for more in ({"passkey": nurlan.key.id, "spki": nurlan.key.spki}, {"spki": nurlan.key.spki},
                 {"rp_id": "evil.example"}, {"origin": "https://evil.example"}):  # fmt: skip
        async with Refused(connection, "CM008"):
            handover = await offer(connection, request_, request_.bodies)
            await assertion(connection, aida, handover, request_.statement, **more)


async def test_an_event_of_before_cannot_be_signed_later(connection, desk: Signers, world, made, aida, nurlan, db_dba):
    handover = await desk.signed_offer(aida, world.nurlan, made.exhibits[:1])
    await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]))
    statement = await db_dba.fetchval("select statement from custody.assertion where handover_id = $1", handover)
    async with Refused(connection, "42501"):
        await enter(connection, world.nurlan)
        made_ = await assertion(connection, nurlan, handover, statement)
        await connection.execute(SIGNED, made.exhibits[0].id, 3, made_)
    async with Refused(db_dba, "CM002", "CM008"):
        await enter(db_dba, world.nurlan)
        made_ = await assertion(db_dba, nurlan, handover, statement)
        await db_dba.execute(SIGNED, made.exhibits[0].id, 3, made_)


async def test_a_key_needs_its_password_its_entry_and_its_holder(connection, world, database, aida):
    new = (
        "insert into accounts.passkey(credential, spki, algorithm, name, aaguid, attestation_format, attestation,"
        " client_data, backup_eligible, backed_up, rp_id, origin) values ($1, $2, -7, '', $3, 'none', 'x', 'x', false,"
        " false, 'localhost', 'http://localhost')"
    )
    values = (secrets.token_bytes(16), secrets.token_bytes(91), uuid.uuid4())
    async with Refused(connection, "42501"):
        await enter(connection, world.aida)
        await connection.execute(new, *values)
    async with Refused(connection, "CM002"):
        await begun(database, world.aida)
        await connection.fetchval("select accounts.take_challenge($1)", world.aida.actor.token)
        await connection.execute(new, *values)
    async with Refused(connection, "42501"):
        await connection.fetchval("select accounts.begin_enrolment($1, 'x', '1h')", world.aida.actor.token)


ENTRY = (
    "insert into ledger.entry(event_id, stream, stream_seq, type, body) values (gen_random_uuid(), $1,"
    " (select seq + 1 from ledger.head($1)), $2, $3)"
)


async def test_nobody_writes_into_the_keys_of_somebody_else(connection, world, aida, nurlan):
    stream = f"passkeys:{world.aida.login}"
    body = rfc8785.dumps({"data": {"key": nurlan.key.fingerprint.hex()}})
    for who, states in (
        (world.nurlan, ("CM004", "42501")),
        (world.saule, ("CM004", "42501")),
        (world.admin, ("42501",)),
    ):
        async with Refused(connection, *states):
            await enter(connection, who)
            await connection.execute(ENTRY, stream, "accounts:passkey:enrolled", body)


async def test_an_entry_about_a_key_is_refused_without_the_key(connection, world, aida):
    stream = f"passkeys:{world.aida.login}"
    for type_, key in (
        ("accounts:passkey:enrolled", "0" * 64),
        ("accounts:passkey:revoked", aida.key.fingerprint.hex()),
        ("accounts:passkey:praised", aida.key.fingerprint.hex()),
    ):
        async with Refused(connection, "CM002"):
            await enter(connection, world.aida)
            await connection.execute(ENTRY, stream, type_, rfc8785.dumps({"data": {"key": key}}))


async def test_a_revocation_is_refused_without_its_entry(connection, world, aida):
    async with Refused(connection, "CM002"):
        await enter(connection, world.aida)
        await connection.execute(
            "insert into accounts.passkey_revocation(passkey_id, reason) values ($1, 'lost')", aida.key.id
        )


async def test_what_is_kept_of_keys_and_signatures_is_never_changed(connection, desk, world, made, aida, db_dba, dsn):
    await desk.signed_offer(aida, world.nurlan, made.exhibits[:1])
    for table in ("accounts.passkey", "accounts.passkey_revocation", "custody.assertion", "custody.signature"):
        for statement in (f"delete from {table}", f"truncate {table} cascade"):  # noqa: S608
            async with Refused(connection, "42501"):
                await connection.execute(statement)
    for statement in (
        "update accounts.passkey set name = 'x'",
        "delete from custody.signature",
        "delete from custody.assertion",
    ):
        async with Refused(db_dba, "42501"):
            await db_dba.execute(statement)


class Unguarded:
    """A superuser's transaction in which one guard is switched off; everything is undone at its end."""

    def __init__(self, dba: Any, table: str, trigger: str) -> None:
        self.dba, self.statement = dba, f"alter table {table} disable trigger {trigger}"

    async def __aenter__(self) -> Any:
        self.transaction = self.dba.transaction()
        await self.transaction.start()
        await self.dba.execute(self.statement)
        await self.dba.execute("set local role app")
        return self.dba

    async def __aexit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            await self.dba.execute("set constraints all immediate")
        await self.transaction.rollback()


async def test_each_guard_is_what_refuses(db_dba, world, database, request_, aida, nurlan, made):
    """With the guard away the same statements pass: nothing else would have refused them."""
    async with Unguarded(db_dba, "custody.event", "exhibit_beside") as unguarded:
        await offer(unguarded, request_, request_.bodies)
    async with Unguarded(db_dba, "custody.event", "exhibit_beside") as unguarded:
        handover = await offer(unguarded, request_, [means(b, {"means": "session"}) for b in request_.bodies])
        made_ = await assertion(unguarded, aida, handover, request_.statement)
        await unguarded.execute(SIGNED, made.exhibits[0].id, 2, made_)
    async with Unguarded(db_dba, "custody.assertion", "key_holds") as unguarded:
        handover = await offer(unguarded, request_, [means(b, {"means": "session"}) for b in request_.bodies])
        await assertion(unguarded, aida, handover, request_.statement, spki=nurlan.key.spki)
    async with Unguarded(db_dba, "accounts.passkey_revocation", "key_event_beside") as unguarded:
        await enter(unguarded, world.aida)
        await unguarded.execute(
            "insert into accounts.passkey_revocation(passkey_id, reason) values ($1, 'lost')", aida.key.id
        )
    async with Unguarded(db_dba, "ledger.entry", "key_beside") as unguarded:
        await enter(unguarded, world.aida)
        body = rfc8785.dumps({"data": {"key": "0" * 64}})
        await unguarded.execute(ENTRY, f"passkeys:{world.aida.login}", "accounts:passkey:enrolled", body)
