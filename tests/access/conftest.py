from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import Litestar

from casemgmt.core.db import Database
from casemgmt.custody import live
from casemgmt.settings import Settings
from tests.access.scene import Scene, build
from tests.cast import Api, make_world
from tests.db import Dsn
from tests.ledger.running import sequencing


@pytest.fixture(scope="module")
async def scene(dsn: Dsn, app: Litestar, database: Database, settings: Settings) -> AsyncIterator[Scene]:
    """One situation for a module: its tests ask, and change nothing that another one asks for."""
    transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False)
    dba = await asyncpg.connect(dsn.dba)
    world = await make_world(dba, database)
    await dba.close()
    async with sequencing(settings):
        yield await build(app, world, lambda member: Api(member, transport=transport))
    await transport.aclose()


@pytest.fixture(autouse=True)
def nobody_listens_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of a hand-over's changes lasts minutes, and these tests ask every address: here it ends at once."""
    monkeypatch.setattr(live, "LASTS", 0.0)
