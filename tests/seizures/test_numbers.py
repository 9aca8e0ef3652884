"""Numbers that devices give by themselves: final, never doubled, and every gap explained."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest

from casemgmt.core.db import Database
from casemgmt.reference import numbers
from casemgmt.seizures.numbering import MOST_UNUSED
from tests.access.scene import registration
from tests.cast import World


def block(device: uuid.UUID, count: int = 5, client_id: uuid.UUID | None = None) -> dict[str, Any]:
    return {"client_id": str(client_id or uuid.uuid4()), "device": str(device), "count": count}


async def reserved(api: Any, who: Any, device: uuid.UUID, count: int = 5) -> list[str]:
    answer = await api(who).post("/api/v1/number-blocks", json=block(device, count))
    assert answer.status_code == 201, answer.text
    found: list[str] = answer.json()["numbers"]
    return found


def seizure(number: str, device: uuid.UUID | None) -> dict[str, Any]:
    return {**registration("MSKU1234565", "", exhibits=1), "number": number, "device": str(device) if device else None}


async def test_a_device_registers_under_numbers_of_its_own_block(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    assert len(given) == len(set(given)) == 5
    assert all(numbers.check(number) and number[5:9] == world.codes["post"] for number in given)
    made = await api(world.aida).post("/api/v1/seizures", json=seizure(given[3], device))
    assert made.status_code == 201, made.text
    assert made.json()["number"] == given[3]
    assert made.json()["exhibits"][0]["number"] == f"{given[3]}/1"


async def test_the_server_never_gives_a_number_that_a_device_holds(api: Any, world: World) -> None:
    device = uuid.uuid4()
    held = set(await reserved(api, world.aida, device, 10))
    for _ in range(3):
        body = registration("MSKU1234565", "", exhibits=1)
        made = await api(world.aida).post("/api/v1/seizures", json=body)
        assert made.json()["number"] not in held


async def test_many_devices_at_once_never_hold_the_same_number(api: Any, world: World) -> None:
    blocks = await asyncio.gather(*(reserved(api, world.aida, uuid.uuid4(), 7) for _ in range(12)))
    given = [number for found in blocks for number in found]
    assert len(given) == len(set(given)) == 84


async def test_the_same_request_again_reserves_nothing_more(api: Any, world: World) -> None:
    device, client_id = uuid.uuid4(), uuid.uuid4()
    first, again = [
        await api(world.aida).post("/api/v1/number-blocks", json=block(device, 4, client_id)) for _ in range(2)
    ]
    assert first.json() == again.json()
    other = await api(world.aida).post("/api/v1/number-blocks", json=block(device, 5, client_id))
    assert (other.status_code, other.json()["type"]) == (409, "urn:casemgmt:problem:sent-before")


async def test_a_number_of_another_device_or_of_nobody_is_refused_beside_the_field(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    unit = world.codes["post"]
    outside = numbers.make(numbers.Kind.SEIZURE, year=int(given[0][:4]), unit=unit, serial=690_000)
    for number, by in ((given[0], uuid.uuid4()), (given[0], None), (outside, device), ("2026-0412-0013", device)):
        answer = await api(world.aida).post("/api/v1/seizures", json=seizure(number, by))
        assert answer.status_code == 422, number
        assert "number" in answer.json()["errors"]


async def test_an_officer_of_another_unit_cannot_use_them(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    answer = await api(world.timur).post("/api/v1/seizures", json=seizure(given[0], device))
    assert answer.status_code == 422


async def test_a_number_used_twice_is_a_visible_conflict_and_the_first_record_stands(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    first = await api(world.aida).post("/api/v1/seizures", json=seizure(given[0], device))
    second = await api(world.aida).post("/api/v1/seizures", json=seizure(given[0], device))
    assert (second.status_code, second.json()["type"]) == (409, "urn:casemgmt:problem:number-taken")
    kept = await api(world.aida).get(f"/api/v1/seizures/{first.json()['id']}")
    assert kept.json()["number"] == given[0]


async def test_two_at_once_with_the_same_number_make_one_record(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    answers = await asyncio.gather(
        *(api(world.aida).post("/api/v1/seizures", json=seizure(given[0], device)) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_repeat_of_a_registration_with_its_number_is_harmless(api: Any, world: World) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device)
    body = seizure(given[1], device)
    first, again = [await api(world.aida).post("/api/v1/seizures", json=body) for _ in range(2)]
    assert first.json()["number"] == again.json()["number"]
    assert again.json()["repeated"]
    other = await api(world.aida).post("/api/v1/seizures", json={**body, "number": given[2]})
    assert other.json()["type"] == "urn:casemgmt:problem:sent-before"


async def test_a_device_holds_a_bounded_number_of_unused_ones(api: Any, world: World) -> None:
    device = uuid.uuid4()
    for _ in range(MOST_UNUSED // 50):
        await reserved(api, world.aida, device, 50)
    refused = await api(world.aida).post("/api/v1/number-blocks", json=block(device, 1))
    assert refused.status_code == 409
    assert "enough unused numbers" in refused.json()["title"]
    for count in (0, 51):
        answer = await api(world.aida).post("/api/v1/number-blocks", json=block(uuid.uuid4(), count))
        assert answer.status_code == 422


async def test_the_reservation_is_an_event_of_the_person(
    api: Any, world: World, db_dba: asyncpg.Connection[Any]
) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device, 3)
    body = await db_dba.fetchval(
        "select convert_from(body, 'UTF8')::jsonb -> 'data' ->> 'last' from ledger.entry"
        " where type = 'seizures:numbers:reserved' and stream = $1 order by id desc limit 1",
        f"person:{world.aida.login}",
    )
    assert body == given[-1]


async def test_gaps_are_explained_to_the_unit_and_its_auditor_only(
    api: Any, browser: Any, world: World, app: Any
) -> None:
    device = uuid.uuid4()
    given = await reserved(api, world.aida, device, 4)
    await api(world.aida).post("/api/v1/seizures", json=seizure(given[1], device))
    for reader in (world.saule, world.aida, world.askar):
        page = (await browser(reader).get("/numbers", params={"unit": world.codes["post"]})).text
        assert given[0] in page and given[2] in page and given[3] in page
        assert given[1] not in page
        assert str(device)[:8] in page
    others = (await browser(world.timur).get("/numbers", params={"unit": world.codes["post"]})).text
    assert given[0] not in others
    assert (await browser(world.marat).get("/numbers")).status_code == 403


async def test_the_database_refuses_a_block_in_another_unit(database: Database, world: World) -> None:
    from sqlalchemy import text

    async with database.begin(world.aida.actor) as db:
        with pytest.raises(Exception, match="no appointment in this unit"):
            await db.execute(
                text("select accounts.next_serials(:unit, 'seizure', 2026, 5)"), {"unit": world.units["other_post"]}
            )


async def test_a_block_is_never_changed_not_even_by_the_owner(
    api: Any, world: World, db_dba: asyncpg.Connection[Any]
) -> None:
    await reserved(api, world.aida, uuid.uuid4())
    for statement in ("update seizures.number_block set count = 50", "delete from seizures.number_block"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await db_dba.execute(statement)
