"""A hand-over signed by PIN: over the exact bytes, by the key's holder, while it holds, and called weaker."""

from __future__ import annotations

import json
import uuid
from typing import Any

import asyncpg
import pytest

from casemgmt.accounts import keys
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.core.errors import Conflict, Invalid
from casemgmt.custody import queries, signatures
from casemgmt.trust.passkey import PublicKey, statement, to_base64url
from casemgmt.trust.pin import verify_pin
from casemgmt.walkthrough.phone_key import PhoneKey
from tests.cast import World
from tests.passkeys.conftest import Holder, Signers
from tests.passkeys.pins import PinHolder, with_pin
from tests.passkeys.test_walls import SIGNED, Refused, Unguarded, means, offer
from tests.records import Registered


@pytest.fixture
async def pin(desk: Signers, world: World) -> PinHolder:
    return await with_pin(desk.database, desk.codes, world.aida)


@pytest.fixture
async def connection(dsn: Any) -> Any:
    opened = await asyncpg.connect(dsn.app)
    yield opened
    await opened.close()


async def test_what_is_signed_is_what_the_ledger_holds(desk: Signers, world: World, made: Registered, pin, db_dba):
    handover = await desk.signed_offer(pin, world.nurlan, made.exhibits[:2])
    rows = await db_dba.fetch(
        "select l.body from custody.event c join ledger.entry l on l.leaf_hash = c.hash"
        " where c.handover_id = $1 order by c.exhibit_id", handover,
    )  # fmt: skip
    bodies = [row["body"] for row in rows]
    for body in bodies:
        assert json.loads(body)["data"]["signature"] == {"means": "pin", "key": pin.key.fingerprint.hex()}
    async with desk.database.begin(world.nurlan.actor) as db:
        files = await signatures.files(db, made.exhibits[0].id, 2)
        full = await queries.handover(db, handover)
    assert set(files) == {"statement.txt", "sig.der", "pub.pem"}
    assert files["statement.txt"] == statement(bodies)
    verify_pin(PublicKey.from_pem(files["pub.pem"]), files["sig.der"], files["statement.txt"])
    assert full.offer_signed is not None
    assert (full.offer_signed.means, full.offer_signed.fits) == ("pin", True)


async def test_an_answer_is_signed_by_pin_too_and_both_means_stand_side_by_side(
    desk: Signers, world: World, made: Registered, aida: Holder
):
    nurlan = await with_pin(desk.database, desk.codes, world.nurlan)
    handover = await desk.signed_offer(aida, world.nurlan, made.exhibits[:1])
    await desk.signed_answer(nurlan, handover, desk.accept(made.exhibits[0]))
    async with desk.database.begin(world.aida.actor) as db:
        (line,) = (await queries.handover(db, handover)).lines
    assert line.offer_signed is not None and line.answer_signed is not None
    assert (line.offer_signed.means, line.answer_signed.means) == ("passkey", "pin")


@pytest.mark.parametrize("spoil", ["nothing", "text", "short", "another key", "another statement", "flipped"])
async def test_a_signature_that_does_not_fit_keeps_nothing_and_the_request_waits(
    spoil: str, desk: Signers, world: World, made: Registered, pin: PinHolder
):
    request = await desk.prepared(pin, world.nurlan, made.exhibits[:1])
    pending = await desk.pending(pin, request)
    good = pin.signs(pending)
    credential: Any = {
        "nothing": None, "text": {**good, "signature": "ä"}, "short": {**good, "signature": "AA"},
        "another key": PhoneKey().credential(pending.request.statement),
        "another statement": pin.phone.credential(b"0" * 64 + b"\n"),
        "flipped": {**good, "signature": good["signature"][:-6] + "AAAAAA"},
    }[spoil]  # fmt: skip
    with pytest.raises(Invalid) as refused:
        await desk.sign(pin, request, credential if credential is not None else {})
    assert "credential" in refused.value.fields
    await desk.sign(pin, request)


async def test_a_passkeys_answer_is_no_signature_by_pin(desk: Signers, world: World, made, pin: PinHolder, aida):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    with pytest.raises(Invalid):
        await desk.sign(aida, request, pin.phone.credential((await desk.pending(aida, request)).request.statement))


async def test_a_key_that_is_revoked_meanwhile_signs_nothing(desk: Signers, world: World, made: Registered, pin):
    request = await desk.prepared(pin, world.nurlan, made.exhibits[:1])
    async with desk.database.begin(world.admin.actor) as db:
        await keys.revoke(db, world.admin.actor, pin.key.id, KeyRevocation(reason="lost"))
    with pytest.raises(Conflict):
        await desk.sign(pin, request)
    with pytest.raises(Invalid) as refused:
        await desk.prepared(pin, world.nurlan, made.exhibits[1:2])
    assert "sign_with" in refused.value.fields


async def test_somebody_elses_key_cannot_be_chosen(desk: Signers, world: World, made: Registered, pin: PinHolder):
    other = await with_pin(desk.database, desk.codes, world.nurlan)
    with pytest.raises(Invalid):
        await desk.prepared(PinHolder(world.aida, other.phone, other.key), world.nurlan, made.exhibits[:1])


async def test_a_program_signs_by_pin_through_json(world: World, made: Registered, api, desk: Signers, pin: PinHolder):
    client, codes, exhibit = api(world.aida), desk.codes, made.exhibits[0]
    code = codes.encode("exhibit", exhibit.id)
    item = {"exhibit": code, "seq": 1, "prev": exhibit.last_hash.hex(), "seal": "B-1001"}
    body = {
        "client_id": str(uuid.uuid4()), "to": codes.encode("person", world.nurlan.id), "purpose": "storage",
        "exhibits": [item], "sign_with": codes.encode("passkey", pin.key.id),
    }  # fmt: skip
    waiting = (await client.post("/api/v1/hand-overs/signature-requests", json=body)).json()
    assert waiting["options"] is None
    path = f"/api/v1/signature-requests/{waiting['request']}/signature"
    bad = await client.post(path, json={"credential": {"key": "x", "signature": to_base64url(b"x")}})
    assert bad.status_code == 422
    credential = pin.phone.credential(waiting["statement"].encode())
    answers = [await client.post(path, json={"credential": credential}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["exhibits"][0]["offer_signed"] == {
        "means": "pin", "key": pin.key.fingerprint.hex(), "synced": False, "fits": True,
    }  # fmt: skip
    (listed,) = (await client.get(f"/api/v1/exhibits/{code}/signatures")).json()
    assert set(listed["files"]) == {"statement.txt", "sig.der", "pub.pem"}
    for url in listed["files"].values():
        assert (await client.get(url)).status_code == 200
    assert (await client.get(f"/api/v1/exhibits/{code}/signatures/2/authData.bin")).status_code == 404


async def test_every_page_says_that_it_is_weaker(desk: Signers, world: World, made: Registered, pin, browser, db_dba):
    handover = await desk.signed_offer(pin, world.nurlan, made.exhibits[:1])
    code = desk.codes.encode("handover", handover)
    for path in (f"/hand-overs/{code}", f"/hand-overs/{code}/receipt"):
        page = (await browser(world.aida).get(path)).text
        assert "Signed by PIN" in page, path
        assert "Weaker than a passkey: software in one phone" in page, path
    exhibit = (await browser(world.aida).get(f"/exhibits/{desk.codes.encode('exhibit', made.exhibits[0].id)}")).text
    assert "Signed by PIN, with a key that is software in one phone: weaker than a passkey." in exhibit
    entry = await db_dba.fetchval(
        "select l.id from custody.event c join ledger.entry l on l.leaf_hash = c.hash where c.handover_id = $1",
        handover,
    )
    event = (await browser(world.aida).get(f"/events/{desk.codes.encode('event', entry)}")).text
    assert "by PIN, weaker than a passkey: software in one phone" in event


async def test_a_signature_changed_in_the_database_is_said_not_to_fit(desk, world, made, pin, db_dba, browser):
    handover = await desk.signed_offer(pin, world.nurlan, made.exhibits[:1])
    await db_dba.execute("alter table custody.assertion disable trigger no_change")
    await db_dba.execute(
        "update custody.assertion set signature = set_byte(signature, 20, 255 - get_byte(signature, 20))"
        " where handover_id = $1", handover,
    )  # fmt: skip
    await db_dba.execute("alter table custody.assertion enable always trigger no_change")
    page = await browser(world.aida).get(f"/hand-overs/{desk.codes.encode('handover', handover)}")
    assert "The signature does not fit" in page.text


ASSERTION = (
    "insert into custody.assertion(request_id, passkey_id, handover_id, spki, rp_id, origin, statement, client_data,"
    " authenticator_data, signature) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'x') returning id"
)


async def assertion(connection: Any, holder: Any, handover: int, said: bytes, **more: Any) -> int:
    """As a signature by PIN, unless ``more`` makes it something else."""
    row = {"rp_id": None, "client_data": None, "authenticator_data": None} | more
    return int(
        await connection.fetchval(
            ASSERTION, uuid.uuid4(), holder.key.id, handover, holder.key.spki, row["rp_id"], holder.key.origin, said,
            row["client_data"], row["authenticator_data"],
        )
    )  # fmt: skip


@pytest.fixture
async def request_(desk: Signers, world: World, made: Registered, pin: PinHolder) -> Any:
    waiting = await desk.prepared(pin, world.nurlan, made.exhibits[:1])
    return (await desk.pending(pin, waiting)).request


async def test_an_event_that_says_pin_is_refused_without_its_signature(connection, request_):
    async with Refused(connection, "CM002"):
        await offer(connection, request_, request_.bodies)


async def test_the_same_event_with_its_signature_is_kept(connection, request_, pin, made):
    """Guard of these tests: what they leave out is what is missing."""
    async with connection.transaction():
        handover = await offer(connection, request_, request_.bodies)
        signed = await assertion(connection, pin, handover, request_.statement)
        await connection.execute(SIGNED, made.exhibits[0].id, 2, signed)


AS_PASSKEY = {"rp_id": "localhost", "client_data": b"{}", "authenticator_data": bytes(37)}


async def test_neither_means_is_taken_for_the_other(connection, request_, pin, aida, made):
    """The event says pin and a passkey signed; the event says passkey and a PIN signed; half of each."""
    for said, holder, more, state in (
        (None, aida, AS_PASSKEY, "CM002"),
        ({"means": "passkey", "key": pin.key.fingerprint.hex()}, pin, {}, "CM002"),
        (None, pin, AS_PASSKEY, "CM008"),
        (None, aida, {}, "CM008"),
        (None, pin, {"client_data": b"{}"}, "23514"),
        ({"means": "session"}, pin, {}, "CM002"),
        ({"means": "pin", "key": "0" * 64}, pin, {}, "CM002"),
        ({"means": "pin", "key": pin.key.fingerprint.hex(), "record": "0" * 64}, pin, {}, "CM002"),
    ):
        bodies = [means(b, said) for b in request_.bodies] if said else request_.bodies
        async with Refused(connection, state, "CM008"):
            handover = await offer(connection, request_, bodies)
            signed = await assertion(connection, holder, handover, statement(bodies), **more)
            await connection.execute(SIGNED, made.exhibits[0].id, 2, signed)


async def test_each_guard_is_what_refuses(db_dba, request_, pin, aida, made):
    """With the guard away the same statements pass: nothing else would have refused them."""
    async with Unguarded(db_dba, "custody.event", "exhibit_beside") as unguarded:
        await offer(unguarded, request_, request_.bodies)
    async with Unguarded(db_dba, "custody.event", "exhibit_beside") as unguarded:
        handover = await offer(unguarded, request_, request_.bodies)
        await unguarded.execute(
            SIGNED, made.exhibits[0].id, 2, await assertion(unguarded, aida, handover, request_.statement, **AS_PASSKEY)
        )
    async with Unguarded(db_dba, "custody.assertion", "key_holds") as unguarded:
        handover = await offer(unguarded, request_, [means(b, {"means": "session"}) for b in request_.bodies])
        await assertion(unguarded, aida, handover, request_.statement)
