"""Custody is two-sided: who holds an exhibit changes only when both have said so."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import asyncpg
import pytest
import rfc8785

from casemgmt.core.errors import Conflict, Forbidden, Invalid, NotFound, SentBefore
from casemgmt.custody import actions
from casemgmt.custody.schemas import NewOffer, OfferedExhibit
from casemgmt.trust.events import Event, chains
from tests.cast import World
from tests.custody.conftest import Desk
from tests.records import Registered, register_seizure


async def test_the_giver_holds_the_exhibit_until_it_is_accepted(desk: Desk, world: World, made: Registered):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:1])
    (offered,) = await desk.exhibits(world.aida, made.exhibits[:1])
    assert (offered.holder_id, offered.offered_to) == (world.aida.id, world.nurlan.id)
    await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]))
    (accepted,) = await desk.exhibits(world.nurlan, made.exhibits[:1])
    assert (accepted.holder_id, accepted.offered_to) == (world.nurlan.id, None)
    assert accepted.status == "in_storage"
    full = await desk.full(world.aida, handover)
    assert full.result == "accepted"
    assert full.answered_at is not None


async def test_one_exhibit_is_accepted_and_another_stays_with_the_giver_with_the_reason(desk: Desk, world, made):
    one, two = made.exhibits[:2]
    handover = await desk.offer(world.aida, world.nurlan, [one, two])
    refusal = desk.refuse(two, "seal_differs", seal="B-1008", seal_state="intact")
    await desk.answer(world.nurlan, handover, desk.accept(one), refusal)
    kept = {e.id: e for e in await desk.exhibits(world.aida, [one, two])}
    assert kept[one.id].holder_id == world.nurlan.id
    assert (kept[two.id].holder_id, kept[two.id].offered_to) == (world.aida.id, None)
    assert (kept[two.id].seal_no, kept[two.id].seal_state) == ("B-1002", "intact")
    full = await desk.full(world.aida, handover)
    assert full.result == "mixed"
    refused = next(line for line in full.lines if line.item.exhibit_id == two.id)
    assert refused.answered is not None
    assert (refused.answered.reason, refused.answered.seal_no) == ("seal_differs", "B-1008")


async def test_it_refuses_a_handover_the_receiver_did_not_confirm(desk: Desk, world: World, made: Registered):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:1])
    for other in (world.aida, world.saule):
        with pytest.raises(Forbidden):
            await desk.answer(other, handover, desk.accept(made.exhibits[0]))
    with pytest.raises(NotFound):
        await desk.answer(world.oleg, handover, desk.accept(made.exhibits[0]))
    with pytest.raises(Forbidden):
        await desk.answer(world.nurlan, handover, desk.withdraw(made.exhibits[0]))


async def test_the_giver_may_take_an_offer_back(desk: Desk, world: World, made: Registered):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:2])
    await desk.answer(world.aida, handover, *map(desk.withdraw, made.exhibits[:2]))
    assert (await desk.full(world.aida, handover)).result == "withdrawn"
    with pytest.raises(Conflict):
        await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]))
    again = await desk.offer(world.aida, world.nurlan, made.exhibits[:2])
    assert again != handover


async def test_a_seal_that_differs_is_accepted_only_with_words(desk: Desk, world: World, made: Registered):
    exhibit = made.exhibits[0]
    handover = await desk.offer(world.aida, world.nurlan, [exhibit])
    with pytest.raises(Invalid) as refused:
        await desk.answer(world.nurlan, handover, desk.accept(exhibit, seal="B-1007"))
    assert list(refused.value.fields) == ["items.0.discrepancy"]
    words = {"seal": "B-1007", "discrepancy": "Another bag, unopened."}
    await desk.answer(world.nurlan, handover, desk.accept(exhibit, **words))
    (accepted,) = await desk.exhibits(world.nurlan, [exhibit])
    assert (accepted.seal_no, accepted.seal_state) == ("B-1007", "differs")


async def test_the_database_itself_refuses_a_seal_that_differs_without_words(desk: Desk, world, made, dsn):
    exhibit = made.exhibits[0]
    handover = await desk.offer(world.aida, world.nurlan, [exhibit])
    (fresh,) = await desk.exhibits(world.nurlan, [exhibit])
    call = "select custody.answer($1,$2,null,$3,'{accepted}',$4,$5,$6,$7,$8,$9,'{null}',$10,'{null}')"
    connection = await asyncpg.connect(dsn.app)

    async def accept(seal: str | None, state: str, words: str | None) -> None:
        await connection.execute(
            call, world.nurlan.actor.token, handover, [exhibit.id], [fresh.last_seq], [fresh.last_hash],
            [uuid.uuid4()], [b"{}"], [seal], [state], [words],
        )  # fmt: skip

    for seal, state in (("B-1007", "intact"), ("B-1001", "damaged"), (None, "missing")):
        for words in (None, ""):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await accept(seal, state, words)
            assert refused.value.sqlstate == "CM002"
    await accept("B-1001", "damaged", "Torn on the left.")
    await connection.close()


async def test_the_same_offer_sent_again_is_one_handover(desk: Desk, world: World, made: Registered, db_dba):
    client_id = uuid.uuid4()
    first = await desk.offer(world.aida, world.nurlan, made.exhibits[:1], client_id=client_id)
    second = await desk.offer(world.aida, world.nurlan, made.exhibits[:1], client_id=client_id)
    assert first == second
    events = "select count(*) from custody.event where handover_id = $1"
    assert await db_dba.fetchval(events, first) == 1


async def test_an_offer_sent_again_with_other_contents_is_a_conflict(desk: Desk, world: World, made: Registered):
    client_id = uuid.uuid4()
    await desk.offer(world.aida, world.nurlan, made.exhibits[:1], client_id=client_id)
    with pytest.raises(SentBefore):
        await desk.offer(world.aida, world.nurlan, made.exhibits[:2], client_id=client_id)
    with pytest.raises(SentBefore):
        await desk.offer(world.aida, world.marat, made.exhibits[:1], client_id=client_id)


async def test_an_exhibit_that_has_moved_on_is_a_conflict_and_nothing_of_the_offer_is_kept(desk, world, made, db_dba):
    one, two = made.exhibits[:2]
    handover = await desk.offer(world.aida, world.nurlan, [one])
    with pytest.raises(Conflict):
        await desk.offer(world.aida, world.marat, [two, one])
    await desk.answer(world.nurlan, handover, desk.accept(one))
    with pytest.raises(Forbidden):
        await desk.offer(world.aida, world.marat, [one])
    (untouched,) = await desk.exhibits(world.aida, [two])
    assert (untouched.last_seq, untouched.offered_to) == (1, None)


async def test_an_offer_must_name_the_exhibit_as_the_page_showed_it(desk: Desk, world: World, made: Registered):
    code = desk.codes.encode("exhibit", made.exhibits[0].id)
    for seq, prev in ((2, made.exhibits[0].last_hash.hex()), (1, "00" * 32)):
        item = OfferedExhibit(exhibit=code, seq=seq, prev=prev, seal="B-1001")
        to = desk.codes.encode("person", world.nurlan.id)
        data = NewOffer(client_id=uuid.uuid4(), to=to, purpose="storage", exhibits=[item])
        with pytest.raises(Conflict):
            await actions.offer(desk.database, world.aida.actor, data, desk.codes)


async def test_nobody_offers_to_themselves_to_a_stranger_or_without_a_purpose(desk: Desk, world, made):
    for to, purpose, field in (
        (world.aida, "storage", "to"),
        (world.admin, "storage", "to"),
        (world.askar, "storage", "to"),
        (world.nurlan, "souvenir", "purpose"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.offer(world.aida, to, made.exhibits[:1], purpose=purpose)
        assert field in refused.value.fields


async def test_a_giver_who_sees_another_seal_says_so(desk: Desk, world: World, made: Registered):
    with pytest.raises(Invalid) as refused:
        await desk.offer(world.aida, world.nurlan, made.exhibits[:1], seals=["B-7"])
    assert "exhibits.0.seal" in refused.value.fields
    await desk.offer(world.aida, world.nurlan, made.exhibits[:1], seals=["B-7"], note="Repacked: the bag was wet.")


async def test_an_exhibit_of_another_unit_cannot_be_offered_and_does_not_exist(desk: Desk, world, database):
    other = await register_seizure(database, world.timur, "T-1")
    code = desk.codes.encode("exhibit", other.exhibits[0].id)
    item = OfferedExhibit(exhibit=code, seq=1, prev=other.exhibits[0].last_hash.hex(), seal="T-1")
    to = desk.codes.encode("person", world.nurlan.id)
    data = NewOffer(client_id=uuid.uuid4(), to=to, purpose="storage", exhibits=[item])
    with pytest.raises(NotFound):
        await actions.offer(desk.database, world.aida.actor, data, desk.codes)
    with pytest.raises(Forbidden):
        await actions.offer(desk.database, world.gulnara.actor, data, desk.codes)


async def test_whoever_is_offered_an_exhibit_sees_its_seizure_and_loses_sight_on_refusal(desk, world, made):
    assert await desk.exhibits(world.elena, made.exhibits[:1]) == []
    handover = await desk.offer(world.aida, world.elena, made.exhibits[:1], purpose="examination")
    assert len(await desk.exhibits(world.elena, made.exhibits[:1])) == 1
    await desk.answer(world.elena, handover, desk.refuse(made.exhibits[0], "not_for_me"))
    assert await desk.exhibits(world.elena, made.exhibits[:1]) == []
    full = await desk.full(world.elena, handover)
    assert full.lines[0].exhibit is None


async def test_a_back_dated_device_clock_is_kept_beside_the_servers_time(desk: Desk, world, made, db_dba):
    claimed = datetime(2019, 1, 1, 3, 0, tzinfo=UTC)
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:1], device_time=claimed)
    await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]), device_time=claimed)
    rows = await db_dba.fetch("select at, device_at from custody.event where handover_id = $1", handover)
    assert {row["device_at"] for row in rows} == {claimed}
    assert all(row["at"].year >= 2026 for row in rows)
    bodies = await _bodies(db_dba, made.exhibits[0].number)
    assert [Event.parse(b).data.get("device_at") for b in bodies[1:]] == ["2019-01-01T03:00:00.000Z"] * 2
    assert all(not Event.parse(b).at.startswith("2019") for b in bodies)


async def test_the_chain_has_no_gap_and_its_bodies_are_canonical(desk: Desk, world, made, db_dba):
    exhibit = made.exhibits[0]
    for receiver, giver in ((world.nurlan, world.aida), (world.marat, world.nurlan), (world.nurlan, world.marat)):
        refused = await desk.offer(giver, receiver, [exhibit])
        await desk.answer(receiver, refused, desk.refuse(exhibit, "not_for_me"))
        withdrawn = await desk.offer(giver, receiver, [exhibit])
        await desk.answer(giver, withdrawn, desk.withdraw(exhibit))
        accepted = await desk.offer(giver, receiver, [exhibit])
        await desk.answer(receiver, accepted, desk.accept(exhibit))
    bodies = await _bodies(db_dba, exhibit.number)
    events = [Event.parse(body) for body in bodies]
    assert [e.seq for e in chains(events)[f"exhibit:{exhibit.number}"]] == list(range(1, 20))
    assert all(rfc8785.dumps(json.loads(body)) == body for body in bodies)
    rows = await db_dba.fetch(
        "select seq, hash, prev from custody.event where exhibit_id = $1 order by seq", exhibit.id
    )
    assert [row["hash"] for row in rows] == [e.hash for e in events]
    assert [row["prev"].hex() if row["prev"] else None for row in rows] == [e.prev for e in events]
    head = await db_dba.fetchrow("select last_seq, last_hash from exhibits.exhibit where id = $1", exhibit.id)
    assert tuple(head) == (19, events[-1].hash)
    last = events[-1].data
    assert last["seal"] == {"giver": "B-1001", "receiver": "B-1001", "state": "intact"}
    assert (last["from"]["name"], last["to"]["badge"]) == ("Marat Jumabekov", "03977")


async def test_nobody_rewrites_custody(desk: Desk, world, made, db_app, db_dba):
    await desk.offer(world.aida, world.nurlan, made.exhibits[:1])
    for table in ("custody.event", "custody.handover"):
        for statement in (f"delete from {table}", f"update {table} set note = 'x'", f"truncate {table}"):  # noqa: S608
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db_app.execute(statement)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"append-only|permission"):
                await db_dba.execute(statement + (" cascade" if statement.startswith("truncate") else ""))


async def _bodies(dba, number: str) -> list[bytes]:
    rows = await dba.fetch("select body from ledger.entry where stream = $1 order by stream_seq", f"exhibit:{number}")
    return [row["body"] for row in rows]
