"""A hand-over signed by both people: what is kept verifies alone, and what does not fit is not kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from casemgmt.accounts import keys
from casemgmt.accounts.actions import sign_out
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.core.errors import Conflict, Expired, Invalid, NotFound, NotSignedIn
from casemgmt.custody import signatures, signing
from casemgmt.custody.signing import Rules
from casemgmt.trust.errors import PasskeyError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import EDDSA, RS256, Assertion, Flags, PublicKey, verify
from casemgmt.trust.signers import SignerKey, signer_keys
from casemgmt.walkthrough.authenticator import BACKUP_ELIGIBLE, PRESENT, VERIFIED
from tests.cast import World
from tests.passkeys.conftest import RULES, Holder, Signers, begun, with_key
from tests.records import Registered


async def bodies(dba: Any, handover: int) -> list[tuple[int, int, bytes]]:
    rows = await dba.fetch(
        "select c.exhibit_id, c.seq, l.body from custody.event c join exhibits.exhibit e on e.id = c.exhibit_id"
        " join ledger.entry l on l.stream = 'exhibit:' || e.number and l.stream_seq = c.seq"
        " where c.handover_id = $1 order by c.exhibit_id, c.seq",
        handover,
    )
    return [tuple(row) for row in rows]


async def test_both_sign_and_every_event_verifies_with_what_is_kept(desk: Signers, world, made, aida, nurlan, db_dba):
    one, two = made.exhibits[:2]
    handover = await desk.signed_offer(aida, world.nurlan, [one, two])
    await desk.signed_answer(nurlan, handover, desk.accept(one), desk.refuse(two, "not_for_me"))
    async with desk.database.begin(world.aida.actor) as db:
        entries = await signatures.signer_entries(db, [one.id, two.id])
        kept = {place[:2]: await signatures.files(db, *place[:2]) for place in await bodies(db_dba, handover)}
    indexes = {row.leaf_hash: row.id for row in entries}
    known: dict[str, SignerKey] = {}
    for holder in (aida, nurlan):
        chain = [Event.parse(r.body) for r in entries if r.stream == f"passkeys:{holder.member.login}"]
        known |= signer_keys(chain, indexes)
    events = await bodies(db_dba, handover)
    assert len(events) == len(kept) == 4
    for exhibit, seq, body in events:
        event, five = Event.parse(body), kept[exhibit, seq]
        key = known[event.data["signature"]["key"]]
        assert key.person == event.actor["id"]
        made_ = Assertion(five["clientData.json"], five["authData.bin"], five["sig.der"])
        assert PublicKey.from_pem(five["pub.pem"]) == key.key
        key.check(made_, five["statement.txt"], event, body, index=10**9)


async def test_openssl_alone_verifies_what_the_system_kept(desk: Signers, world, made, aida, db_dba, tmp_path: Path):
    handover = await desk.signed_offer(aida, world.nurlan, made.exhibits[:2])
    exhibit, seq, body = (await bodies(db_dba, handover))[1]
    async with desk.database.begin(world.aida.actor) as db:
        five = await signatures.files(db, exhibit, seq)
    for name, data in five.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "1.event").write_bytes(body)
    from tests.trust.test_passkey import commands

    done = subprocess.run(
        ["sh", "-c", commands(), "sh", "1.event", "localhost"], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(body)["data"]["signature"] == {"means": "passkey", "key": done.stdout.split()[-2]}


@pytest.mark.parametrize("algorithm", [EDDSA, RS256])
async def test_other_algorithms_sign_too(algorithm: int, desk: Signers, world, made, database):
    holder = await with_key(database, world.aida, algorithm=algorithm)
    handover = await desk.signed_offer(holder, world.nurlan, made.exhibits[:1])
    full = await desk.full(world.nurlan, handover)
    assert full.offer_signed is not None
    assert full.offer_signed.key == holder.key.fingerprint.hex()


async def test_without_a_key_the_hand_over_works_and_says_so(desk: Signers, world, made, db_dba):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:1])
    await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]))
    said = [json.loads(body)["data"]["signature"] for *_, body in await bodies(db_dba, handover)]
    assert said == [{"means": "session"}] * 2
    full = await desk.full(world.aida, handover)
    assert full.offer_signed is None
    assert full.lines[0].answer_signed is None


async def test_who_has_a_key_may_still_go_on_without(desk: Signers, world, made, aida, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    handover = await signing.without(desk.database, world.aida.actor, request, desk.codes)
    ((*_, body),) = await bodies(db_dba, handover)
    assert json.loads(body)["data"]["signature"] == {"means": "session"}
    with pytest.raises(Expired):
        await desk.sign(aida, request)


async def test_nothing_is_kept_before_the_signature(desk: Signers, world, made, aida, db_dba):
    await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    (exhibit,) = await desk.exhibits(world.aida, made.exhibits[:1])
    assert (exhibit.last_seq, exhibit.offered_to) == (1, None)


async def test_the_bytes_that_were_shown_are_the_bytes_that_are_kept(desk: Signers, world, made, aida, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:2])
    waiting = (await desk.pending(aida, request)).request.bodies
    handover = await desk.sign(aida, request)
    assert [body for *_, body in await bodies(db_dba, handover)] == waiting


async def refused(desk: Signers, holder: Holder, request: uuid.UUID, credential: object, made: Registered) -> str:
    """The words; and nothing has moved."""
    with pytest.raises(Invalid) as error:
        await desk.sign(holder, request, credential)
    for exhibit in await desk.exhibits(holder.member, made.exhibits[:1]):
        assert (exhibit.last_seq, exhibit.offered_to) == (1, None)
    return str(error.value.__cause__ or error.value.fields["credential"])


async def test_an_assertion_for_one_hand_over_is_refused_for_another(desk: Signers, world, made, aida):
    a = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    b = await desk.prepared(aida, world.marat, made.exhibits[:1])
    signature_of_a = aida.signs(await desk.pending(aida, a))
    assert "challenge" in await refused(desk, aida, b, signature_of_a, made)
    await desk.sign(aida, a, signature_of_a)


async def test_an_assertion_is_not_taken_twice(desk: Signers, world, made, aida, nurlan, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    credential = aida.signs(await desk.pending(aida, request))
    handover = await desk.sign(aida, request, credential)
    assert await desk.sign(aida, request, credential) == handover, "sent again it is the same hand-over"
    assert len(await bodies(db_dba, handover)) == 1
    await desk.signed_answer(nurlan, handover, desk.refuse(made.exhibits[0], "not_for_me"))
    again = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    with pytest.raises(Invalid):
        await desk.sign(aida, again, credential)


async def test_a_user_who_was_not_verified_is_refused(desk: Signers, world, made, aida):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    aida.device.flags = PRESENT
    words = await refused(desk, aida, request, aida.signs(await desk.pending(aida, request)), made)
    assert "did not verify its user" in words


async def test_another_persons_key_and_another_site_are_refused(desk: Signers, world, made, aida, nurlan, database):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    options = (await desk.pending(aida, request)).options
    other = options | {"allowCredentials": [{"id": next(iter(nurlan.device.keys))}]}
    assert "Another key" in await refused(desk, aida, request, nurlan.device.get(other), made)
    forged = nurlan.device.get(other) | {"id": options["allowCredentials"][0]["id"]}
    assert "not by this key" in await refused(desk, aida, request, forged, made)
    aida.device.origin = "https://evil.example"
    assert "signed at" in await refused(desk, aida, request, aida.device.get(options), made)
    aida.device.origin = "http://localhost:8000"
    assert "another site" in await refused(
        desk, aida, request, aida.device.get(options | {"rpId": "evil.example"}), made
    )


@pytest.mark.parametrize(
    "credential",
    [None, 5, "x", [], {}, {"response": {}}, {"id": 1, "response": {"signature": None}},
     {"id": "a", "response": {"clientDataJSON": "!", "authenticatorData": "", "signature": ""}},
     {"id": "AA", "response": {"clientDataJSON": "A" * 100_000, "authenticatorData": "AA", "signature": "AA"}}],
    ids=repr,
)  # fmt: skip
async def test_an_answer_that_is_none_is_refused_in_words(credential: object, desk: Signers, world, made, aida):
    with pytest.raises(Invalid):
        signing.read_assertion(credential)


async def test_a_request_belongs_to_its_person_and_its_session(desk: Signers, world, made, aida, nurlan, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    with pytest.raises(Expired):
        await desk.sign(nurlan, request, {})
    from casemgmt.core.web.signin import load_actor, token_hash

    await db_dba.execute(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at) "
        " values ($1, $2, 'x', now() + interval '1h')",
        token_hash("elsewhere"), world.aida.id,
    )  # fmt: skip
    elsewhere = await load_actor(desk.database, token_hash("elsewhere"))
    assert elsewhere is not None
    credential = aida.signs(await desk.pending(aida, request))
    with pytest.raises(Expired):
        await signing.sign(desk.database, elsewhere, request, credential, RULES)
    await db_dba.execute("delete from accounts.session where token_hash = $1", token_hash("elsewhere"))


async def test_a_request_ends_with_its_time(desk: Signers, world, made, aida, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    credential = aida.signs(await desk.pending(aida, request))
    await db_dba.execute(
        "update custody.signature_request set expires_at = now() - interval '1 second' where id = $1", request
    )
    with pytest.raises(Expired):
        await desk.sign(aida, request, credential)
    await db_dba.execute("select accounts.purge()")
    assert await db_dba.fetchval("select count(*) from custody.signature_request where id = $1", request) == 0


async def test_a_person_has_a_bounded_number_of_requests(desk: Signers, world, made, aida, db_dba):
    requests = [await desk.prepared(aida, world.nurlan, made.exhibits[:1]) for _ in range(12)]
    count = await db_dba.fetchval("select count(*) from custody.signature_request where person_id = $1", world.aida.id)
    assert count == signing.MOST_WAITING
    with pytest.raises(Expired):
        await desk.sign(aida, requests[0], {})
    await desk.sign(aida, requests[-1])


async def test_an_exhibit_that_moved_on_meanwhile_is_a_conflict_and_nothing_is_kept(
    desk: Signers, world, made, aida, db_dba
):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:2])
    credential = aida.signs(await desk.pending(aida, request))
    await desk.offer(world.aida, world.marat, made.exhibits[1:2])
    with pytest.raises(Conflict) as conflict:
        await desk.sign(aida, request, credential)
    assert "moved on" in str(conflict.value)
    (first,) = await desk.exhibits(world.aida, made.exhibits[:1])
    assert (first.last_seq, first.offered_to) == (1, None)
    assert await db_dba.fetchval("select count(*) from custody.assertion where request_id = $1", request) == 0


async def test_two_tabs_sign_at_once_and_one_hand_over_comes_of_it(desk: Signers, world, made, aida, db_dba):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    credential = aida.signs(await desk.pending(aida, request))
    found = await asyncio.gather(*(desk.sign(aida, request, credential) for _ in range(4)))
    assert len(set(found)) == 1
    assert len(await bodies(db_dba, found[0])) == 1


async def test_two_prepared_offers_of_the_same_exhibit_end_as_one(desk: Signers, world, made, aida):
    first = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    second = await desk.prepared(aida, world.marat, made.exhibits[:1])
    await desk.sign(aida, second)
    with pytest.raises(Conflict):
        await desk.sign(aida, first)


async def test_the_same_client_id_is_one_hand_over(desk: Signers, world, made, aida):
    client_id = uuid.uuid4()
    first = await desk.prepared(aida, world.nurlan, made.exhibits[:1], client_id=client_id)
    second = await desk.prepared(aida, world.nurlan, made.exhibits[:1], client_id=client_id)
    handover = await desk.sign(aida, first)
    with pytest.raises(Conflict):
        await desk.sign(aida, second)
    assert await desk.prepare(aida, world.nurlan, made.exhibits[:1], client_id=client_id) == handover


async def revoke(desk: Signers, who: Any, holder: Holder, reason: str = "lost") -> None:
    async with desk.database.begin(who.actor) as db:
        await keys.revoke(db, who.actor, holder.key.id, KeyRevocation(reason=reason))


async def test_a_key_revoked_meanwhile_signs_nothing_any_more(desk: Signers, world, made, aida):
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    credential = aida.signs(await desk.pending(aida, request))
    await revoke(desk, world.admin, aida)
    with pytest.raises(Conflict) as conflict:
        await desk.sign(aida, request, credential)
    assert "revoked" in str(conflict.value)
    with pytest.raises(Invalid):
        await desk.prepare(aida, world.nurlan, made.exhibits[:1])
    (exhibit,) = await desk.exhibits(world.aida, made.exhibits[:1])
    assert exhibit.last_seq == 1


async def test_signing_and_revoking_at_once_stand_in_the_ledger_as_they_hold(
    desk: Signers, world, made, database, db_dba
):
    """Whichever is first: a signed event never stands behind the revocation of its key."""
    for _ in range(8):
        holder = await with_key(database, world.aida)
        request = await desk.prepared(holder, world.nurlan, made.exhibits[:1])
        credential = holder.signs(await desk.pending(holder, request))
        signed, _ = await asyncio.gather(
            desk.sign(holder, request, credential), revoke(desk, world.admin, holder), return_exceptions=True
        )
        if isinstance(signed, BaseException):
            assert isinstance(signed, Conflict)
            continue
        order = await db_dba.fetch(
            "select type from ledger.entry where stream = any ($1) and type in"
            " ('custody:handover:offered', 'accounts:passkey:revoked') order by xid desc, id desc limit 2",
            [f"exhibit:{made.exhibits[0].number}", f"passkeys:{world.aida.login}"],
        )
        assert [row["type"] for row in order] == ["accounts:passkey:revoked", "custody:handover:offered"]
        await desk.answer(world.aida, signed, desk.withdraw(made.exhibits[0]))


async def test_a_synced_key_is_marked_and_may_be_refused(desk: Signers, world, made, database):
    synced = await with_key(database, world.aida, flags=PRESENT | VERIFIED | BACKUP_ELIGIBLE)
    assert synced.key.backup_eligible
    handover = await desk.signed_offer(synced, world.nurlan, made.exhibits[:1])
    full = await desk.full(world.nurlan, handover)
    assert full.offer_signed is not None
    assert full.offer_signed.synced
    strict = Rules(RULES.site, allow_synced=False)
    with pytest.raises(Invalid):
        await signing.prepare_answer(
            desk.database, world.aida.actor, handover, None, desk.code(synced), desk.codes, strict  # type: ignore[arg-type]
        )  # fmt: skip


async def test_a_key_of_somebody_else_cannot_be_chosen(desk: Signers, world: World, made, aida, nurlan):
    stolen = Holder(world.aida, nurlan.device, nurlan.key)
    with pytest.raises(Invalid) as error:
        await desk.prepare(stolen, world.nurlan, made.exhibits[:1])
    assert "sign_with" in error.value.fields


async def test_who_sees_the_exhibit_sees_its_signatures_and_its_signers_and_nothing_more(
    desk: Signers, world, made, aida, nurlan, database
):
    handover = await desk.signed_offer(aida, world.nurlan, made.exhibits[:1])
    for who, sees in ((world.saule, True), (world.nurlan, True), (world.timur, False), (world.admin, False)):
        async with desk.database.begin(who.actor) as db:
            entries = await signatures.signer_entries(db, [made.exhibits[0].id])
            signed = await signatures.of_handover(db, handover)
            assert {row.stream for row in entries} == ({f"passkeys:{world.aida.login}"} if sees else set())
            assert bool(signed) == sees
            if not sees:
                with pytest.raises(NotFound):
                    await signatures.files(db, made.exhibits[0].id, 2)


async def test_the_receiver_who_refused_still_sees_that_both_signed(desk: Signers, world, made, aida, database):
    elena = await with_key(database, world.elena)
    handover = await desk.signed_offer(aida, world.elena, made.exhibits[:1], purpose="examination")
    await desk.signed_answer(elena, handover, desk.refuse(made.exhibits[0], "not_for_me"))
    assert await desk.exhibits(world.elena, made.exhibits[:1]) == []
    async with desk.database.begin(world.elena.actor) as db:
        assert len(await signatures.of_handover(db, handover)) == 2


async def test_the_check_of_the_signature_is_what_refuses(desk: Signers, world, made, aida, nurlan, monkeypatch):
    """Guard: with the check away a signature by somebody else's key would be kept, and the verifier finds it later."""
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    options = (await desk.pending(aida, request)).options
    forged = nurlan.device.get(options | {"allowCredentials": [{"id": next(iter(nurlan.device.keys))}]})
    forged |= {"id": options["allowCredentials"][0]["id"]}
    with pytest.raises(Invalid):
        await desk.sign(aida, request, forged)
    monkeypatch.setattr(signing, "verify", lambda *_, **__: Flags(False, False, 0))
    await desk.sign(aida, request, forged)
    async with desk.database.begin(world.aida.actor) as db:
        five = await signatures.files(db, made.exhibits[0].id, 2)
    kept = Assertion(five["clientData.json"], five["authData.bin"], five["sig.der"])
    with pytest.raises(PasskeyError):
        verify(
            kept, five["statement.txt"], PublicKey.from_pem(five["pub.pem"]), rp_id="localhost",
            origin="http://localhost:8000",
        )  # fmt: skip


async def test_what_waits_ends_with_its_session(desk: Signers, world, made, aida, db_dba):
    """Signing out takes the request and an enrolment that had begun along, and the person out of nothing else."""
    request = await desk.prepared(aida, world.nurlan, made.exhibits[:1])
    await begun(desk.database, world.aida)
    async with desk.database.begin(world.aida.actor) as db:
        await sign_out(db, world.aida.actor)
    for table in ("custody.signature_request", "accounts.ceremony"):
        found = f"select count(*) from {table} where person_id = $1"  # noqa: S608
        assert await db_dba.fetchval(found, world.aida.id) == 0
    with pytest.raises(NotSignedIn):
        await desk.sign(aida, request, {})


async def test_a_signature_changed_in_the_database_is_shown_as_one_that_does_not_fit(
    desk: Signers, world, made, aida, db_dba, browser
):
    """Pages say "signed with a key" only after they verified it; somebody above all walls can still change the rows."""
    handover = await desk.signed_offer(aida, world.nurlan, made.exhibits[:1])
    addresses = [f"/hand-overs/{desk.codes.encode('handover', handover)}"]
    addresses += [f"{addresses[0]}/receipt", f"/exhibits/{desk.codes.encode('exhibit', made.exhibits[0].id)}"]
    client = browser(world.aida)
    for address in addresses:
        assert "Signed with a key" in (await client.get(address)).text
    async with db_dba.transaction():
        await db_dba.execute("alter table custody.assertion disable trigger no_change")
        await db_dba.execute(
            "update custody.assertion set signature = set_byte(signature, 20, 255 - get_byte(signature, 20))"
            " where handover_id = $1",
            handover,
        )
        await db_dba.execute("alter table custody.assertion enable always trigger no_change")
    for address in addresses:
        page = (await client.get(address)).text
        assert "The signature does not fit" in page
        assert "Signed with a key" not in page
