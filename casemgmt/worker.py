"""The work nobody waits for: the sequencer, the witnesses, and tasks with a time of their own.

Any number of workers may run; an advisory lock lets one of them do each task. A task that fails is logged and tried
again later; it never stops the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from casemgmt.core.clock import utcnow
from casemgmt.core.logs import configure_logs
from casemgmt.core.reach import drift
from casemgmt.core.waiting import stopped_within
from casemgmt.custody.settling import settle_waiting
from casemgmt.evidence import fixity
from casemgmt.evidence.observing import observe_waiting
from casemgmt.inspection.pool import Inspectors, open_inspectors
from casemgmt.ledger.policy import read_file
from casemgmt.ledger.sequencer import run_sequencer
from casemgmt.ledger.signer import LogSigner, open_signer
from casemgmt.ledger.timestamping import LOOK, stamp_news
from casemgmt.ledger.watching import watch
from casemgmt.ledger.witnessing import run_witnessing
from casemgmt.settings import Settings
from casemgmt.signing.authority import Authorities
from casemgmt.signing.certificates import State
from casemgmt.signing.opening import open_signing
from casemgmt.signing.signer import OrganisationSigner
from casemgmt.storage.config import open_store
from casemgmt.storage.contract import Store
from casemgmt.uploads.sweeping import sweep_uploads

log = structlog.get_logger()

LOCKS = 0x6A6F62  # "job": the first half of every task's advisory lock
FIRST_RETRY, LAST_RETRY = 1.0, 120.0  # seconds
HEALTHY = 300.0  # seconds of running after which a failure counts as the first one again

VERIFY_LOOK = timedelta(minutes=15)  # between two looks whether the ledger is due to be recomputed
RECHECKED_AT_ONCE = 20
OBSERVED_AT_ONCE = 50
SETTLED_AT_ONCE = 200
ABANDONED = timedelta(days=2)  # an upload or an object without a row may still be on its way until then


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done every ``period``; ``lock`` is the second half of its advisory lock."""

    name: str
    lock: int
    period: timedelta
    work: Callable[[asyncpg.Connection[Any]], Awaitable[None]]


async def run_worker(settings: Settings, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set, then end within moments: what is half done is rolled back. Raises SettingError."""
    configure_logs()
    signer = open_signer(settings)
    store = open_store(settings.store_url, access=settings.store_access_key, secret=settings.store_secret_key)
    inspectors = open_inspectors(settings.inspectors, settings.c2pa_anchors_file)
    works = [keep_running("sequencer", lambda: sequence(settings, signer, store, stop), stop)]
    works.append(keep_running("witnessing", lambda: witness(settings, signer, stop), stop))
    works += [
        repeat(task, settings.sequencer_dsn, stop)
        for task in [*tasks(settings, store, signer), *vouching(settings), *looking(store, inspectors)]
    ]
    running = [asyncio.create_task(work) for work in works]
    try:
        await stop.wait()
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await inspectors.close()
        store.close()


async def sequence(settings: Settings, signer: LogSigner, store: Store, stop: asyncio.Event) -> None:
    await run_sequencer(
        settings.sequencer_dsn, signer, store, stop, retention=settings.retention, pace=settings.checkpoint_pace
    )


async def witness(settings: Settings, signer: LogSigner, stop: asyncio.Event) -> None:
    key = await signer.verifier()
    pinned = read_file(settings.policy_file, key) if settings.policy_file else None
    await run_witnessing(settings.sequencer_dsn, key, stop, pinned)


def tasks(settings: Settings, store: Store, signer: LogSigner) -> list[Task]:
    async def verify(connection: asyncpg.Connection[Any]) -> None:
        await watch(connection, store, signer, settings.verify_every)

    watching = [Task("verify-ledger", 9, VERIFY_LOOK, verify)] if settings.verify_every else []
    return [
        *watching,
        Task("begin-grants", 1, timedelta(seconds=30), Grants(utcnow() - timedelta(days=1)).begin),
        Task("purge-sessions", 2, timedelta(hours=1), purge),
        Task("drift", 3, timedelta(days=1), look_for_drift),
        Task("recheck", 4, timedelta(minutes=10), lambda connection: recheck(store, connection)),
        Task("sweep", 5, timedelta(days=1), lambda connection: sweep(store, connection)),
        Task("settle-agreements", 6, timedelta(seconds=5), settle_agreements),
    ]


def vouching(settings: Settings) -> list[Task]:
    """Timestamps over the ledger, and a look at our own certificate. Raises SettingError."""
    signing, interval = open_signing(settings), settings.timestamp_interval
    found = []
    if (authorities := signing.authorities) is not None:
        found.append(Task("timestamps", 40, LOOK, lambda connection: stamp(connection, authorities, interval)))
    if (signer := signing.signer) is not None:
        found.append(Task("certificate", 41, timedelta(days=1), lambda _: look_at_certificate(signer)))
    return found


async def keep_running(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Start ``work`` again, ever more slowly, when it fails or ends before ``stop`` is set."""
    clock, pause = asyncio.get_running_loop().time, FIRST_RETRY
    while not stop.is_set():
        started = clock()
        try:
            await work()
        except Exception as error:
            log.error("worker.failed", task=name, error=f"{type(error).__name__}: {error}", exc_info=error)  # noqa: TRY400
        pause = FIRST_RETRY if clock() - started > HEALTHY else min(pause * 2, LAST_RETRY)
        await stopped_within(stop, pause)


async def repeat(task: Task, dsn: str, stop: asyncio.Event) -> None:
    """Do the task now and then every period; a failed round is tried again sooner."""
    pause = FIRST_RETRY
    while not stop.is_set():
        try:
            await once(task, dsn)
        except Exception as error:
            log.error("worker.failed", task=task.name, error=f"{type(error).__name__}: {error}", exc_info=error)  # noqa: TRY400
            pause = min(pause * 2, LAST_RETRY, task.period.total_seconds())
        else:
            pause = task.period.total_seconds()
        await stopped_within(stop, pause)


async def once(task: Task, dsn: str) -> bool:
    """One round, on a connection of its own; False when another worker is at it."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("select pg_try_advisory_lock($1, $2)", LOCKS, task.lock):
            return False
        await task.work(connection)
        return True
    finally:
        await connection.close(timeout=5)


class Grants:
    """Lets grants begin that were given for a later day. ``since`` moves on with every round that succeeded."""

    def __init__(self, since: datetime) -> None:
        self._since = since

    async def begin(self, connection: asyncpg.Connection[Any]) -> None:
        now = await connection.fetchval("select now()")
        begun = await connection.fetchval("select access.begin_grants($1)", self._since)
        if begun:
            log.info("access.grants_begun", records=begun)
        # one round of overlap: a grant written by a transaction that was still open is seen the next time
        self._since = now.astimezone(UTC) - timedelta(minutes=5)


async def stamp(connection: asyncpg.Connection[Any], authorities: Authorities, interval: timedelta) -> None:
    await stamp_news(connection, authorities, interval)


async def look_at_certificate(signer: OrganisationSigner) -> None:
    """Said a month before it matters, and every day: a new certificate takes time to get."""
    condition = await asyncio.to_thread(signer.condition)
    if condition.state is not State.GOOD:
        log.error("signing.certificate", state=condition.state.value, said=str(condition))


async def purge(connection: asyncpg.Connection[Any]) -> None:
    gone = await connection.fetchval("select accounts.purge()")
    if gone:
        log.info("accounts.sessions_purged", sessions=gone)


async def look_for_drift(connection: asyncpg.Connection[Any]) -> None:
    """Reach as kept against reach as defined. A difference is a fault of ours: somebody sees too much or too little."""
    for function in ("access.drift", "access.case_drift"):
        differences = await drift(connection, function)
        if differences:
            log.error("access.drift", function=function, rows=differences)


async def settle_agreements(connection: asyncpg.Connection[Any]) -> None:
    settled = await settle_waiting(connection, SETTLED_AT_ONCE)
    if settled:
        log.info("custody.agreements_decided", agreements=settled)


async def recheck(store: Store, connection: asyncpg.Connection[Any]) -> None:
    for check in await fixity.recheck(store, connection, RECHECKED_AT_ONCE):
        if check.outcome != "unchanged":
            log.error("evidence.fixity", file=check.file_id, outcome=check.outcome)


async def sweep(store: Store, connection: asyncpg.Connection[Any]) -> None:
    swept = await fixity.sweep(store, connection, older_than=ABANDONED)
    if swept.discarded:
        log.info("evidence.leftovers_discarded", uploads=swept.discarded)
    if swept.orphans:
        log.error("evidence.objects_without_record", objects=len(swept.orphans), first=swept.orphans[0].key)


def looking(store: Store, inspectors: Inspectors) -> list[Task]:
    """What goes over received files and over those that are on their way."""
    return [
        Task("observe", 11, timedelta(seconds=5), lambda connection: observe(store, inspectors, connection)),
        Task("expire-uploads", 12, timedelta(minutes=10), lambda connection: expire_uploads(store, connection)),
    ]


async def expire_uploads(store: Store, connection: asyncpg.Connection[Any]) -> None:
    ended = await sweep_uploads(store, connection)
    if ended:
        log.info("uploads.expired", uploads=ended)


async def observe(store: Store, inspectors: Inspectors, connection: asyncpg.Connection[Any]) -> None:
    looked = await observe_waiting(store, inspectors, connection, OBSERVED_AT_ONCE)
    if looked:
        log.info("evidence.looked_into", files=looked)
