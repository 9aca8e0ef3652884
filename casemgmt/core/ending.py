"""Work that must come to its end although nobody waits for it any more.

``asyncio.shield`` protects the work and lets its waiter go, also into a ``finally`` that closes what the work still
uses. Here the waiter stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Awaitable[T]) -> T:
    """The outcome of ``work``. When the caller is cancelled meanwhile, however often, CancelledError is raised only
    when the work is over; its own outcome is then lost."""
    running = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return running.result()
    if not running.cancelled():
        running.exception()  # looked at, so that nobody reports it as forgotten
    raise cancelled
