"""Looking into one file as the worker does, for tests whose database holds other tests' files as well."""

from __future__ import annotations

import asyncpg
from litestar import Litestar

from casemgmt.evidence.observing import observe

FILE = "select id, object_key, store_version, sha256, size, media_type from evidence.file where id = $1"


async def look_into(app: Litestar, file_id: int) -> None:
    """The file's observation is recorded when this returns."""
    connection = await asyncpg.connect(app.state.settings.sequencer_dsn)
    try:
        file = await connection.fetchrow(FILE, file_id)
        assert file is not None
        assert await observe(app.state.store, app.state.inspectors, connection, file)
    finally:
        await connection.close()
