"""Waiting that ends early when the process is asked to stop."""

from __future__ import annotations

import asyncio


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait ``seconds``, or less when ``stop`` is set meanwhile; says whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def woken_within(stop: asyncio.Event, woken: asyncio.Event, seconds: float) -> None:
    """Wait ``seconds``, or less when ``stop`` or ``woken`` is set meanwhile; ``woken`` is clear afterwards."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (stop, woken)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
    woken.clear()
