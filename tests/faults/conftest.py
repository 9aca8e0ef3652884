from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemgmt.embedded.temporary import TemporaryInstance
from tests.faults.house import House


@pytest.fixture(scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One installation for all kills of a worker: each test leaves it running, and richer by what it registered."""
    data: Path = tmp_path_factory.mktemp("house")
    with TemporaryInstance(data, demo=True):
        pass  # the cast is there now; without it every later start is quicker
    with TemporaryInstance(data) as instance:
        made = House(instance)
        await made.sign_in("aida", "timur", "nurlan")
        yield made
        made.store.close()
