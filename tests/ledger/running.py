"""The sequencer of an instance under test, running beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from casemgmt.ledger.sequencer import run_sequencer
from casemgmt.ledger.signer import open_signer
from casemgmt.settings import Settings
from casemgmt.storage.config import open_store


@asynccontextmanager
async def sequencing(settings: Settings) -> AsyncIterator[None]:
    """Inside the block entries get their place within moments."""
    stop = asyncio.Event()
    store = open_store(settings.store_url)
    store.prepare()
    task = asyncio.create_task(run_sequencer(settings.sequencer_dsn, open_signer(settings), store, stop))
    try:
        yield
    finally:
        stop.set()
        await task
        store.close()


@pytest.fixture
async def sequenced(settings: Settings) -> AsyncIterator[None]:
    async with sequencing(settings):
        yield
