"""What row-level security costs: each query as the application's role against the same by a superuser, with the
filter of that person written out.

Both sides run the same statement on their own connection, prepared, with PostgreSQL's own choice of plans. The actor
is entered outside the measured time, as it is once in every transaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from bench.databases import Populated, populated
from bench.harness import Row, Samples, delay
from bench.http import BrokenRun
from bench.population import CAST, Role, token
from bench.sizes import Sizes
from casemgmt.core.web.signin import token_hash

Connection: TypeAlias = "asyncpg.Connection[Any]"

WARM = 7  # after five executions PostgreSQL decides between a plan for all values and one for each


@dataclass(frozen=True, slots=True)
class Query:
    """``{s}``, ``{e}``, ``{f}`` and ``{c}`` stand where the written-out filter of seizure, exhibit, file and case goes.

    ``argument`` is SQL for its one value as the person would have it; it may use ``{e}`` and ``{c}`` as well.
    """

    name: str
    sql: str
    argument: str


QUERIES = (
    Query(
        "point read",
        "select * from exhibits.exhibit e where e.id = $1{e}",
        "select e.id from exhibits.exhibit e where true{e} order by md5(e.id::text) limit 1",
    ),
    Query(
        "list of all I may see",
        "select s.id, s.number, s.seized_at, s.place from seizures.seizure s where s.id < $1{s}"
        " order by s.seized_at desc, s.id desc limit 50",
        "select max(id) + 1 from seizures.seizure",
    ),
    Query(
        "unit's list",
        "select e.id, e.number, e.description, e.status from exhibits.exhibit e where e.unit_id = $1{e}"
        " order by e.id desc limit 50",
        "select {unit}::bigint",
    ),
    Query(
        "case join",
        "select e.id, e.number, f.sha256 from cases.case_file c join cases.case_seizure cs on cs.case_id = c.id{cs}"
        " join exhibits.exhibit e on e.seizure_id = cs.seizure_id join evidence.file f on f.exhibit_id = e.id"
        " where c.id = $1{c}{e}{f}",
        "select c.id from cases.case_file c join cases.case_seizure cs on cs.case_id = c.id"
        " join exhibits.exhibit e on e.seizure_id = cs.seizure_id where true{c}{e} order by md5(c.id::text) limit 1",
    ),
)


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with populated(folder, sizes.many_exhibits) as (database,):
        yield from asyncio.run(_measure(database, sizes.queries))


async def _measure(database: Populated, times: int) -> list[Row]:
    dba, app = await asyncpg.connect(database.dsn("dba")), await asyncpg.connect(database.dsn("app"))
    try:
        rows = []
        for role in CAST:
            written_out = await _filters(dba, role)
            for query in QUERIES:
                samples, found = await _compare(dba, app, role, query, written_out, times)
                what = f"{query.name}, {role.name} ({found} row{'' if found == 1 else 's'})"
                rows.append(delay(what, "superuser, filter written out", samples, 1.3, or_extra=0.3))
        return rows
    finally:
        await dba.close()
        await app.close()


async def _compare(
    dba: Connection, app: Connection, role: Role, query: Query, written_out: dict[str, str], times: int
) -> tuple[Samples, int]:
    """Both sides in turn; raises BrokenRun unless they find the same rows."""
    argument = await dba.fetchval(query.argument.format(unit=role.unit_id or 11, **written_out))
    if argument is None:  # who sees nothing asks for something that exists
        argument = await dba.fetchval(query.argument.format(unit=11, **dict.fromkeys(written_out, "")))
    plain = query.sql.format(**dict.fromkeys(written_out, ""))
    filtered = query.sql.format(**written_out)
    samples = Samples([], [])
    for i in range(WARM + times):
        ours, mine = await _as_person(app, role, plain, argument)
        theirs, others = await _as_superuser(dba, filtered, argument)
        if mine != others:
            raise BrokenRun(f"{query.name} for {role.name}: {len(mine)} rows under the policies, {len(others)} without")
        if i >= WARM:
            samples.ours.append(ours)
            samples.theirs.append(theirs)
    return samples, len(mine)


async def _as_person(app: Connection, role: Role, sql: str, argument: object) -> tuple[float, list[Any]]:
    async with app.transaction():
        if await app.fetchval("select access.enter($1)", token_hash(token(role))) != role.person_id:
            raise BrokenRun(f"the session of {role.name} is not there")
        return await _timed(app, sql, argument)


async def _as_superuser(dba: Connection, sql: str, argument: object) -> tuple[float, list[Any]]:
    async with dba.transaction():
        await dba.fetchval("select $1::int", 1)  # as many statements before it
        return await _timed(dba, sql, argument)


async def _timed(connection: Connection, sql: str, argument: object) -> tuple[float, list[Any]]:
    started = time.perf_counter()
    rows = await connection.fetch(sql, argument)
    return (time.perf_counter() - started) * 1000, rows


async def _filters(dba: Connection, role: Role) -> dict[str, str]:
    """What the policies say for this person, in constants."""
    async with dba.transaction():
        await dba.fetchval("select access.enter($1)", token_hash(token(role)))
        units, agencies, principals = await dba.fetchrow(
            "select access.units()::text, access.agencies()::text, access.principals()::text"
        )

    def own(table: str) -> str:
        scope = f"{table}.unit_id = any ('{units}'::bigint[]) or {table}.agency_id = any ('{agencies}'::bigint[])"
        return f"(not {table}.ntk and ({scope}))"

    def reached(reach: str, column: str, record: str) -> str:
        return (
            f"exists (select from access.{reach} r where r.{column} = {record}"
            f" and r.principal = any ('{principals}'::bigint[]) and r.until > now())"
        )

    def of_seizure(table: str, column: str) -> str:
        return f" and ({own(table)} or {reached('reach', 'seizure_id', f'{table}.{column}')})"

    # cases.case_seizure is seen by who sees both the case, which the query asks anyway, and the seizure
    seizure = f"select from seizures.seizure s where s.id = cs.seizure_id{of_seizure('s', 'id')}"
    return {
        "s": of_seizure("s", "id"),
        "e": of_seizure("e", "seizure_id"),
        "f": of_seizure("f", "seizure_id"),
        "c": f" and ({own('c')} or {reached('case_reach', 'case_id', 'c.id')})",
        "cs": f" and exists ({seizure})",
    }
