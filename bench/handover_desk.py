"""People handing exhibits to and fro through the product's own code; every pair in a unit of its own, one process."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any, TypeAlias

import asyncpg

from bench.databases import SALT, Populated
from bench.http import BrokenRun
from bench.population import GIVERS, RECEIVERS, Role, token
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.web.signin import load_actor, token_hash
from casemgmt.custody import actions
from casemgmt.custody.pipeline import (
    Answered,
    Offered,
    Party,
    Terms,
    build_answer,
    build_offer,
    send_answer,
    send_offer,
)
from casemgmt.custody.rules import Seen
from casemgmt.custody.schemas import Answer, Decision, NewOffer, OfferedExhibit

PURPOSE = "storage"
MOST_EXHIBITS = 200  # of one pair


@dataclass(slots=True)
class Thing:
    """An exhibit as the page of its holder shows it."""

    id: int
    number: str
    head: events.Head
    seal: Seen
    holder_id: int

    @property
    def shown_hash(self) -> bytes:
        if self.head.hash is None:
            raise BrokenRun(f"exhibit {self.number} has no events")
        return self.head.hash


class Watched(Database):
    """Remembers the hash of the last body sent for each exhibit: what the next page would show."""

    def __init__(self, dsn: str, gate_dsn: str, *, size: int) -> None:
        super().__init__(dsn, gate_dsn, size=size)
        self.hashes: dict[int, bytes] = {}

    async def call(self, sql: str, *arguments: Any) -> Any:
        answer = await super().call(sql, *arguments)
        if sql.startswith(("select custody.offer(", "select custody.answer(")):
            exhibits, bodies = (arguments[11], arguments[15]) if ".offer(" in sql else (arguments[3], arguments[8])
            self.hashes |= {id_: events.leaf_hash(body) for id_, body in zip(exhibits, bodies, strict=True)}
        return answer


Way: TypeAlias = Callable[[Thing, Actor, Actor], Coroutine[Any, Any, None]]
"""Hands one thing over, both halves: two actions."""


class Desk:
    """Sixteen givers and their receivers, signed in, in this process."""

    def __init__(self, database: Watched, dba: asyncpg.Connection[Any], people: list[tuple[Actor, Actor]]) -> None:
        self._database, self._dba, self._people = database, dba, people
        self._codes = Codes(SALT)
        self._numbers = count()

    @classmethod
    async def open(cls, populated: Populated) -> Desk:
        database = Watched(populated.dsn("app"), populated.dsn("gate"), size=16)
        await database.open()
        people = [
            (await _signed_in(database, giver), await _signed_in(database, receiver))
            for giver, receiver in zip(GIVERS, RECEIVERS, strict=True)
        ]
        return cls(database, await asyncpg.connect(populated.dsn("dba")), people)

    async def close(self) -> None:
        await self._database.close()
        await self._dba.close()

    async def per_second(self, way: Way, clients: int, seconds: float) -> float:
        """Actions per second of so many people at once. Raises BrokenRun when the database holds fewer events."""
        shares = [await self._things(GIVERS[k]) for k in range(clients)]
        ids = [thing.id for things in shares for thing in things]
        before = await self._events(ids)
        started = time.perf_counter()
        work = [self._to_and_fro(way, shares[k], self._people[k], started + seconds) for k in range(clients)]
        done = sum(await asyncio.gather(*work))
        spent = time.perf_counter() - started
        if await self._events(ids) - before != done:
            raise BrokenRun(f"{done} actions were acknowledged and others are recorded")
        return done / spent

    async def act(self, thing: Thing, giver: Actor, receiver: Actor) -> None:
        """Both halves by the actions that pages and the API call, with all they read and check."""
        shown = OfferedExhibit(
            exhibit=self._codes.encode("exhibit", thing.id), seq=thing.head.seq, prev=thing.shown_hash.hex(),
            seal=thing.seal.number or "",
        )  # fmt: skip
        data = NewOffer(
            client_id=uuid.uuid4(), to=self._codes.encode("person", receiver.id), purpose=PURPOSE, exhibits=[shown]
        )
        handover = await actions.offer(self._database, giver, data, self._codes)
        self._move_on(thing)
        decision = Decision(
            exhibit=shown.exhibit, decision="accepted", seal=thing.seal.number or "", seal_state=thing.seal.state
        )
        await actions.answer(self._database, receiver, handover, Answer(items=[decision]), self._codes)
        self._move_on(thing)

    async def pipeline(self, thing: Thing, giver: Actor, receiver: Actor) -> None:
        """Both halves by what sends them: bodies built, one call each."""
        number = f"bench-{os.getpid()}-{next(self._numbers)}"
        terms = Terms(number=number, giver=_party(giver), receiver=_party(receiver), purpose=PURPOSE)
        offered = Offered(thing.id, thing.number, thing.head, thing.seal)
        handover = await send_offer(self._database, giver, build_offer(giver, uuid.uuid4(), terms, [offered]))
        self._move_on(thing)
        answered = Answered(
            exhibit_id=thing.id, number=thing.number, head=thing.head, kind="accepted", giver_seal=thing.seal,
            receiver_seal=thing.seal,
        )  # fmt: skip
        await send_answer(self._database, receiver, build_answer(receiver, handover, terms, [answered]))
        self._move_on(thing)

    async def _to_and_fro(self, way: Way, things: list[Thing], pair: tuple[Actor, Actor], until: float) -> int:
        done = 0
        for thing in cycle(things):
            if time.perf_counter() >= until:
                break
            giver, receiver = pair if thing.holder_id == pair[0].id else pair[::-1]
            await way(thing, giver, receiver)
            thing.holder_id = receiver.id
            done += 2
        return done

    def _move_on(self, thing: Thing) -> None:
        thing.head = events.Head(thing.head.seq + 1, self._database.hashes[thing.id])

    async def _things(self, giver: Role) -> list[Thing]:
        rows = await self._dba.fetch(
            "select id, number, last_seq, last_hash, seal_no, seal_state, holder_id from exhibits.exhibit"
            " where unit_id = $1 and no = 1 and not ntk and offered_to is null order by id limit $2",
            giver.unit_id,
            MOST_EXHIBITS,
        )
        return [
            Thing(r["id"], r["number"], events.Head(r["last_seq"], r["last_hash"]), Seen(r["seal_no"], r["seal_state"]),
                  r["holder_id"])
            for r in rows
        ]  # fmt: skip

    async def _events(self, ids: list[int]) -> int:
        found: int = await self._dba.fetchval("select count(*) from custody.event where exhibit_id = any ($1)", ids)
        return found


async def _signed_in(database: Database, role: Role) -> Actor:
    actor = await load_actor(database, token_hash(token(role)))
    if actor is None:
        raise BrokenRun(f"the session of {role.name} is not there")
    return actor


def _party(actor: Actor) -> Party:
    return Party(actor.id, actor.name, actor.badge)
