"""What offers and answers are decided on is read as the actor sees it, and leaves nothing behind on the connection."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from casemgmt.core.db import Database
from casemgmt.core.errors import Forbidden, NotFound, NotSignedIn
from casemgmt.custody import facts
from tests.cast import Member, World
from tests.db import Dsn
from tests.records import Registered

YEAR = 2026


async def _of_offer(database: Database, who: Member, to: int, ids: list[int], unit: int | None) -> facts.OfferFacts:
    return await facts.of_offer(database, who.actor, uuid.uuid4(), to, ids, unit_id=unit, year=YEAR)


async def _settings(database: Database) -> tuple[str, ...]:
    """Which connection it is, and every setting that could have stayed on it."""
    names = ("synchronous_commit", "plan_cache_mode")
    return (await database.call("select pg_backend_pid()::text"), *[await database.call(f"show {n}") for n in names])


async def test_an_exhibit_out_of_sight_is_not_among_the_facts(database: Database, world: World, made: Registered):
    ids, unit = [e.id for e in made.exhibits], world.units["other_post"]
    assert (await _of_offer(database, world.timur, world.nurlan.id, ids, unit)).exhibits == []
    own = await _of_offer(database, world.aida, world.nurlan.id, ids, world.units["post"])
    assert sorted((e.id, e.last_hash) for e in own.exhibits) == sorted((e.id, e.last_hash) for e in made.exhibits)


async def test_only_a_person_who_may_hold_exhibits_is_a_receiver(database: Database, world: World):
    for to, name in ((world.nurlan, "Nurlan Satybaldiev"), (world.askar, None), (world.admin, None)):
        found = await _of_offer(database, world.aida, to.id, [], world.units["post"])
        assert (found.receiver and found.receiver.name) == name


async def test_every_offer_has_a_number_of_its_own_from_a_unit_the_giver_belongs_to(database: Database, world: World):
    serials = [(await _of_offer(database, world.aida, 0, [], world.units["post"])).serial for _ in range(3)]
    assert len(set(serials)) == 3
    with pytest.raises(Forbidden):
        await _of_offer(database, world.aida, 0, [], world.units["other_post"])
    assert (await _of_offer(database, world.aida, 0, [], None)).serial is None


async def test_a_handover_of_others_and_one_that_is_not_there_are_not_found(desk, database, world, made: Registered):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:1])
    assert (await facts.of_answer(database, world.nurlan.actor, handover)).giver.id == world.aida.id
    for who, id_ in ((world.oleg, handover), (world.nurlan, 2**62)):
        with pytest.raises(NotFound):
            await facts.of_answer(database, who.actor, id_)


async def test_a_session_that_ended_reads_no_facts(database: Database, world: World, made: Registered):
    gone = msgspec.structs.replace(world.aida.actor, token=b"\x00" * 32)
    with pytest.raises(NotSignedIn):
        await facts.of_offer(database, gone, uuid.uuid4(), 0, [], unit_id=None, year=YEAR)
    with pytest.raises(NotSignedIn):
        await facts.of_answer(database, gone, 1)


async def test_whoever_uses_the_connection_next_finds_nothing_of_the_one_before(dsn: Dsn, world: World, made):
    database = Database(f"{dsn.app}&options=-csynchronous_commit%3Don", dsn.gate, size=1)
    await database.open()
    try:
        before = await _settings(database)
        await _of_offer(database, world.aida, 0, [made.exhibits[0].id], world.units["post"])
        with pytest.raises(ZeroDivisionError):
            async with database.begin_raw(world.aida.actor):
                raise ZeroDivisionError
        with pytest.raises(Forbidden):
            await _of_offer(database, world.aida, 0, [], world.units["other_post"])
        assert await _settings(database) == before
        assert await database.call("select access.me()") is None
        assert await database.call("select count(*) from exhibits.exhibit") == 0
    finally:
        await database.close()
