"""Everything the doctor looks at, in order."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from casemgmt import migrations
from casemgmt.doctor.finding import Finding, fault, good, note
from casemgmt.doctor.records import examine_records
from casemgmt.doctor.vouching import examine_vouching
from casemgmt.doctor.walls import examine_walls
from casemgmt.doctor.witnesses import examine_witnesses
from casemgmt.settings import Settings
from casemgmt.storage.config import open_store
from casemgmt.storage.contract import StoreError
from casemgmt.storage.probe import probe
from casemgmt.storage.probe_report import Outcome as Tried
from casemgmt.storage.probe_report import Verdict


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Findings as they are made; slow ones last."""
    reachable = True
    for role, dsn in (("app", settings.app_dsn), ("gate", settings.gate_dsn), ("sequencer", settings.sequencer_dsn)):
        try:
            await (await asyncpg.connect(dsn, timeout=10)).close()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            reachable = False
            yield fault(f"role {role} cannot sign in to the database", str(error))
    if reachable:
        yield good("the database answers every role")
        async for finding in _examine_database(settings):
            yield finding
    yield _key_file(settings.log_key_file)
    async for finding in examine_vouching(settings):
        yield finding
    yield await asyncio.to_thread(_store, settings)


async def _examine_database(settings: Settings) -> AsyncIterator[Finding]:
    if settings.owner_dsn:
        found, newest = await migrations.current(settings.owner_dsn), migrations.newest()
        if found != newest:
            yield fault("the database is not at this release", f"it is at {found}; run `casemgmt migrate`")
            return
        yield good("the database is at this release", str(found))
    connection = await asyncpg.connect(settings.sequencer_dsn)
    try:
        async for finding in examine_walls(connection):
            yield finding
        async for finding in examine_records(connection):
            yield finding
        async for finding in examine_witnesses(connection):
            yield finding
    finally:
        await connection.close()


def _key_file(path: Path | None) -> Finding:
    if path is None:
        return good("the ledger's key is held by a signer of its own")
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return note("the ledger's key is not on this machine", f"{error}; fine where only the worker holds it")
    if mode & 0o077:
        return fault("the ledger's key can be read by others", f"{path} has mode {mode:04o}; make it 0600")
    return good("the ledger's key is readable by its owner only")


def _store(settings: Settings) -> Finding:
    try:
        store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    except ValueError as error:
        return fault("the object store is not configured", str(error))
    try:
        report = probe(store)
    except StoreError as error:
        return fault("the object store cannot be used", str(error))
    finally:
        store.close()
    if report.outcome("write-again") is Tried.HAPPENED:
        return fault("the object store lets this application replace a stored file", str(report))
    if report.verdict is Verdict.LOCKED:
        return good("stored files are locked by the store", str(report))
    return note("stored files are not locked by the store", str(report))
