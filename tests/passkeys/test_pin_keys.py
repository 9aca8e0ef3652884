"""The key behind a PIN is enrolled by its own officer from their phone, with its entry; it ends once, like any key."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemgmt.accounts import key_queries, keys
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.core.errors import Conflict, Forbidden, Invalid, NotFound
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import to_base64url
from casemgmt.trust.signers import PIN, signer_keys
from casemgmt.walkthrough.phone_key import PhoneKey
from tests.cast import World
from tests.passkeys.conftest import Holder
from tests.passkeys.pins import enrol, with_pin
from tests.passkeys.test_walls import ENTRY, Refused, enter

LOST = KeyRevocation(reason="lost")


@pytest.fixture
def codes(app: Any) -> Any:
    return app.state.codes


async def chain(dba: Any, login: str) -> list[Event]:
    rows = await dba.fetch("select body from ledger.entry where stream = $1 order by stream_seq", f"passkeys:{login}")
    return [Event.parse(row["body"]) for row in rows]


async def test_a_phones_key_is_enrolled_with_its_entry_and_sent_again_is_the_same(
    world: World, database, codes, db_dba
):
    phone = PhoneKey()
    first = await enrol(database, codes, world.aida, phone)
    assert await enrol(database, codes, world.aida, phone) == first
    (event,) = await chain(db_dba, world.aida.login)
    assert event.type == "accounts:pinkey:enrolled"
    assert set(event.data) == {"person", "key", "spki", "algorithm", "device", "origin"}
    assert (event.data["device"], event.data["algorithm"]) == (phone.device, -7)
    found = signer_keys([event], {event.hash: 5})[phone.public.fingerprint]
    assert (found.key, found.means, found.person, found.enrolled) == (phone.public, PIN, world.aida.id, 5)


async def test_it_stands_in_one_stream_with_the_passkeys(world: World, database, codes, db_dba, aida: Holder):
    holder = await with_pin(database, codes, world.aida)
    events = await chain(db_dba, world.aida.login)
    assert [event.type for event in events] == ["accounts:passkey:enrolled", "accounts:pinkey:enrolled"]
    found = signer_keys(events, {event.hash: n for n, event in enumerate(events)})
    assert {key.means for key in found.values()} == {"passkey", "pin"}
    assert holder.key.fingerprint.hex() in found


def another_curve() -> bytes:
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def edwards() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "more",
    [
        {"spki": "not a key"}, {"spki": "+++"}, {"spki": to_base64url(another_curve())},
        {"spki": to_base64url(edwards())}, {"proof": "AA"}, {"proof": ""}, {"device": str(uuid.uuid4())},
        {"spki": to_base64url(PhoneKey().public.spki)},
    ],
    ids=["no base64", "standard base64", "another curve", "Ed25519", "short", "none", "another phone", "not its own"],
)  # fmt: skip
async def test_a_key_that_does_not_sign_its_own_enrolment_is_refused(more, world: World, database, codes, db_dba):
    with pytest.raises(Invalid):
        await enrol(database, codes, world.aida, PhoneKey(), **more)
    assert await chain(db_dba, world.aida.login) == []


async def test_a_proof_for_one_officer_enrols_for_no_other(world: World, database, codes):
    phone = PhoneKey()
    said = phone.enrolment(codes.encode("person", world.aida.id))
    with pytest.raises(Invalid):
        await enrol(database, codes, world.nurlan, phone, proof=said["proof"])


async def test_one_key_has_one_officer(world: World, database, codes):
    holder = await with_pin(database, codes, world.aida)
    with pytest.raises(Conflict):
        await enrol(database, codes, world.nurlan, holder.phone)


async def test_a_phone_whose_key_was_revoked_enrols_no_other(world: World, database, codes, db_dba):
    holder = await with_pin(database, codes, world.aida)
    async with database.begin(world.admin.actor) as db:
        await keys.revoke(db, world.admin.actor, holder.key.id, LOST)
    assert [event.type for event in await chain(db_dba, world.aida.login)][1:] == ["accounts:pinkey:revoked"]
    assert await enrol(database, codes, world.aida, holder.phone) == holder.key.id  # it is told so, and not taken anew
    async with database.begin(world.aida.actor) as db:
        assert await key_queries.pin_keys_of(db, world.aida.id) == []
    with pytest.raises(Conflict):
        await enrol(database, codes, world.aida, PhoneKey(holder.phone.device))
    await enrol(database, codes, world.aida, PhoneKey())


async def test_there_is_a_limit_to_the_phones_of_one_person(world: World, database, codes, monkeypatch):
    monkeypatch.setattr("casemgmt.accounts.pin_keys.MOST", 2)
    for _ in range(2):
        await enrol(database, codes, world.aida, PhoneKey())
    with pytest.raises(Conflict):
        await enrol(database, codes, world.aida, PhoneKey())


async def test_only_its_holder_and_an_administrator_end_it(world: World, database, codes):
    holder = await with_pin(database, codes, world.aida)
    for other in (world.nurlan, world.saule):
        with pytest.raises((NotFound, Forbidden)):
            async with database.begin(other.actor) as db:
                await keys.revoke(db, other.actor, holder.key.id, LOST)
    async with database.begin(world.aida.actor) as db:
        await keys.revoke(db, world.aida.actor, holder.key.id, LOST)
        assert not (await key_queries.key(db, holder.key.id)).holds


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422), ({"device": "no"}, 422), ({"spki": 7}, 422), ({"proof": "A" * 201}, 422), ({"more": 1}, 422),
        ({"name": "x" * 61}, 422), ({}, 201),
    ],
)  # fmt: skip
async def test_whatever_a_phone_sends_is_answered(said, status, world: World, api, codes):
    whole = PhoneKey().enrolment(codes.encode("person", world.aida.id)) if said or status == 201 else {}
    answer = await api(world.aida).post("/api/v1/pin-keys", json=whole | said)
    assert answer.status_code == status, answer.text
    if status == 201:
        described = answer.json()
        assert (described["means"], described["device"]) == ("pin", whole["device"])
        me = (await api(world.aida).get("/api/v1/me")).json()
        assert me["pin_keys"] == [described["fingerprint"]]
        ended = await api(world.aida).post(f"/api/v1/keys/{described['id']}/revocation", json={"reason": "lost"})
        assert ended.json()["revoked"]["reason"] == "lost"
        assert (await api(world.aida).get("/api/v1/me")).json()["pin_keys"] == []


async def test_the_pages_list_it_with_phone_and_day_and_end_it(world: World, database, codes, browser):
    holder = await with_pin(database, codes, world.aida)
    page = await browser(world.aida).get("/account/keys")
    assert f"PIN of the phone Android {holder.phone.device[:8]}" in page.text
    assert "PIN: weaker than a passkey" in page.text
    of_person = await browser(world.admin).get(f"/people/{codes.encode('person', world.aida.id)}")
    assert holder.phone.device[:8] in of_person.text
    path = f"/account/keys/{codes.encode('passkey', holder.key.id)}/revoke"
    assert holder.phone.device[:8] in (await browser(world.aida).get(path)).text
    assert (await browser(world.aida).submit(path, {"reason": "lost"})).status_code == 303
    assert "Revoked" in (await browser(world.aida).get("/account/keys")).text


NEW = (
    "insert into accounts.passkey(kind, device, proof, spki, algorithm, name, backup_eligible, backed_up, origin)"
    " values ('pin', $2, 'x', $1, -7, '', false, false, 'http://localhost')"
)


@pytest.fixture
async def connection(dsn: Any) -> Any:
    import asyncpg

    opened = await asyncpg.connect(dsn.app)
    yield opened
    await opened.close()


async def test_the_database_takes_no_key_without_its_entry(connection, world: World):
    async with Refused(connection, "CM002"):
        await enter(connection, world.aida)
        await connection.execute(NEW, PhoneKey().public.spki, uuid.uuid4())


async def test_the_database_lets_nobody_enrol_for_somebody_else(connection, world: World):
    """The person is always the one behind the session: no statement of the application names another."""
    async with Refused(connection, "42501"):
        await enter(connection, world.admin)
        await connection.execute(
            NEW.replace("(kind", "(person_id, kind").replace("values (", f"values ({world.aida.id}, "),
            PhoneKey().public.spki, uuid.uuid4(),
        )  # fmt: skip


async def test_an_entry_about_a_phones_key_is_refused_without_the_key(connection, world: World, database, codes, aida):
    import rfc8785

    holder = await with_pin(database, codes, world.aida)
    stream = f"passkeys:{world.aida.login}"
    for type_, key in (
        ("accounts:pinkey:enrolled", "0" * 64),
        ("accounts:pinkey:revoked", holder.key.fingerprint.hex()),
        ("accounts:passkey:enrolled", holder.key.fingerprint.hex()),  # a weaker key never turns into a stronger one
        ("accounts:pinkey:enrolled", aida.key.fingerprint.hex()),
        ("accounts:pinkey:praised", holder.key.fingerprint.hex()),
    ):
        async with Refused(connection, "CM002"):
            await enter(connection, world.aida)
            await connection.execute(ENTRY, stream, type_, rfc8785.dumps({"data": {"key": key}}))
    async with Refused(connection, "42501"):
        await enter(connection, world.admin)
        body = rfc8785.dumps({"data": {"key": holder.key.fingerprint.hex()}})
        await connection.execute(ENTRY, stream, "accounts:pinkey:enrolled", body)


@pytest.mark.parametrize(
    "changed",
    [
        "kind = 'passkey'", "credential = 'x'", "rp_id = 'localhost'", "device = null", "proof = null",
        "algorithm = -8", "backup_eligible = true", "kind = 'face'",
    ],
)  # fmt: skip
async def test_the_database_keeps_the_two_kinds_apart(changed, world: World, database, codes, db_dba):
    await with_pin(database, codes, world.aida)
    async with Refused(db_dba, "23514"):
        await db_dba.execute("alter table accounts.passkey disable trigger no_change")
        await db_dba.execute(f"update accounts.passkey set {changed} where kind = 'pin'")  # noqa: S608
