"""Two hundred hands on one hand-over: one of them has it, the others are told clearly."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from casemgmt.core.errors import Conflict
from tests.cast import World
from tests.custody.conftest import Desk
from tests.records import Registered


async def test_of_200_who_accept_or_withdraw_at_once_exactly_one_wins(desk: Desk, world: World, made, db_dba):
    exhibit = made.exhibits[0]
    handover = await desk.offer(world.aida, world.nurlan, [exhibit])

    async def attempt(n: int) -> str:
        who, decision = (world.nurlan, desk.accept(exhibit)) if n % 2 else (world.aida, desk.withdraw(exhibit))
        try:
            await desk.answer(who, handover, decision)
        except Conflict:
            return "conflict"
        return "accepted" if n % 2 else "withdrawn"

    outcomes = Counter(await asyncio.gather(*(attempt(n) for n in range(200))))
    assert outcomes["conflict"] == 199
    assert outcomes["accepted"] + outcomes["withdrawn"] == 1
    answers = "select count(*) from custody.event where handover_id = $1 and kind <> 'offered'"
    assert await db_dba.fetchval(answers, handover) == 1
    stream = "select count(*), max(stream_seq) from ledger.entry where stream = $1"
    assert tuple(await db_dba.fetchrow(stream, f"exhibit:{exhibit.number}")) == (3, 3)
    holder = world.nurlan.id if outcomes["accepted"] else world.aida.id
    row = await db_dba.fetchrow("select holder_id, offered_to from exhibits.exhibit where id = $1", exhibit.id)
    assert tuple(row) == (holder, None)


async def test_of_40_offers_of_the_same_exhibits_at_once_exactly_one_stands(desk: Desk, world: World, made, db_dba):
    both = made.exhibits[:2]

    async def attempt(n: int) -> bool:
        try:
            await desk.offer(world.aida, world.nurlan if n % 2 else world.marat, both if n % 3 else both[::-1])
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(n) for n in range(40)))) == 1
    open_items = "select count(*) from custody.handover_item where exhibit_id = any($1) and state = 'offered'"
    assert await db_dba.fetchval(open_items, [e.id for e in both]) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_call_that_fails_on_its_second_exhibit_keeps_nothing_of_the_first(
    desk, world, made: Registered, moment
):
    one, two = made.exhibits[:2] if moment == "before" else made.exhibits[1::-1]
    handover = await desk.offer(world.aida, world.nurlan, [one, two])
    await desk.answer(world.nurlan, handover, desk.accept(one))
    with pytest.raises(Conflict):
        await desk.answer(world.nurlan, handover, desk.accept(two), desk.accept(one))
    kept = {e.id: e for e in await desk.exhibits(world.aida, [one, two])}
    assert kept[two.id].holder_id == world.aida.id
    assert kept[two.id].offered_to == world.nurlan.id
