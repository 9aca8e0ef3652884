"""Looking into a data directory, whether or not its instance runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.lock import DataDirectoryInUseError, InstanceLock
from casemgmt.embedded.runtime import with_own_parts
from casemgmt.settings import Settings, load


class NoInstanceError(EmbeddedError):
    """There is no installation in this directory."""


@contextmanager
def settings_for_inspection(data: Path, environ: Mapping[str, str]) -> Iterator[Settings]:
    """The settings of the instance in ``data``, with its database up while the block lasts.

    A running instance is looked at as it runs; otherwise only the database is started, and stopped again.
    """
    cluster = Cluster(data / "postgres")
    if not cluster.data.exists():
        raise NoInstanceError(f"There is no installation in {data}. `casemgmt up --data {data}` makes one.")
    settings = load(with_own_parts(environ, data, cluster, None))
    with ExitStack() as stack:
        try:
            stack.enter_context(InstanceLock(data))
        except DataDirectoryInUseError:
            pass  # it runs: its database is up
        else:
            cluster.start()
            stack.callback(cluster.stop)
        yield settings
