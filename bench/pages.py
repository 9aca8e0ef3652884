"""Pages of a country's register against the same pages of a small one: nobody should feel how much others recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import asyncpg

from bench.databases import SALT, Populated, populated, served
from bench.harness import Row, delay, turns
from bench.http import Client
from bench.population import CAST, Role, token
from bench.sizes import Sizes
from casemgmt.core.codes import Codes
from casemgmt.core.web.signin import COOKIE

RECORDS = 100  # different ones of each kind


@dataclass(frozen=True, slots=True)
class Page:
    """A page as one of the cast sees it. ``records`` is SQL for id and number of what it may show; none for a list."""

    name: str
    role: Role
    path: str
    kind: str = ""
    records: str = ""


_OFFICER, _INVESTIGATOR = CAST[0], CAST[1]

PAGES = (
    Page("case page", _INVESTIGATOR, "/cases/{code}", "case",
         "select c.id, c.number from cases.case_file c join cases.case_member m on m.case_id = c.id"
         " where m.person_id = $1 and not c.ntk order by md5(c.id::text) limit $2"),
    Page("exhibit page", _OFFICER, "/exhibits/{code}", "exhibit",
         "select id, number from exhibits.exhibit where holder_id = $1 and not ntk order by md5(id::text) limit $2"),
    Page("seizure page", _OFFICER, "/seizures/{code}", "seizure",
         "select id, number from seizures.seizure where created_by = $1 and not ntk order by md5(id::text) limit $2"),
    Page("my unit's seizures", _OFFICER, "/seizures?scope=unit"),
    Page("my unit's exhibits", _OFFICER, "/exhibits?scope=unit"),
    Page("my unit's cases", _INVESTIGATOR, "/cases?scope=unit"),
)  # fmt: skip


def measure(folder: Path, sizes: Sizes) -> Iterator[Row]:
    with ExitStack() as stack:
        few, many = stack.enter_context(populated(folder, sizes.few_exhibits, sizes.many_exhibits))
        few_url, many_url = (stack.enter_context(served(database, folder)) for database in (few, many))
        for page in PAGES:
            ours = stack.enter_context(_client(many_url, page.role))
            theirs = stack.enter_context(_client(few_url, page.role))
            in_many, in_few = _requests(ours, page, many), _requests(theirs, page, few)
            for request in (in_many, in_few):
                for _ in range(max(4, sizes.pages // 10)):
                    request()  # plans, templates and caches of a process that has run a while
            samples = turns(in_many, in_few, sizes.pages)
            what = f"{page.name}, p95, {many.exhibits:,} exhibits"
            yield delay(what, f"its p95 at {few.exhibits:,}", samples, 1.5, at=0.95)


def _client(url: str, role: Role) -> Client:
    return Client(url, cookie=f"{COOKIE}={token(role)}")


def _requests(client: Client, page: Page, database: Populated) -> Callable[[], float]:
    """Each call asks for the next record's page and gives its milliseconds."""
    codes = Codes(SALT)
    if page.records:
        found = asyncio.run(_records(database, page))
        targets = [(page.path.format(code=codes.encode(page.kind, id_)), number.encode()) for id_, number in found]
    else:
        targets = [(page.path, b"</html>")]
    turn = cycle(targets)

    def next_page() -> float:
        path, number = next(turn)
        return client.milliseconds(path, containing=number)

    return next_page


async def _records(database: Populated, page: Page) -> list[tuple[int, str]]:
    dba = await asyncpg.connect(database.dsn("dba"))
    try:
        rows = await dba.fetch(page.records, page.role.person_id, RECORDS)
    finally:
        await dba.close()
    return [(row["id"], row["number"]) for row in rows]
