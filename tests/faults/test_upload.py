"""``kill -9`` while a file arrives, and in the moment between its bytes and its row."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.faults.halves import halves
from tests.faults.house import House, until

SIZE = 4 << 20
DATA = os.urandom(SIZE)


class SlowBody:
    """The first half of DATA at once, the rest never."""

    def __init__(self) -> None:
        self.half_sent = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, SIZE // 2, 1 << 16):
            yield DATA[start : start + (1 << 16)]
        self.half_sent.set()
        await asyncio.Event().wait()


async def rows_and_events(house: House, client_id: uuid.UUID, seizure: str) -> tuple[int, int]:
    async with house.dba() as dba:
        rows = await dba.fetchval("select count(*) from evidence.file where client_id = $1", client_id)
        events = await dba.fetchval(
            "select count(*) from ledger.entry where stream = 'seizure:' || $1 and type like 'evidence:%'", seizure
        )
    return rows, events


async def assert_a_repeat_stores_it(house: House, address: str, client_id: uuid.UUID, seizure: str) -> None:
    async with house.client("aida") as aida:
        answer = await aida.put(address, content=DATA)
        assert answer.status_code == 201, answer.text
        again = await aida.put(address, content=DATA)
        assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
        taken = await aida.get(f"/files/{answer.json()['id']}?view=1")
        assert taken.content == DATA
    async with house.dba() as dba:
        rows = await dba.fetchval("select count(*) from evidence.file where client_id = $1", client_id)
        received = await dba.fetchval(
            "select count(*) from ledger.entry where stream = 'seizure:' || $1 and type = 'evidence:file:received'",
            seizure,
        )
        assert (rows, received) == (1, 1)
        assert await halves(dba, house.store) == []
    await house.verified()


async def test_a_file_half_received_when_the_server_is_killed_is_nowhere_and_can_be_sent_again(house: House) -> None:
    registered = await house.register()
    await house.swept()  # what earlier kills left in staging
    client_id, before, body = uuid.uuid4(), house.objects(), SlowBody()
    address = f"/api/v1/exhibits/{registered['exhibits'][0]['id']}/files/{client_id}"

    async def send() -> None:
        async with house.client("aida") as aida:
            await aida.put(address, content=aiter(body), headers={"Content-Length": str(SIZE)})

    async def staged() -> bool:
        return any(house.store.staging.iterdir())

    sending = asyncio.create_task(send())
    await body.half_sent.wait()
    await until(staged, "the first bytes are on the disk")
    house.kill()
    # the killed server's end of the connection is gone; our generator still waits to send the second half
    sending.cancel()
    with pytest.raises((asyncio.CancelledError, httpx.TransportError)):
        await sending
    await house.restart()

    assert await rows_and_events(house, client_id, registered["number"]) == (0, 0)
    assert house.objects() == before, "no part of it was published"
    async with house.client("aida") as aida:
        page = await aida.get(f"/exhibits/{registered['exhibits'][0]['id']}/files")
        assert page.is_success
        assert str(client_id) not in page.text
    swept = await house.swept()
    assert swept.discarded == 1, "what was staged is given up"
    assert not any(house.store.staging.iterdir())
    await assert_a_repeat_stores_it(house, address, client_id, registered["number"])


async def test_a_file_stored_but_not_recorded_is_an_orphan_that_is_reported_and_kept(house: House) -> None:
    registered = await house.register()
    client_id, before = uuid.uuid4(), house.objects()
    address = f"/api/v1/exhibits/{registered['exhibits'][0]['id']}/files/{client_id}"
    known = {orphan.key for orphan in (await house.swept()).orphans}

    async def send() -> httpx.Response:
        async with house.client("aida") as aida:
            return await aida.put(address, content=DATA)

    async with house.held_back("evidence.file") as table:
        sending = asyncio.create_task(send())
        await table.somebody_waits()
        (orphan,) = house.objects() - before  # complete and published, and nothing says so yet
        house.kill()
        with pytest.raises(httpx.TransportError):
            await sending
        await table.release()
    await house.restart()

    assert await rows_and_events(house, client_id, registered["number"]) == (0, 0)
    for _ in range(2):
        swept = await house.swept()
        assert {found.key for found in swept.orphans} == known | {orphan}
    assert orphan in house.objects(), "reported, and not removed"
    await assert_a_repeat_stores_it(house, address, client_id, registered["number"])
    assert orphan in house.objects()
