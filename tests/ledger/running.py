"""The sequencer of an instance under test, running beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from casemgmt.ledger.sequencer import run_sequencer
from casemgmt.ledger.signer import load_log_key
from casemgmt.settings import Settings


@asynccontextmanager
async def sequencing(settings: Settings) -> AsyncIterator[None]:
    """Inside the block entries get their place within moments."""
    stop = asyncio.Event()
    key = load_log_key(settings.log_key_file)
    task = asyncio.create_task(run_sequencer(settings.sequencer_dsn, key, stop))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.fixture
async def sequenced(settings: Settings) -> AsyncIterator[None]:
    async with sequencing(settings):
        yield
