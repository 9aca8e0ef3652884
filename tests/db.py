"""The tests' PostgreSQL: one server for a whole run, a database of its own for every worker.

The run's directory is named in an environment variable that pytest-xdist workers inherit. Whoever needs the
database first starts the server, under a lock; the process that began the run stops it.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from casemgmt import migrations
from casemgmt.embedded import roles
from casemgmt.embedded.cluster import Cluster

RUN_VARIABLE = "TEST_RUN_DIRECTORY"
TEMPLATE = "test_template"
_NEW = 60  # seconds in which a run has surely locked the directory it just made
_PREFIX = "casemgmt-test-run-"
_ROOM_NEEDED = 1 << 30  # bytes; a container's /dev/shm often has only 64 MiB

# Nobody needs this data after a power cut.
_HASTY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "1GB",
    "shared_buffers": "128MB",
    "max_connections": "200",
}


@dataclass(frozen=True, slots=True)
class Dsn:
    """Connection URIs of one database, by role."""

    app: str
    gate: str
    sequencer: str
    verifier: str
    owner_login: str
    dba: str


def ram_directory() -> Path:
    """The RAM disk where it is there and roomy, otherwise the temporary directory."""
    shared = Path("/dev/shm")
    if shared.is_dir() and shutil.disk_usage(shared).free > _ROOM_NEEDED:
        return shared
    return Path(tempfile.gettempdir())


def begin_run() -> int:
    """Name the run's directory for this process and its workers; returns the lock that says the run is alive."""
    remove_abandoned_runs()
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=ram_directory()))
    directory.chmod(0o711)
    os.environ[RUN_VARIABLE] = str(directory)
    return _try_lock(directory)


def end_run(alive: int) -> None:
    directory = run_directory()
    _discard(directory)
    os.close(alive)
    del os.environ[RUN_VARIABLE]


def remove_abandoned_runs() -> None:
    """Stop and remove what runs that were killed left behind."""
    for directory in ram_directory().glob(f"{_PREFIX}*"):
        # Held by a run that lives, already removed by another sweeper, or somebody else's.
        with contextlib.suppress(BlockingIOError, FileNotFoundError, PermissionError):
            if time.time() - directory.stat().st_mtime < _NEW:
                continue
            alive = _try_lock(directory)
            _discard(directory)
            os.close(alive)


def run_directory() -> Path:
    return Path(os.environ[RUN_VARIABLE])


async def shared_cluster() -> Cluster:
    """The run's server, started and with a migrated template by whichever worker asks first."""
    cluster = Cluster(run_directory() / "postgres", settings=_HASTY, durable=False)
    with _only_one(run_directory() / "starting"):
        if not cluster.running():
            cluster.start()
            await cluster.create_roles_and_database()
            await _make_template(cluster)
    return cluster


async def clone(cluster: Cluster, name: str) -> Dsn:
    """A new database ``name``, migrated and empty: a copy of files, some 20 ms."""
    connection = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, "postgres"))
    try:
        await connection.execute(f"drop database if exists {name} with (force)")
        # Copies of one template queue for it; two at once would also find it in use.
        with _only_one(run_directory() / "cloning"):
            await connection.execute(f"create database {name} owner owner template {TEMPLATE} strategy file_copy")
        await connection.execute(roles.admit_to_database(name))
    finally:
        await connection.close()
    return Dsn(**{role: cluster.dsn(role, name) for role in (*roles.LOGIN_ROLES, roles.SUPERUSER)})


async def drop(cluster: Cluster, name: str) -> None:
    connection = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, "postgres"))
    try:
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


async def _make_template(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, "postgres"))
    try:
        await connection.execute(f"alter database {roles.DATABASE} rename to {TEMPLATE}")
    finally:
        await connection.close()
    await migrations.upgrade(cluster.dsn("owner_login", TEMPLATE))
    connection = await asyncpg.connect(cluster.dsn(roles.SUPERUSER, "postgres"))
    try:
        # A database somebody is connected to cannot be copied.
        await connection.execute(f"revoke connect on database {TEMPLATE} from {', '.join(roles.LOGIN_ROLES)}")
    finally:
        await connection.close()


def _discard(directory: Path) -> None:
    if (directory / "postgres").exists():
        Cluster(directory / "postgres").stop()
    shutil.rmtree(directory)


def _try_lock(directory: Path) -> int:
    descriptor = os.open(directory / "alive", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
