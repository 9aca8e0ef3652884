"""Work that comes to its end whoever stops waiting for it."""

from __future__ import annotations

import asyncio

import pytest

from casemgmt.core.ending import to_its_end


async def test_its_outcome_and_its_error_are_those_of_the_work():
    async def fails() -> int:
        raise ValueError("no")

    assert await to_its_end(asyncio.sleep(0, 7)) == 7
    with pytest.raises(ValueError, match="no"):
        await to_its_end(fails())


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_a_waiter_that_is_cancelled_any_number_of_times_leaves_after_the_work(times: int):
    order: list[str] = []
    done = asyncio.Event()

    async def work() -> None:
        await done.wait()
        order.append("done")

    async def waiter() -> None:
        try:
            await to_its_end(work())
        finally:
            order.append("left")

    waiting = asyncio.create_task(waiter())
    for _ in range(times):
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    assert order == []
    done.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert order == ["done", "left"]
