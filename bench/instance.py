"""A throw-away installation to measure: ``casemgmt up`` with the demonstration cast, as people get it."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TypeVar

from bench.http import Client
from casemgmt.cases import actions as cases
from casemgmt.cases.schemas import NewCase
from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.demo.cast import PASSWORD
from casemgmt.demo.setup import signed_in
from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.temporary import TemporaryInstance
from casemgmt.exhibits import actions as exhibits
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.seizures import actions as seizures
from casemgmt.seizures.schemas import NewSeizure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Records:
    """Opaque codes of one seizure of aida's with one exhibit, in a case led by her supervisor saule."""

    seizure: str
    exhibit: str
    case: str


@dataclass(frozen=True, slots=True)
class Site:
    """A running instance. ``demonstration`` are the stored files it had from the beginning."""

    url: str
    data: Path
    demonstration: frozenset[Path]

    def token(self, login: str) -> str:
        """A session of one of the cast, for ``Authorization: Bearer``."""
        with Client(self.url) as client:
            opened = client.json("POST", "/api/v1/sessions", {"login": login, "password": PASSWORD})
        return str(opened["token"])

    def records(self) -> Records:
        """Fresh records, made by the product's own actions."""
        return asyncio.run(self._with_database(self._make_records))

    def objects(self) -> list[Path]:
        """The stored files that came since, the ledger's own left out; none where the store is no folder."""
        found = [path for path in _stored(self.data) if not path.name.startswith("ledger-")]
        return [path for path in found if path not in self.demonstration]

    def discard_objects(self) -> None:
        """Free the disk. What was measured was acknowledged before; nobody reads these files again."""
        for path in self.objects():
            path.unlink()

    async def _with_database(self, work: Callable[[Database], Awaitable[T]]) -> T:
        cluster = Cluster(self.data / "postgres")
        database = Database(cluster.dsn("app"), cluster.dsn("gate"), size=2)
        await database.open()
        try:
            return await work(database)
        finally:
            await database.close()

    async def _make_records(self, database: Database) -> Records:
        officer, supervisor = await signed_in(database, "aida"), await signed_in(database, "saule")
        async with database.begin(officer) as db:
            data = NewSeizure(client_id=uuid.uuid4(), seized_at=utcnow(), place="Ak-Tilek")
            seizure, _ = await seizures.register(db, officer, data, UTC)
            item = NewExhibit(category="DRUG", description="package")
            (exhibit,) = await exhibits.add(db, officer, seizure, [item])
        async with database.begin(supervisor) as db:
            case, _ = await cases.open_case(db, supervisor, NewCase(uuid.uuid4(), "Benchmark"), UTC)
            await cases.add_seizure(db, supervisor, case, seizure)
        codes = Codes((self.data / "keys" / "hashids.salt").read_text().strip())
        return Records(
            codes.encode("seizure", seizure.id), codes.encode("exhibit", exhibit.id), codes.encode("case", case.id)
        )


@contextmanager
def instance(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Site]:
    """An instance whose data lies below ``folder``, on the disk the plain loops write to; removed at the end."""
    data = folder / "instance"
    try:
        with TemporaryInstance(data, demo=True, settings=dict(settings or {})) as running:
            yield Site(running.url, data, frozenset(_stored(data)))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _stored(data: Path) -> list[Path]:
    return [path for path in (data / "store").glob("objects/*/*") if path.is_file()]
