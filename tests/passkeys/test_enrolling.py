"""A key is enrolled by its holder, after their password, with its entry in the ledger; it ends once, by them or an
administrator."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from casemgmt.accounts import key_queries, keys
from casemgmt.accounts.keys import Site
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.accounts.signin import hash_password
from casemgmt.core.errors import Conflict, Expired, Forbidden, Invalid, NotFound, TooManyAttempts
from casemgmt.demo.cast import PASSWORD
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import ALGORITHMS, ES256, PublicKey
from casemgmt.trust.signers import signer_keys
from casemgmt.walkthrough.authenticator import BACKED_UP, BACKUP_ELIGIBLE, PRESENT, VERIFIED, SoftAuthenticator
from tests.cast import World
from tests.passkeys.conftest import SITE, Holder, begun, with_key

ORIGIN = "http://localhost:8000"


@pytest.fixture
async def secret(world: World, db_dba: Any) -> World:
    await db_dba.execute(
        "insert into accounts.credential(person_id, password_hash) values ($1, $2)",
        world.aida.id, await hash_password(PASSWORD),
    )  # fmt: skip
    return world


async def chain(dba: Any, login: str) -> list[tuple[int, bytes]]:
    rows = await dba.fetch(
        "select id, body from ledger.entry where stream = $1 order by stream_seq", f"passkeys:{login}"
    )
    return [(row["id"], row["body"]) for row in rows]


async def enrol(database: Any, member: Any, credential: object, **more: Any) -> Any:
    return await keys.enrol(database, member.actor, SITE, credential, **{"name": "", "allow_synced": True, **more})


async def test_a_key_is_enrolled_after_the_password_with_its_entry(secret: World, database, db_dba):
    device = SoftAuthenticator(ORIGIN)
    options = await keys.begin_enrolment(database, secret.aida.actor, SITE, password=PASSWORD)
    assert [p["alg"] for p in options["pubKeyCredParams"]] == list(ALGORITHMS)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"]["id"] == "localhost"
    new = await enrol(database, secret.aida, device.create(options), name="work phone")
    assert (new.person_id, new.algorithm, new.name) == (secret.aida.id, ES256, "work phone")
    ((id_, body),) = await chain(db_dba, secret.aida.login)
    event = Event.parse(body)
    found = signer_keys([event], {event.hash: id_})
    assert found[new.fingerprint.hex()].key == PublicKey(new.spki)
    assert found[new.fingerprint.hex()].person == secret.aida.id
    again = await keys.begin_enrolment(database, secret.aida.actor, SITE, password=PASSWORD)
    assert [c["id"] for c in again["excludeCredentials"]] == list(device.keys)


async def test_without_the_password_nothing_begins(secret: World, database, db_dba):
    for _ in range(10):
        with pytest.raises(Invalid) as error:
            await keys.begin_enrolment(database, secret.aida.actor, SITE, password="not the password")
        assert "password" in error.value.fields
    with pytest.raises(TooManyAttempts):
        await keys.begin_enrolment(database, secret.aida.actor, SITE, password=PASSWORD)
    assert await db_dba.fetchval("select count(*) from accounts.ceremony where person_id = $1", secret.aida.id) == 0


async def test_a_challenge_is_taken_once_and_in_its_session(world: World, database):
    device = SoftAuthenticator(ORIGIN)
    made = device.create(await begun(database, world.aida))
    with pytest.raises(Expired):
        await enrol(database, world.nurlan, made)
    await enrol(database, world.aida, made)
    with pytest.raises(Expired):
        await enrol(database, world.aida, made)


async def test_a_challenge_is_spent_by_a_bad_answer_too(world: World, database):
    device = SoftAuthenticator(ORIGIN)
    options = await begun(database, world.aida)
    with pytest.raises(Invalid):
        await enrol(database, world.aida, {"id": "x"})
    with pytest.raises(Expired):
        await enrol(database, world.aida, device.create(options))


async def test_a_challenge_ends_with_its_time(world: World, database, db_dba):
    device = SoftAuthenticator(ORIGIN)
    options = await begun(database, world.aida)
    await db_dba.execute(
        "update accounts.ceremony set expires_at = now() - interval '1s' where person_id = $1", world.aida.id
    )
    with pytest.raises(Expired):
        await enrol(database, world.aida, device.create(options))


async def test_a_second_enrolment_in_the_session_ends_the_first(world: World, database):
    device = SoftAuthenticator(ORIGIN)
    first = await begun(database, world.aida)
    second = await begun(database, world.aida)
    with pytest.raises(Invalid):
        await enrol(database, world.aida, device.create(first))
    third = await begun(database, world.aida)
    await enrol(database, world.aida, device.create(third))
    assert second != third


@pytest.mark.parametrize("what", ["user not verified", "another site", "another host", "another challenge"])
async def test_an_enrolment_that_does_not_fit_is_refused(what: str, world: World, database, db_dba):
    device = SoftAuthenticator("https://evil.example" if what == "another site" else ORIGIN)
    options = await begun(database, world.aida)
    if what == "user not verified":
        device.flags = PRESENT
    if what == "another host":
        options["rp"] = {"id": "evil.example"}
    if what == "another challenge":
        options["challenge"] = "AAAA"
    with pytest.raises(Invalid):
        await enrol(database, world.aida, device.create(options))
    assert await chain(db_dba, world.aida.login) == []


async def test_hostile_answers_get_words_and_never_a_fault(world: World, database):
    """The library parses them; whatever it makes of them is the sender's fault."""
    chosen = random.Random(8)
    good = SoftAuthenticator(ORIGIN).create(await begun(database, world.aida))
    challenge = base64.urlsafe_b64decode(
        json.loads(base64.urlsafe_b64decode(good["response"]["clientDataJSON"] + "=="))["challenge"] + "="
    )
    refused = 0
    for _ in range(400):
        bad = json.loads(json.dumps(good))
        field = chosen.choice(["attestationObject", "clientDataJSON"])
        data = bytearray(base64.urlsafe_b64decode(bad["response"][field] + "=="))
        for _ in range(chosen.randrange(1, 4)):
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        del data[len(data) - chosen.choice([0, 0, 1, 20]) :]
        bad["response"][field] = base64.urlsafe_b64encode(data).decode().rstrip("=")
        try:
            keys._verify(bad, challenge, SITE)
        except Invalid:
            refused += 1
    assert refused > 200
    for bad in (
        None,
        [],
        5,
        {},
        {"response": None},
        {"id": [], "rawId": {}, "response": {}, "type": 0},
        {"x": "y" * 200_000},
    ):
        with pytest.raises(Invalid):
            keys._verify(bad, challenge, SITE)


async def test_a_synced_key_is_marked_and_refused_where_the_installation_says_so(world: World, database):
    flags = PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP
    synced = await with_key(database, world.aida, flags=flags)
    assert (synced.key.backup_eligible, synced.key.backed_up) == (True, True)
    made = SoftAuthenticator(ORIGIN, flags=flags).create(await begun(database, world.nurlan))
    with pytest.raises(Invalid):
        await enrol(database, world.nurlan, made, allow_synced=False)


async def test_a_person_has_a_bounded_number_of_keys(secret: World, database):
    for _ in range(keys.MOST):
        await with_key(database, secret.aida)
    with pytest.raises(Conflict):
        await keys.begin_enrolment(database, secret.aida.actor, SITE, password=PASSWORD)


async def test_the_same_key_is_not_enrolled_twice(world: World, database, monkeypatch):
    device = SoftAuthenticator(ORIGIN)
    holder = await with_key(database, world.aida)
    monkeypatch.setattr(
        "casemgmt.accounts.keys._verify",
        lambda *_: {
            "credential": holder.key.credential, "spki": holder.key.spki, "algorithm": ES256,
            "aaguid": holder.key.aaguid,
            "attestation_format": "none", "attestation": b"x", "client_data": b"x", "transports": [],
            "backup_eligible": False, "backed_up": False,
        },
    )  # fmt: skip
    made = device.create(await begun(database, world.nurlan))
    with pytest.raises(Conflict):
        await enrol(database, world.nurlan, made)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://evidence.example.org", Site("evidence.example.org", "https://evidence.example.org")),
        ("https://Evidence.example.org:8443", Site("evidence.example.org", "https://evidence.example.org:8443")),
        ("http://localhost:8000", Site("localhost", "http://localhost:8000")),
        ("http://evidence.example.org", None),
        ("http://127.0.0.1:8000", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_keys_are_bound_to_a_host_and_need_https(url: str, site: Site | None):
    assert Site.of(url) == site


async def test_where_keys_cannot_be_had_it_is_said(secret: World, database):
    with pytest.raises(Conflict) as error:
        await keys.begin_enrolment(database, secret.aida.actor, None, password=PASSWORD)
    assert "https" in str(error.value)


async def revoke(database: Any, member: Any, holder: Holder, **data: str) -> None:
    async with database.begin(member.actor) as db:
        await keys.revoke(db, member.actor, holder.key.id, KeyRevocation(**{"reason": "lost", **data}))


async def test_the_holder_or_an_administrator_ends_a_key_once(world: World, database, db_dba):
    one, two = await with_key(database, world.aida), await with_key(database, world.aida)
    await revoke(database, world.aida, one)
    await revoke(database, world.aida, one, reason="stolen")
    await revoke(database, world.admin, two, reason="other", note="The officer reported it by phone.")
    entries = await chain(db_dba, world.aida.login)
    events = [Event.parse(body) for _, body in entries]
    assert [e.type.rpartition(":")[2] for e in events] == ["enrolled", "enrolled", "revoked", "revoked"]
    found = signer_keys(events, {e.hash: id_ for e, (id_, _) in zip(events, entries, strict=True)})
    assert all(key.revoked is not None for key in found.values())
    assert events[2].data["reason"] == "lost"
    async with database.begin(world.aida.actor) as db:
        assert [key.holds for key in await key_queries.held_by(db, world.aida.id)] == [False, False]


async def test_nobody_else_ends_a_key_or_sees_it(world: World, database):
    holder = await with_key(database, world.aida)
    for other in (world.nurlan, world.saule, world.askar):
        with pytest.raises(NotFound):
            await revoke(database, other, holder)
        async with database.begin(other.actor) as db:
            assert await key_queries.held_by(db, world.aida.id) == []


async def test_a_revocation_says_why(world: World, database):
    holder = await with_key(database, world.aida)
    for data in ({"reason": ""}, {"reason": "souvenir"}, {"reason": "other"}):
        with pytest.raises(Invalid):
            await revoke(database, world.aida, holder, **data)


async def test_an_administrator_enrols_no_key_for_somebody_else(world: World, database):
    """What the application does not offer the database refuses too: see test_walls."""
    with pytest.raises((Forbidden, Expired)):
        await enrol(database, world.admin, SoftAuthenticator(ORIGIN).create(await begun(database, world.aida)))
