"""Fixtures every room's tests share: real PostgreSQL by role, and one way to say that a real part is missing."""

import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import hypothesis
import pytest

from casemgmt.embedded.cluster import Cluster
from tests import db
from tests.cast import api, app, browser, database, server, settings, world  # noqa: F401  (fixtures)

_alive = pytest.StashKey[int]()

# A busy machine is no fault of what is tested: time is a matter for bench/.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_alive] = db.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _alive in config.stash:
        db.end_run(config.stash[_alive])


@pytest.fixture(scope="session")
def missing_part() -> Callable[[str], None]:
    """Call with what is missing and how to get it: fails where CI=true, otherwise skips and says so."""

    def report(reason: str) -> None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"a real part is missing: {reason}")
        pytest.skip(reason)

    return report


@pytest.fixture(scope="session")
async def cluster() -> Cluster:
    """The run's PostgreSQL server. Shared by all workers: never stop or reconfigure it."""
    return await db.shared_cluster()


@pytest.fixture(scope="session")
async def dsn(cluster: Cluster) -> AsyncIterator[db.Dsn]:
    """This worker's own migrated database, by role. Shared by its tests: each makes its own world in it."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    yield await db.clone(cluster, name)
    await db.drop(cluster, name)


@pytest.fixture
async def db_dba(dsn: db.Dsn) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to this worker's database, to arrange and to look behind the policies."""
    connection = await asyncpg.connect(dsn.dba)
    yield connection
    await connection.close()


@pytest.fixture
async def db_app(dsn: db.Dsn) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the application's own role, with no actor."""
    connection = await asyncpg.connect(dsn.app)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def fresh_database(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[db.Dsn]:
    """A migrated, empty database for one module alone, where commits, jobs and counts must not meet other tests'."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    module = re.sub(r"\W", "_", Path(request.path).stem)
    name = f"test_{worker}_{module}"[:60]
    yield await db.clone(cluster, name)
    await db.drop(cluster, name)
