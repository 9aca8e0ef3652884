"""Do the records agree with each other: reach, ledger, stored files?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from casemgmt.core.reach import FUNCTIONS, drift
from casemgmt.doctor.finding import Finding, fault, good, note

_WAITING = """
select count(*) as entries, coalesce(extract(epoch from now() - min(e.at)), 0)::float8 as seconds
  from (
  select e.at from ledger.entry e where not exists (select from ledger.leaf l where l.entry_id = e.id)
   order by e.id desc limit 10000) e
"""
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
    damaged = await connection.fetch(_DAMAGED)
    if damaged:
        yield fault(
            "stored files failed their last check", "\n".join(f"{r['object_key']}: {r['outcome']}" for r in damaged)
        )
    elif await connection.fetchval("select exists (select from evidence.fixity)"):
        yield good("every file that was checked again was unchanged")
    else:
        yield note("no stored file has been checked again yet")
