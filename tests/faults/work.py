"""The everyday work of a few people at once, each act remembered with the answer that came, or that none came."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

from tests.faults.house import House, registration

OFFERS = "/api/v1/hand-overs"


@dataclass
class Act:
    """One request that may be cut off. ``answer`` is what was acknowledged; None: nothing was."""

    who: str
    answer: dict[str, Any] | None = field(default=None, init=False)
    repeats: ClassVar[tuple[int, ...]] = (200, 201)
    """Statuses a repeat may meet when nobody knows whether the first one happened."""

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        raise NotImplementedError

    async def is_kept(self, client: httpx.AsyncClient) -> None:
        """Compare what the server has now with what it had acknowledged."""
        raise NotImplementedError


@dataclass
class Register(Act):
    body: dict[str, Any]

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/api/v1/seizures", json=self.body)

    async def is_kept(self, client: httpx.AsyncClient) -> None:
        assert self.answer is not None
        found = (await client.get(f"/api/v1/seizures/{self.answer['id']}")).raise_for_status().json()
        assert {name: self.answer[name] for name in found.keys() & self.answer.keys()} == {
            name: found[name] for name in found.keys() & self.answer.keys()
        }
        for exhibit in self.answer["exhibits"]:
            kept = (await client.get(f"/api/v1/exhibits/{exhibit['id']}")).raise_for_status().json()
            moving = ("custody", "holder_id", "offered_to", "status", "seal", "seal_state")
            assert kept["custody"]["seq"] >= 1
            assert {k: v for k, v in kept.items() if k not in moving} == {
                k: v for k, v in exhibit.items() if k not in moving
            }


@dataclass
class Send(Act):
    """A file for an exhibit."""

    exhibit: str
    data: bytes
    client_id: uuid.UUID = field(default_factory=uuid.uuid4)

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.put(f"/api/v1/exhibits/{self.exhibit}/files/{self.client_id}", content=self.data)

    async def is_kept(self, client: httpx.AsyncClient) -> None:
        assert self.answer is not None
        found = (await client.get(f"/api/v1/files/{self.answer['id']}")).raise_for_status().json()
        later = {"last_check": None, "claims_inside": None}  # what the worker finds out about a file that is kept
        assert found | later == self.answer | later
        assert (await client.get(f"/files/{self.answer['id']}?view=1")).content == self.data


@dataclass
class Offer(Act):
    """Exhibits offered by who registered them."""

    body: dict[str, Any]

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(OFFERS, json=self.body)

    async def is_kept(self, client: httpx.AsyncClient) -> None:
        assert self.answer is not None
        found = (await client.get(f"{OFFERS}/{self.answer['id']}")).raise_for_status().json()
        for name in ("number", "from", "to", "purpose", "offered_at"):
            assert found[name] == self.answer[name]
        assert [line["exhibit"] for line in found["exhibits"]] == [line["exhibit"] for line in self.answer["exhibits"]]


@dataclass
class Reply(Act):
    """An offer accepted or refused."""

    handover: str
    body: dict[str, Any]
    repeats: ClassVar[tuple[int, ...]] = (200, 409)

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(f"{OFFERS}/{self.handover}/answer", json=self.body)

    async def is_kept(self, client: httpx.AsyncClient) -> None:
        assert self.answer is not None
        found = (await client.get(f"{OFFERS}/{self.handover}")).raise_for_status().json()
        assert found["state"] == self.answer["state"] in ("accepted", "refused", "mixed")
        for now, then in zip(found["exhibits"], self.answer["exhibits"], strict=True):
            for name in ("exhibit", "state", "seal_seen_by_receiver", "seal_state", "reason", "answered_at"):
                assert now[name] == then[name]


class Work:
    """People at work until the server is gone. ``acts`` grows with everything that was sent, in any round."""

    def __init__(self, house: House, chance: random.Random, receiver: str) -> None:
        self._house = house
        self._chance = chance
        self._receiver = receiver
        self._held: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._offered: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._over = asyncio.Event()  # somebody met the dead server: whoever has nothing to send stops as well
        self.acts: list[Act] = []
        self.broken: list[str] = []
        """Answers that are neither an acknowledgement nor what a database that was just killed excuses."""

    async def go_on(self, *, database_may_fail: bool) -> None:
        """Three people, five programs; returns when each of them has met a dead server or a dead database."""
        self._over.clear()
        await asyncio.gather(
            self._keep("aida", self._registers, database_may_fail),
            self._keep("timur", self._registers, database_may_fail),
            self._keep("aida", self._offers, database_may_fail),
            self._keep("nurlan", self._replies, database_may_fail),
        )

    def counts(self) -> str:
        sent = Counter(type(act).__name__.lower() for act in self.acts)
        kept = Counter(type(act).__name__.lower() for act in self.acts if act.answer is not None)
        return ", ".join(f"{name} {kept[name]} of {sent[name]} acknowledged" for name in sorted(sent))

    async def _keep(self, who: str, turn: Any, database_may_fail: bool) -> None:
        async with self._house.client(who) as client:
            while await turn(who, client, database_may_fail):
                await asyncio.sleep(self._chance.random() * 0.02)
        self._over.set()

    async def _registers(self, who: str, client: httpx.AsyncClient, database_may_fail: bool) -> bool:
        act = Register(who, registration(exhibits=self._chance.choice((1, 1, 3))))
        if not await self._do(act, client, database_may_fail) or act.answer is None:
            return False
        exhibit = act.answer["exhibits"][0]["id"]
        data = self._chance.randbytes(self._chance.choice((300, 40_000, 600_000)))
        files = [Send(who, exhibit, data), Send(who, exhibit, data[:200] + b"2")]
        done = await asyncio.gather(*(self._do(file, client, database_may_fail) for file in files))
        if who == "aida":
            self._held.put_nowait(act.answer)
        return all(done)

    async def _offers(self, who: str, client: httpx.AsyncClient, database_may_fail: bool) -> bool:
        try:
            seizure = await asyncio.wait_for(self._held.get(), 0.2)
        except TimeoutError:
            return not self._over.is_set() and await self._alive(client)
        items = [
            {"exhibit": e["id"], "seq": 1, "prev": e["custody"]["hash"], "seal": e["seal"]} for e in seizure["exhibits"]
        ]
        offer = {"client_id": str(uuid.uuid4()), "to": self._receiver, "purpose": "storage", "exhibits": items}
        act = Offer(who, offer)
        done = await self._do(act, client, database_may_fail)
        if act.answer is not None:
            self._offered.put_nowait(act.answer)
        return done

    async def _replies(self, who: str, client: httpx.AsyncClient, database_may_fail: bool) -> bool:
        try:
            handover = await asyncio.wait_for(self._offered.get(), 0.2)
        except TimeoutError:
            return not self._over.is_set() and await self._alive(client)
        items = [self._decision(line) for line in handover["exhibits"]]
        return await self._do(Reply(who, handover["id"], {"items": items}), client, database_may_fail)

    def _decision(self, line: dict[str, Any]) -> dict[str, Any]:
        if self._chance.random() < 0.3:
            return {"exhibit": line["exhibit"], "decision": "refused", "reason": "not_for_me"}
        seal = line["seal_on_record"]
        return {"exhibit": line["exhibit"], "decision": "accepted", "seal": seal, "seal_state": "intact"}

    async def _do(self, act: Act, client: httpx.AsyncClient, database_may_fail: bool) -> bool:
        self.acts.append(act)
        try:
            answer = await act.send(client)
        except httpx.TransportError:
            return False
        if answer.is_success:
            act.answer = answer.json()
            return True
        if not (database_may_fail and answer.status_code >= 500):
            self.broken.append(f"{type(act).__name__}: {answer.status_code} {answer.text}")
        return False

    async def _alive(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get("/api/v1/me")).is_success
        except httpx.TransportError:
            return False
