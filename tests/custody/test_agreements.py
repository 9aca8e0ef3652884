"""What two phones agreed without a network becomes a hand-over, waits, or is disputed, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from casemgmt.core.clock import utcnow
from casemgmt.custody import agreement_queries
from casemgmt.exhibits.queries import by_ids
from casemgmt.trust.agreement import check_event
from casemgmt.trust.events import Event
from tests.custody.agreeing import Border, Pair, next_exhibit, send, state, work
from tests.records import register_seizure


@pytest.fixture
def border(app, db_dba) -> Border:
    return Border(app.state.database, app.state.codes, db_dba)


async def holders(border: Border, exhibits, dba) -> list[int]:
    rows = await dba.fetch(
        "select holder_id from exhibits.exhibit where id = any($1) order by id", [e.id for e in exhibits]
    )
    return [row["holder_id"] for row in rows]


async def test_a_pair_that_either_phone_brings_is_a_hand_over_with_both_times(border, world, made, api, db_dba, codes):
    one, two = made.exhibits[:2]
    refused = {"decision": "refused", "reason": "seal_damaged", "seal_state": "damaged"}
    at = utcnow() - timedelta(hours=3)
    pair = await border.agree(world.aida, world.nurlan, [one, two], at=at, said=[{}, refused])
    answer = await send(api(world.nurlan), pair)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert (said["state"], said["id"], said["why"]) == ("settled", pair.id, [])
    assert said["number"].split("-")[1:3] == [world.codes["post"], "8"]
    again = await send(api(world.aida), pair)
    assert (again.status_code, again.json()["number"]) == (200, said["number"])
    assert await holders(border, [one, two], db_dba) == [world.nurlan.id, world.aida.id]
    rows = await db_dba.fetch(
        "select c.kind, c.actor_id, c.device_at, c.at, l.body from custody.event c"
        " join ledger.entry l on l.leaf_hash = c.hash where c.exhibit_id = $1 order by c.seq", one.id)  # fmt: skip
    assert [(r["kind"], r["actor_id"]) for r in rows] == [
        ("registered", world.aida.id), ("offered", world.aida.id), ("accepted", world.nurlan.id)]  # fmt: skip
    assert abs(rows[1]["device_at"] - at) < timedelta(seconds=1)
    assert rows[1]["at"] - rows[1]["device_at"] > timedelta(hours=2)
    for record, row in ((pair.offer, rows[1]), (pair.answer, rows[2])):
        check_event(record.body, Event.parse(row["body"]))
    found = await state(border, world.saule, pair)
    assert [who.id for who, _ in found.brought] == [world.nurlan.id, world.aida.id]
    stream = await db_dba.fetch(
        "select type from ledger.entry where stream = $1 order by stream_seq", f"agreement:{pair.id}"
    )
    assert [row["type"].rpartition(":")[2] for row in stream] == ["brought", "settled", "brought"]


@pytest.fixture
def codes(app):
    return app.state.codes


async def test_both_phones_at_once_make_one_hand_over(border, world, database, api, db_dba):
    made = await register_seizure(database, world.aida, "C-1", "C-2")
    pair = await border.agree(world.aida, world.nurlan, made.exhibits)
    clients = [api(who) for who in (world.aida, world.nurlan)]
    answers = await asyncio.gather(*(send(clients[n % 2], pair) for n in range(24)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 23}
    assert {answer.json()["state"] for answer in answers} <= {"settled", "waiting"}
    assert (await state(border, world.aida, pair)).state == "settled"
    count = "select count(*) from custody.event where exhibit_id = any($1)"
    assert await db_dba.fetchval(count, [e.id for e in made.exhibits]) == 6
    assert await db_dba.fetchval("select count(*) from custody.handover where client_id = $1", pair.id) == 1
    brought = "select count(*) from ledger.entry where stream = $1 and type = 'custody:agreement:brought'"
    assert await db_dba.fetchval(brought, f"agreement:{pair.id}") == 2


async def test_an_exhibit_that_is_not_registered_yet_is_waited_for(border, world, database, dsn, db_dba):
    later = await register_seizure(database, world.aida, "D-1")
    number = later.exhibits[0].number
    next_number = await next_exhibit(border, world)
    pair = await border.agree(world.aida, world.nurlan, [next_number])
    brought = await border.bring(world.nurlan, pair)
    assert brought.made
    found = await state(border, world.aida, pair)
    assert (found.state, [(w.code, w.exhibit) for w in found.why]) == ("waiting", [("exhibit_unknown", next_number)])
    await work(dsn)  # it settles what other tests left as well
    assert (await state(border, world.aida, pair)).state == "waiting"
    registered = await register_seizure(database, world.aida, None)
    assert registered.exhibits[0].number == next_number != number
    await work(dsn)
    assert (await state(border, world.aida, pair)).state == "settled"
    assert await holders(border, registered.exhibits, db_dba) == [world.nurlan.id]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=lambda o: "".join(map(str, o)))
async def test_a_chain_settles_in_its_own_order_in_whatever_order_it_arrives(
    border, world, database, dsn, db_dba, order
):
    """Aida to Nurlan, Nurlan to Marat, Marat to Elena, all without a network."""
    (exhibit,) = (await register_seizure(database, world.aida, "E-1")).exhibits
    hands = [world.aida, world.nurlan, world.marat, world.elena]
    start = utcnow() - timedelta(hours=6)
    pairs = [
        await border.agree(a, b, [exhibit], at=start + timedelta(hours=n), purpose="examination")
        for n, (a, b) in enumerate(itertools.pairwise(hands))
    ]
    for n in order:
        await border.bring(hands[n], pairs[n])
    await work(dsn)
    assert [(await state(border, hands[n], pairs[n])).state for n in range(3)] == ["settled"] * 3
    chain = await db_dba.fetch(
        "select kind, from_id, to_id from custody.event where exhibit_id = $1 and kind = 'accepted' order by seq",
        exhibit.id,
    )
    assert [(row["from_id"], row["to_id"]) for row in chain] == [(a.id, b.id) for a, b in itertools.pairwise(hands)]
    assert await holders(border, [exhibit], db_dba) == [world.elena.id]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=lambda o: "".join(map(str, o)))
async def test_an_exhibit_that_came_back_meanwhile_settles_in_any_order_when_the_phone_names_what_came_before(
    border, world, database, dsn, db_dba, order
):
    (exhibit,) = (await register_seizure(database, world.aida, "F-1")).exhibits
    hands = [world.aida, world.nurlan, world.aida, world.marat]
    start = utcnow() - timedelta(hours=6)
    pairs: list[Pair] = []
    for n, (a, b) in enumerate(itertools.pairwise(hands)):
        after = pairs[-1].id if pairs else None
        pairs.append(await border.agree(a, b, [exhibit], at=start + timedelta(hours=n), after=after))
    for n in order:
        await border.bring(hands[n], pairs[n])
    await work(dsn)
    assert [(await state(border, hands[n], pairs[n])).state for n in range(3)] == ["settled"] * 3
    assert await holders(border, [exhibit], db_dba) == [world.marat.id]


async def test_a_key_that_is_not_enrolled_yet_is_waited_for(border, world, made, dsn):
    await border.phone(world.nurlan, enrolled=False)
    pair = await border.agree(world.aida, world.nurlan, made.exhibits[:1])
    await border.bring(world.aida, pair)
    found = await state(border, world.aida, pair)
    assert (found.state, [w.code for w in found.why]) == ("waiting", ["key_unknown"])
    await border.enrol(world.nurlan)
    await work(dsn)
    assert (await state(border, world.aida, pair)).state == "settled"


async def test_what_is_on_offer_to_somebody_else_is_waited_for(border, desk, world, made, dsn):
    exhibit = made.exhibits[0]
    pair = await border.agree(world.aida, world.nurlan, [exhibit])
    handover = await desk.offer(world.aida, world.marat, [exhibit])
    await border.bring(world.nurlan, pair)
    assert [w.code for w in (await state(border, world.aida, pair)).why] == ["on_offer"]
    await desk.answer(world.marat, handover, desk.refuse(exhibit))
    await border.dba.execute("update custody.agreement_waiting set due = now()")
    await work(dsn)
    assert (await state(border, world.aida, pair)).state == "settled"


async def test_what_was_handed_over_twice_is_disputed_and_its_holder_stays(border, world, made, db_dba):
    exhibit = made.exhibits[0]
    start = utcnow() - timedelta(hours=2)
    first = await border.agree(world.aida, world.nurlan, [exhibit], at=start)
    second = await border.agree(world.aida, world.marat, [exhibit], at=start + timedelta(minutes=30))
    await border.bring(world.aida, first)
    await border.bring(world.marat, second)
    found = await state(border, world.marat, second)
    assert (found.state, [(w.code, w.exhibit) for w in found.why]) == ("disputed", [("moved", exhibit.number)])
    assert await holders(border, [exhibit], db_dba) == [world.nurlan.id]
    row = await db_dba.fetchrow(
        "select c.kind, c.actor_id, l.body from custody.event c join ledger.entry l on l.leaf_hash = c.hash"
        " where c.exhibit_id = $1 order by c.seq desc limit 1", exhibit.id)  # fmt: skip
    assert (row["kind"], row["actor_id"]) == ("disputed", 0)
    said = msgspec.json.decode(row["body"])
    assert (said["type"], said["actor"]["name"]) == ("custody:exhibit:disputed", "casemgmt")
    assert said["data"]["agreement"] == second.id
    async with border.database.begin(world.aida.actor) as db:
        assert await agreement_queries.open_disputes(db, [exhibit.id]) == {exhibit.id: 1}


async def test_a_later_hand_over_goes_on_from_the_record_while_a_dispute_stands(border, desk, world, made, database):
    exhibit = made.exhibits[0]
    for to in (world.nurlan, world.marat):
        await border.bring(world.aida, await border.agree(world.aida, to, [exhibit]))
    async with database.begin(world.nurlan.actor) as db:
        (fresh,) = await by_ids(db, [exhibit.id])
    handover = await desk.offer(world.nurlan, world.marat, [fresh])
    await desk.answer(world.marat, handover, desk.accept(fresh))
    assert (await desk.full(world.marat, handover)).result == "accepted"
