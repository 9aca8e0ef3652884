"""Ten thousand or a million exhibits in the real schema, and people who see different parts of them.

Rows are written behind the policies by the superuser, with ordinary triggers and foreign keys off; who may see what is
then computed by the product's own definition of reach. The same size always gives the same rows.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, TypeAlias

import asyncpg

from bench.harness import Stopwatch
from casemgmt.core.web.signin import token_hash
from casemgmt.reference.numbers import Kind, make

Connection: TypeAlias = "asyncpg.Connection[Any]"

SESSION = "bench-session-of-the-"
FIRST_DAY = datetime(2016, 1, 1, tzinfo=UTC)
PAGE = 5000  # seizures at a time
LARGE = ("seizures.seizure", "exhibits.exhibit", "evidence.file", "custody.event", "ledger.entry", "cases.case_file",
         "cases.case_seizure", "cases.case_member", "access.search_key", "access.exhibit_text", "access.reach",
         "access.case_reach")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Role:
    """One of the population's cast. ``unit_id`` is where they work, None for who works in none."""

    name: str
    person_id: int
    unit_id: int | None


CAST = (
    Role("officer", 1007, 17),
    Role("investigator", 2001, 11),
    Role("prosecutor", 1203, 13),
    Role("auditor", 1405, None),
    Role("supervisor", 1012, 22),
    Role("administrator", 1001, None),
)
UNITS = [5 * (k // 3) + (1, 2, 4)[k % 3] for k in range(42)]
"""The units that make seizures; seizure i is made in ``UNITS[i % 42]``."""

# In each of the first sixteen units one person found everything and holds it, and a colleague may receive it.
GIVERS = [Role(f"giver-{k}", 1000 + (7 if u == 7 else u + 200), 10 + u) for k, u in enumerate(UNITS[:16])]
RECEIVERS = [Role(f"receiver-{k}", 1000 + u + 400, 10 + u) for k, u in enumerate(UNITS[:16])]


def token(role: Role) -> str:
    """The session every population has for this person."""
    return f"{SESSION}{role.name}"


def seizures_of(exhibits: int) -> int:
    """How many seizures a population of about so many exhibits has: 3.4 exhibits each."""
    return max(42 * 3, round(exhibits / 3.4))


async def fill(dba: Connection, exhibits: int) -> None:
    """Fill an empty migrated database with about ``exhibits`` exhibits; minutes for a million."""
    count = seizures_of(exhibits)
    statements = _sections()
    await dba.execute("set session_replication_role = replica; set synchronous_commit = off; set work_mem = '256MB'")
    await dba.execute("set maintenance_work_mem = '512MB'; set statement_timeout = 0")
    with Stopwatch() as watch:
        indexes = await _take_indexes_away(dba)
        await _plan(dba, count)
        await dba.execute(statements["people"])
        await _open_sessions(dba)
        await dba.execute(statements["seizures"])
        for first in range(0, count, PAGE):
            await dba.execute(statements["exhibits"], first, first + PAGE)
            _say(f"  exhibits of {min(first + PAGE, count):,} of {count:,} seizures")
        await dba.execute(statements["cases"])
        await dba.execute(statements["sharing"])
        for index in indexes:
            await dba.execute(index)
        await dba.execute("analyze")
        await _reach(dba, count)
        await _move_sequences_on(dba)
        await dba.execute("reset all")
        await dba.execute("vacuum (analyze)")
    _say(f"  {exhibits:,} exhibits in {watch.seconds:.0f} s")


def _sections() -> dict[str, str]:
    text = files("bench").joinpath("population.sql").read_text(encoding="utf-8")
    sections = (part.split("\n", 1) for part in text.split("-- ==== ")[1:])
    return {title.split(":")[0].strip(): sql for title, sql in sections}


async def _plan(dba: Connection, count: int) -> None:
    """What cannot be said in SQL: numbers with their check digits."""
    await dba.execute(
        "create temporary table plan(id bigint, number text, unit int, person int, seized_at timestamptz, exhibits int,"
        " first_exhibit bigint);"
        "create temporary table case_plan(id bigint, number text, person int, first_seizure bigint,"
        " second_seizure bigint)"
    )
    await dba.copy_records_to_table("plan", records=list(_seizures(count)))
    await dba.copy_records_to_table("case_plan", records=list(_cases(count)))
    await dba.execute("create index on plan(id); analyze plan; analyze case_plan")


def _seizures(count: int) -> Iterator[tuple[object, ...]]:
    exhibit = 1
    for i in range(1, count + 1):
        unit, day = UNITS[i % 42], FIRST_DAY + timedelta(minutes=i * 5_600_000 / count)
        person = 7 if unit == 7 else unit + 200
        number = make(Kind.SEIZURE, year=day.year, unit=f"{1000 + unit}", serial=i // 42 + 1)
        exhibits = 2 + (i * 7919 % 10 < 4) + 2 * (i * 104_729 % 10 < 5)
        yield i, number, unit, person, day, exhibits, exhibit
        exhibit += exhibits


def _cases(seizures: int) -> Iterator[tuple[object, ...]]:
    for i in range(1, max(6600, seizures * 2 // 3) + 1):
        first, second = 1 + i * 7919 % seizures, 1 + (i * 104_729 + 5) % seizures
        unit = UNITS[first % 42]
        number = make(Kind.CASE_FILE, year=2026, unit=f"{1000 + unit}", serial=i)
        yield i, number, unit + 200 * (1 + i % 14), first, second


async def _open_sessions(dba: Connection) -> None:
    await dba.executemany(
        "insert into accounts.session(token_hash, person_id, csrf, expires_at)"
        " values ($1, $2, $3, now() + interval '1 year')",
        [(token_hash(token(role)), role.person_id, secrets.token_urlsafe(12)) for role in (*CAST, *GIVERS, *RECEIVERS)],
    )


async def _take_indexes_away(dba: Connection) -> list[str]:
    """Drop what is no constraint on the large tables; returns the statements that bring it back."""
    rows = await dba.fetch(
        "select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition from pg_index i"
        " where i.indrelid = any ($1::text[]::regclass[]) and not i.indisunique",
        list(LARGE),
    )
    for row in rows:
        await dba.execute(f"drop index {row['name']}")
    return [row["definition"] for row in rows]


async def _reach(dba: Connection, seizures: int) -> None:
    """Who may see what, by the product's own definition."""
    last_case = await dba.fetchval("select max(id) from cases.case_file")
    for last, seizures_, cases in ((last_case, "'{}'", "ids"), (seizures, "ids", "'{}'")):
        for first in range(0, last, PAGE):
            await dba.execute(
                f"select access.refresh({seizures_}, {cases})"  # noqa: S608
                " from (select array_agg(i) as ids from generate_series($1::bigint + 1, $2::bigint) i) page",
                first,
                min(first + PAGE, last),
            )
    await dba.execute("analyze access.reach; analyze access.case_reach")


async def _move_sequences_on(dba: Connection) -> None:
    rows = await dba.fetch(
        "select format('%I.%I', table_schema, table_name) as name, column_name from information_schema.columns"
        " where is_identity = 'YES' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    for row in rows:
        name, column = row["name"], row["column_name"]
        await dba.execute(
            f"select setval(pg_get_serial_sequence('{name}', '{column}'), (select max({column}) from {name}))"  # noqa: S608
        )


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
