"""The three stores of the contract: a folder, a plain S3 server, and one that enforces Object Lock."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemgmt.storage.contract import Store
from casemgmt.storage.local import LocalStore
from casemgmt.storage.s3 import LockMode, S3Store
from casemgmt.storage.s3_http import Account
from tests.servers import S3Server, rclone_s3, versitygw


@pytest.fixture(scope="session")
def rclone_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with rclone_s3(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(scope="session")
def locking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with versitygw(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


def fresh_bucket(server: S3Server, mode: LockMode = "GOVERNANCE", prefix: str = "") -> S3Store:
    account = Account(server.access, server.secret)
    store = S3Store(server.endpoint, f"b{secrets.token_hex(6)}", account, mode=mode, prefix=prefix)
    store.prepare()
    return store


@pytest.fixture
def local_store(tmp_path: Path) -> Iterator[LocalStore]:
    store = LocalStore(tmp_path / "store")
    store.prepare()
    yield store
    store.close()


@pytest.fixture
def rclone_store(rclone_server: S3Server) -> Iterator[S3Store]:
    store = fresh_bucket(rclone_server)
    yield store
    store.close()


@pytest.fixture
def locking_store(locking_server: S3Server) -> Iterator[S3Store]:
    store = fresh_bucket(locking_server)
    yield store
    store.close()


@pytest.fixture(params=["local_store", "rclone_store", "locking_store"])
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue(request.param)
    return made
