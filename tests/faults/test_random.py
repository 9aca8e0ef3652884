"""``kill -9`` of the server, of PostgreSQL or of both at a random moment, while people work."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.faults.halves import halves
from tests.faults.house import House
from tests.faults.work import Act, Work

VICTIMS = ("server", "server", "postgres", "server", "both")


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.long)])
async def test_what_was_acknowledged_is_there_and_nothing_is_there_by_half(house: House, rounds: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    work = Work(house, chance, await house.code_of("Nurlan"))
    for n in range(rounds):
        known, victim = len(work.acts), VICTIMS[n % len(VICTIMS)]
        working = asyncio.create_task(work.go_on(database_may_fail=victim != "server"))
        await asyncio.sleep(0.3 + chance.random())
        await kill(house, victim)
        async with asyncio.timeout(60):
            await working
        await (house.recovered() if victim == "postgres" else house.restart())
        assert work.broken == []
        await compare(house, work.acts[known:])
        await repeat_what_was_cut(house, work.acts[known:])
    await compare(house, work.acts)
    found = await house.verified()
    print(f"{rounds} kills: {work.counts()}; {found.entries} entries in the ledger")
    assert any(act.answer is None for act in work.acts), "no kill ever met anything half done"


async def kill(house: House, victim: str) -> None:
    if victim != "postgres":
        house.kill()
    if victim != "server":
        house.kill_postgres()


async def compare(house: House, acts: list[Act]) -> None:
    async with house.client("aida") as aida, house.client("timur") as timur, house.client("nurlan") as nurlan:
        clients = {"aida": aida, "timur": timur, "nurlan": nurlan}
        for act in acts:
            if act.answer is not None:
                await act.is_kept(clients[act.who])
    async with house.dba() as dba:
        assert await halves(dba, house.store) == []


async def repeat_what_was_cut(house: House, acts: list[Act]) -> None:
    """Whoever got no answer sends it again, as it was: nothing happens twice."""
    for act in acts:
        if act.answer is None:
            async with house.client(act.who) as client:
                answer = await act.send(client)
                assert answer.status_code in act.repeats, answer.text
                again = await act.send(client)
                assert again.status_code in act.repeats, again.text
    async with house.dba() as dba:
        assert await halves(dba, house.store) == []
