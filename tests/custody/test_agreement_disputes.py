"""Each thing that keeps an agreement from taking effect, said with its own code; and bad input, told and not kept."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from casemgmt.core.clock import utcnow
from casemgmt.custody import agreement_queries
from casemgmt.trust.passkey import to_base64url as b64u
from tests.custody.agreeing import Border, Pair, next_exhibit, send, state, work
from tests.records import register_seizure
from tests.trust.phones import Phone


@pytest.fixture
def border(app, db_dba) -> Border:
    return Border(app.state.database, app.state.codes, db_dba)


async def codes(border: Border, who, pair: Pair) -> tuple[str, list[str]]:
    found = await state(border, who, pair)
    return found.state, [why.code for why in found.why]


@pytest.mark.parametrize(
    ("at", "answered"),
    [(-timedelta(days=31), timedelta()), (timedelta(hours=26), timedelta()), (timedelta(), timedelta(hours=25)),
     (timedelta(), -timedelta(hours=25))],
    ids=["a month old", "in the future", "answered another day", "answered before"],
)  # fmt: skip
async def test_by_clocks_that_cannot_be(border, world, made, at, answered):
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1], at=utcnow() + at, answered=answered)
    await border.bring(world.nurlan, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["late"])


async def test_clocks_that_differ_by_hours_are_no_dispute(border, world, made):
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1], at=utcnow() + timedelta(hours=20))
    await border.bring(world.nurlan, pair)
    assert (await codes(border, world.aida, pair))[0] == "settled"


async def test_an_offer_older_than_the_hand_over_that_brought_the_exhibit_back(border, desk, world, made):
    """Somebody kept a picture of an old offer, and answers it after the exhibit went away and came back."""
    exhibit = made.exhibits[0]
    old = await border.agree(world.aida, world.marat, [exhibit], at=utcnow() - timedelta(hours=2))
    for giver, receiver in ((world.aida, world.nurlan), (world.nurlan, world.aida)):
        (fresh,) = await desk.exhibits(giver, [exhibit])
        await desk.answer(receiver, await desk.offer(giver, receiver, [fresh]), desk.accept(fresh))
    await border.bring(world.marat, old)
    assert await codes(border, world.aida, old) == ("disputed", ["older"])


async def test_an_offer_that_two_people_answered(border, world, made):
    first = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    phone = await border.phone(world.marat)
    reply = phone.answer(first.offer, [{"exhibit": made.exhibits[0].number, "decision": "refused",
                                        "reason": "not_for_me"}], at=utcnow().isoformat())  # fmt: skip
    second = Pair(first.offer, reply)
    await border.bring(world.nurlan, first)
    await border.bring(world.marat, second)
    async with border.database.begin(world.marat.actor) as db:
        (found,) = await agreement_queries.seen(db)
    assert found.state == "disputed" and "answered_twice" in [why.code for why in found.why]
    assert (await state(border, world.nurlan, first)).state == "settled"


async def test_a_key_that_was_revoked_before_it_arrived(border, world, made, api):
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    client = api(world.nurlan)
    (key,) = [k for k in (await client.get("/api/v1/keys")).json() if k["means"] == "pin"]
    gone = await client.post(f"/api/v1/keys/{key['id']}/revocation", json={"reason": "lost", "note": "in the river"})
    assert gone.is_success, gone.text
    await border.bring(world.aida, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["key_revoked"])


async def test_a_key_of_somebody_else(border, world, made):
    """Nurlan's record, signed with a phone that is Marat's."""
    marats = await border.phone(world.marat)
    nurlan = Phone(world.nurlan.login, world.nurlan.name, world.nurlan.actor.badge)
    nurlan.__dict__.update(private=marats.private, key=marats.key)
    border.phones[world.nurlan.id] = nurlan
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    await border.bring(world.aida, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["key_other"])


@pytest.mark.parametrize("other", [{"name": "Nobody"}, {"badge": "0"}])
async def test_a_record_that_names_its_maker_otherwise_than_the_account(border, world, made, other):
    phone = await border.phone(world.nurlan)
    border.phones[world.nurlan.id] = Phone(phone.login, other.get("name", phone.name), other.get("badge", phone.badge))
    border.phones[world.nurlan.id].__dict__.update(private=phone.private, key=phone.key)
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    await border.bring(world.aida, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["person_differs"])


async def test_somebody_who_may_not_hold_exhibits(border, world, made):
    pair = await border.agree(world.aida, world.dinara, made.exhibits[:1])  # a prosecutor
    await border.bring(world.aida, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["may_not_hold"])


async def test_an_exhibit_of_another_kind_than_was_offered(border, world, made):
    phone, receiver = await border.phone(world.aida), await border.phone(world.nurlan)
    number = made.exhibits[2].number
    now = utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    offer = phone.offer([{"exhibit": number, "what": "CURR"}], at=now)
    answer = receiver.answer(offer, [{"exhibit": number, "decision": "accepted"}], at=now)
    pair = Pair(offer, answer)
    await border.bring(world.aida, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["what_differs"])


async def test_a_seal_that_nobody_wrote_a_word_about(border, world, made):
    for exhibit, said in (
        (made.exhibits[0], {"seal": "B-9999"}), (made.exhibits[1], {"seal_state": "damaged"}),
    ):  # fmt: skip
        pair = await border.agree(world.aida, world.nurlan, [exhibit], said=[said])
        await border.bring(world.aida, pair)
        assert await codes(border, world.aida, pair) == ("disputed", ["seal_unsaid"])


async def test_a_seal_that_differs_in_words_or_only_in_its_letters_is_no_dispute(border, world, database, db_dba):
    one, two = (await register_seizure(database, world.aida, "B-1001", "B-1002")).exhibits
    typed = "\u0412 1001"  # on a Cyrillic keyboard
    damaged = {"seal_state": "damaged", "discrepancy": "The wire is cut."}
    pair = await border.agree(
        world.aida, world.nurlan, [one, two], said=[{"seal": typed}, damaged], seals=[typed, None]
    )
    await border.bring(world.aida, pair)
    assert (await codes(border, world.aida, pair))[0] == "settled"
    seals = "select seal_no, seal_state from exhibits.exhibit where id = any($1) order by id"
    rows = await db_dba.fetch(seals, [one.id, two.id])
    assert [tuple(row) for row in rows] == [("B-1001", "intact"), ("B-1002", "damaged")]


async def test_an_exhibit_that_is_registered_after_the_dispute_says_it_as_well(border, world, database, dsn, db_dba):
    (exhibit,) = (await register_seizure(database, world.aida, "L-1")).exhibits
    await border.bring(world.aida, await border.agree(world.aida, world.nurlan, [exhibit]))
    unknown = await next_exhibit(border, world)
    pair = await border.agree(world.aida, world.marat, [exhibit, unknown])
    await border.bring(world.marat, pair)
    assert await codes(border, world.aida, pair) == ("disputed", ["moved"])
    later = await register_seizure(database, world.aida, None)
    assert later.exhibits[0].number == unknown
    await work(dsn)
    kinds = "select kind from custody.event where exhibit_id = $1 order by seq"
    assert [row["kind"] for row in await db_dba.fetch(kinds, later.exhibits[0].id)] == ["registered", "disputed"]
    waiting = "select count(*) from custody.agreement_waiting w join custody.agreement a on a.id = w.agreement_id"
    assert await db_dba.fetchval(f"{waiting} where a.client_id::text = $1", pair.id) == 0


Sent = dict[str, Any]
BAD: dict[str, tuple[Callable[[Sent], None], str]] = {
    "no offer": (lambda s: s.pop("offer"), "offer"),
    "a number for an answer": (lambda s: s.update(answer=7), "answer"),
    "no base64": (lambda s: s.update(offer="%%%"), "offer"),
    "padding": (lambda s: s.update(answer=s["answer"] + "="), "answer"),
    "nothing": (lambda s: s.update(offer=""), "offer"),
    "no record": (lambda s: s.update(offer=b64u(b"{}")), "offer"),
    "halves exchanged": (lambda s: s.update(offer=s["answer"], answer=s["offer"]), "offer"),
    "signatures exchanged": (
        lambda s: s.update(offer_signature=s["answer_signature"], answer_signature=s["offer_signature"]),
        "offer_signature"),
    "no signature": (lambda s: s.update(answer_signature=""), "answer_signature"),
    "a signature of something": (lambda s: s.update(answer_signature=b64u(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
                                 "answer_signature"),
    "keys that are none": (lambda s: s.update(keys=[b64u(b"key")]), "keys"),
    "keys that are no list": (lambda s: s.update(keys="key"), "keys"),
    "three keys": (lambda s: s.update(keys=s["keys"] * 2), "keys"),
    "something else besides": (lambda s: s.update(more=1), "more"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
async def test_what_is_not_two_signed_records_is_refused_with_the_member_and_not_kept(
    border, world, made, api, db_dba, case
):
    change, member = BAD[case]
    said = copy.deepcopy((await border.agree(world.aida, world.nurlan, made.exhibits[:1])).sent())
    change(said)
    before = await db_dba.fetchval("select count(*) from custody.agreement")
    answer = await api(world.aida).post("/api/v1/agreements", json=said)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert member in answer.json()["errors"], answer.text
    assert await db_dba.fetchval("select count(*) from custody.agreement") == before


async def test_codes_people_and_keys_that_nobody_knows_are_told(border, world, made, api):
    number, now = made.exhibits[0].number, utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")
    aida, nurlan = await border.phone(world.aida), await border.phone(world.nurlan)
    item = {"exhibit": number, "what": "DRUG", "seal": "B-1001"}
    accepted = {"exhibit": number, "decision": "accepted", "seal": "B-1001", "seal_state": "intact"}
    stranger = Phone("nobody-at-all", "Nobody")
    for offer, reply, member in (
        (aida.offer([item], at=now, purpose="picnic"), accepted, "offer"),
        (aida.offer([item | {"what": "UNKNOWN"}], at=now), accepted, "offer"),
        (aida.offer([item], at=now), {"exhibit": number, "decision": "refused", "reason": "mood"}, "offer"),
        (aida.offer([item], at=now), {"exhibit": number, "decision": "refused", "reason": "other"}, "offer"),
    ):
        answer = await send(api(world.aida), Pair(offer, nurlan.answer(offer, [reply], at=now)))
        assert answer.status_code == 422 and member in answer.json()["errors"], answer.text
    wrong = number[:-3] + str((int(number[-3]) + 1) % 10) + number[-2:]
    offer = aida.offer([item | {"exhibit": wrong}], at=now)
    answer = await send(api(world.aida), Pair(offer, nurlan.answer(offer, [accepted | {"exhibit": wrong}], at=now)))
    assert answer.status_code == 422 and "offer" in answer.json()["errors"]
    offer = aida.offer([item], at=now)
    answer = await send(api(world.aida), Pair(offer, stranger.answer(offer, [accepted], at=now)))
    assert answer.status_code == 422 and "answer" in answer.json()["errors"]
    border.phones[world.marat.id] = Phone(world.marat.login, world.marat.name, world.marat.actor.badge)
    pair = await border.agree(world.aida, world.marat, made.exhibits[:1])
    answer = await send(api(world.aida), pair, keys=False)
    assert answer.status_code == 422 and "answer_signature" in answer.json()["errors"]
    assert (await send(api(world.aida), pair)).json()["state"] == "waiting"


async def test_a_phone_asks_by_the_name_it_gave(border, world, made, api):
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    await border.bring(world.nurlan, pair)
    for who, status in ((world.aida, 200), (world.nurlan, 200), (world.saule, 200), (world.timur, 404)):
        answer = await api(who).get(f"/api/v1/agreements/{pair.id}")
        assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    for name in ("x", "00000000-0000-0000-0000-000000000000", pair.id[:8]):
        assert (await api(world.aida).get(f"/api/v1/agreements/{name}")).status_code == 404
    listed = (await api(world.aida).get("/api/v1/agreements")).json()
    assert listed["agreements"][0]["id"] == pair.id and listed["next"] is None
    assert (await api(world.aida).get("/api/v1/agreements?state=open")).json()["agreements"] == []
