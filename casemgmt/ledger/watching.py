"""The recomputation as the worker does it: on a schedule, and its outcome kept where people look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from casemgmt.core.clock import utcnow
from casemgmt.ledger.errors import SignerUnavailableError
from casemgmt.ledger.findings import Findings
from casemgmt.ledger.recompute import recompute
from casemgmt.ledger.signer import LogSigner
from casemgmt.storage.contract import Store

log = structlog.get_logger()

_DUE = "select not exists (select from ledger.verification where ended > now() - $1::interval)"
_KEEP = """
insert into ledger.verification(began, entries, checkpoints, streams, objects, waiting, root, faults)
values ($1, $2, $3, $4, $5, $6, $7, $8)"""


async def watch(
    connection: asyncpg.Connection[Any], store: Store, signer: LogSigner, every: timedelta
) -> Findings | None:
    """Recompute the ledger when the last time is ``every`` ago, and keep what was found; None when it is not due.

    ``connection`` is the sequencer role's. A fault is logged as an error, and stays on the pages that show it.
    """
    if not await connection.fetchval(_DUE, every):
        return None
    await connection.execute("set statement_timeout = '15min'")  # the first row of a sort comes late
    began = utcnow()
    try:
        record = await signer.last()
    except SignerUnavailableError as error:
        log.warning("ledger.verified_without_signer", reason=str(error))
        record = None
    found = await recompute(connection, await signer.verifier() if record else None, store=store, record=record)
    await connection.execute(
        _KEEP, began, found.entries, found.checkpoints, found.streams, found.objects, found.waiting, found.root,
        found.faults,
    )  # fmt: skip
    if found.faults:
        log.error("ledger.not_verified", faults=len(found.faults), first=found.faults[0])
    else:
        log.info("ledger.verified", entries=found.entries, objects=found.objects)
    return found
