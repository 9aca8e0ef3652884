"""Clusters and instances of their own, because these tests kill and misuse them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemgmt.embedded.cluster import Cluster
from tests.db import ram_directory


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty directory that a system user can reach, as pytest's own cannot be under root."""
    directory = Path(tempfile.mkdtemp(prefix="casemgmt-test-", dir=ram_directory()))
    directory.chmod(0o711)
    yield directory
    Cluster(directory / "postgres").stop()
    shutil.rmtree(directory)


@pytest.fixture
async def own_cluster(home: Path) -> Cluster:
    """A started server with roles and database, for one test."""
    cluster = Cluster(home / "postgres", durable=False)
    cluster.start()
    await cluster.create_roles_and_database()
    return cluster
