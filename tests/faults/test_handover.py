"""``kill -9`` in the middle of a hand-over."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, Literal

import httpx
import pytest

from tests.faults.halves import halves
from tests.faults.house import House

Kind = Literal["offered", "accepted"]
Heads = tuple[list[int], list[str], list[str]]


async def exhibits_of(house: House, seizure: dict[str, Any]) -> list[dict[str, Any]]:
    async with house.client("aida") as aida:
        return [
            dict((await aida.get(f"/api/v1/exhibits/{exhibit['id']}")).raise_for_status().json())
            for exhibit in seizure["exhibits"]
        ]


def offer_of(exhibits: list[dict[str, Any]], to: str) -> dict[str, Any]:
    """What the holder's program sends to offer all of them to the storekeeper."""
    items = [
        {"exhibit": e["id"], "seq": e["custody"]["seq"], "prev": e["custody"]["hash"], "seal": e["seal"]}
        for e in exhibits
    ]
    return {"client_id": str(uuid.uuid4()), "to": to, "purpose": "storage", "exhibits": items}


def acceptance_of(exhibits: list[dict[str, Any]]) -> dict[str, Any]:
    items = [{"exhibit": e["id"], "decision": "accepted", "seal": e["seal"], "seal_state": "intact"} for e in exhibits]
    return {"items": items}


@pytest.mark.parametrize(
    ("kind", "postgres"),
    [
        ("offered", "is stopped as well"),
        ("accepted", "lives on"),
        pytest.param("offered", "lives on", marks=pytest.mark.long),
        pytest.param("accepted", "is stopped as well", marks=pytest.mark.long),
    ],
)
async def test_a_handover_cut_by_a_kill_has_happened_or_has_not(house: House, kind: Kind, postgres: str) -> None:
    seizure, to = await house.register(exhibits=3), await house.code_of("Nurlan")
    before = await exhibits_of(house, seizure)
    address, body, sender = "/api/v1/hand-overs", offer_of(before, to), "aida"
    if kind == "accepted":
        async with house.client("aida") as aida:
            offered = (await aida.post(address, json=body)).raise_for_status().json()
        before = await exhibits_of(house, seizure)
        address, body, sender = f"{address}/{offered['id']}/answer", acceptance_of(before), "nurlan"

    async def send() -> httpx.Response:
        async with house.client(sender) as client:
            return await client.post(address, json=body)

    async with house.held_back("custody.event") as table:
        sending = asyncio.create_task(send())
        await table.somebody_waits()
        house.kill()
        with pytest.raises(httpx.TransportError):
            await sending
        if postgres == "lives on":
            await table.release()
        await house.restart()

    left = await exhibits_of(house, seizure)
    happened = left[0]["custody"]["seq"] > before[0]["custody"]["seq"]
    giver = before[0]["holder_id"]
    for was, now in zip(before, left, strict=True):
        if not happened:
            assert now == was, "all of them stand where they stood"
            continue
        assert now["custody"]["seq"] == was["custody"]["seq"] + 1
        expected = (giver, to) if kind == "offered" else (to, None)
        assert (now["holder_id"], now["offered_to"]) == expected, "all of them went on, by one event each"
    async with house.dba() as dba:
        assert await halves(dba, house.store) == []

    again = await send()
    if kind == "offered" or not happened:
        assert again.is_success, again.text
    else:
        assert again.status_code == 409, "answered already"
    async with house.dba() as dba:
        assert await halves(dba, house.store) == []
        numbers = [exhibit["number"] for exhibit in before]
        count = "select count(*) from ledger.entry where stream = 'exhibit:' || $1"
        lengths = {await dba.fetchval(count, number) for number in numbers}
    assert lengths == {2 if kind == "offered" else 3}, "the repeat added nothing that was there"
    await house.verified()
