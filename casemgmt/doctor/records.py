"""Do the records agree with each other: reach, ledger, stored files?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from casemgmt.core.reach import FUNCTIONS, drift
from casemgmt.doctor.finding import Finding, fault, good, note

_WAITING = """
select count(*) as entries, coalesce(extract(epoch from now() - min(e.at)), 0)::float8 as seconds
  from (select w.entry_id from ledger.waiting w order by w.entry_id limit 10000) w
  join ledger.entry e on e.id = w.entry_id
"""
_VERIFIED = "select ended, entries, objects, faults from ledger.verification order by id desc limit 1"
_UNSTORED = """
select count(*) from ledger.batch b where not exists (select from ledger.archived a where a.first = b.first)"""
_AGREED = """
select count(*) filter (where kinds = '{disputed}') as disputed, count(*) filter (where kinds is null and created_at < now() - interval '7 days') as waiting
  from (select a.created_at, (select array_agg(o.kind order by o.kind) from custody.agreement_outcome o where o.agreement_id = a.id) as kinds
          from custody.agreement a) x
"""  # noqa: E501
_DAMAGED = """
select f.object_key, x.outcome from evidence.file f
  join lateral (select c.outcome from evidence.fixity c where c.file_id = f.id order by c.id desc limit 1) x on true
 where x.outcome <> 'unchanged' limit 20
"""


async def examine_records(connection: asyncpg.Connection[Any]) -> AsyncIterator[Finding]:
    """Findings read as the sequencer role."""
    for function, what in FUNCTIONS.items():
        differences = await drift(connection, function)
        if differences:
            yield fault(f"who may see which {what} has drifted from its definition", f"{differences} rows differ")
        else:
            yield good(f"who may see which {what} agrees with its definition")
    async for finding in _ledger(connection):
        yield finding
    agreed = await connection.fetchrow(_AGREED)
    if agreed and (agreed["disputed"] or agreed["waiting"]):
        words = f"{agreed['disputed']} disputed and not resolved, {agreed['waiting']} waiting for more than a week"
        yield note("hand-overs agreed without a network wait for people", words)
    damaged = await connection.fetch(_DAMAGED)
    if damaged:
        yield fault(
            "stored files failed their last check", "\n".join(f"{r['object_key']}: {r['outcome']}" for r in damaged)
        )
    elif await connection.fetchval("select exists (select from evidence.fixity)"):
        yield good("every file that was checked again was unchanged")
    else:
        yield note("no stored file has been checked again yet")


async def _ledger(connection: asyncpg.Connection[Any]) -> AsyncIterator[Finding]:
    halted = await connection.fetchval("select ledger.halted()")
    if halted is not None:
        yield fault("the ledger has stopped, and no event is recorded", halted)
    waiting = await connection.fetchrow(_WAITING)
    last = await connection.fetchrow("select size, at from ledger.checkpoint order by size desc limit 1")
    size = f"{last['size']} entries under the last signed checkpoint" if last else "no checkpoint yet"
    if waiting and waiting["entries"] and waiting["seconds"] > 60:
        yield fault(
            "the ledger does not keep up",
            f"{waiting['entries']} entries wait, the oldest {waiting['seconds']:.0f} s. Is the worker running?\n{size}",
        )
    else:
        yield good("the ledger keeps up", size)
    unstored = await connection.fetchval(_UNSTORED)
    if unstored > 1:
        yield fault("entries of the ledger are not in the object store", f"{unstored} batches are only in the database")
    verified = await connection.fetchrow(_VERIFIED)
    if verified is None:
        yield note("the ledger has not been recomputed yet")
    elif verified["faults"]:
        yield fault(f"the ledger did not hold when it was recomputed {_when(verified)}", "\n".join(verified["faults"]))
    else:
        read = f"{verified['entries']} entries, {verified['objects']} objects of the store"
        yield good(f"the ledger held when it was recomputed {_when(verified)}", read)


def _when(verified: asyncpg.Record) -> str:
    return f"on {verified['ended']:%Y-%m-%d at %H:%M} UTC"
