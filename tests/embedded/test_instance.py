"""``casemgmt up`` as a process: started, stopped, killed, started twice."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from casemgmt.embedded.cluster import Cluster
from casemgmt.embedded.lock import read_holder
from casemgmt.embedded.server_process import find_server
from casemgmt.embedded.temporary import TemporaryInstance


@pytest.fixture
def instance(home: Path) -> Iterator[TemporaryInstance]:
    with TemporaryInstance(home) as started:
        yield started


def up(home: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run ``casemgmt up`` where it is expected to refuse by itself."""
    return subprocess.run(
        [sys.executable, "-m", "casemgmt", "up", "--data", str(home), *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pid_of(instance: TemporaryInstance) -> int:
    assert instance.process is not None
    return instance.process.pid


def database_server(home: Path) -> psutil.Process | None:
    return find_server(home / "postgres" / "data")


async def people(home: Path) -> int:
    connection = await asyncpg.connect(Cluster(home / "postgres").dsn("dba"))
    count: int = await connection.fetchval("select count(*) from accounts.person")
    await connection.close()
    return count


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_leaves_nothing_running(
    instance: TemporaryInstance, home: Path, number: signal.Signals
) -> None:
    assert database_server(home) is not None
    process = instance.process
    assert process is not None
    process.send_signal(number)
    assert process.wait(30) == 0, instance.output()
    assert database_server(home) is None
    assert read_holder(home) == {}
    assert f"casemgmt is ready: {instance.url}" in instance.output()


def test_a_second_instance_on_the_same_data_is_refused_by_name(instance: TemporaryInstance, home: Path) -> None:
    refused = up(home, "--port", "0")
    assert refused.returncode == 2
    assert f"in use by process {pid_of(instance)}" in refused.stderr
    assert instance.url in refused.stderr
    assert "Traceback" not in refused.stderr
    assert database_server(home) is not None


async def test_it_starts_again_after_it_was_killed(instance: TemporaryInstance, home: Path) -> None:
    before = await people(home)
    instance.kill()
    left = database_server(home)
    assert left is not None, "PostgreSQL should have outlived a kill -9"

    instance.start()
    server = database_server(home)
    assert server is not None
    assert server.pid != left.pid
    assert await people(home) == before


def test_it_starts_again_after_everything_was_killed(instance: TemporaryInstance, home: Path) -> None:
    server = database_server(home)
    assert server is not None
    instance.kill()
    for process in (server, *server.children(recursive=True)):
        process.kill()
    instance.start()
    assert instance.stop() == 0


async def test_it_brings_a_killed_database_back_by_itself(instance: TemporaryInstance, home: Path) -> None:
    killed = database_server(home)
    assert killed is not None
    killed.kill()
    deadline = time.monotonic() + 30
    while (server := database_server(home)) is None or server.pid == killed.pid or not instance._answers():
        assert time.monotonic() < deadline, instance.output()
        time.sleep(0.1)


def test_keys_are_made_once_for_their_owner_alone_and_never_printed(instance: TemporaryInstance, home: Path) -> None:
    # beside the key stands the signer's memory of what it signed, which is no secret and does change
    keys = sorted(path for path in (home / "keys").iterdir() if not path.name.startswith("ledger.signed"))
    assert [path.name for path in keys] == ["hashids.salt", "ledger.key"]
    assert (home / "keys").stat().st_mode & 0o777 == 0o700
    before = {path: path.read_bytes() for path in keys}
    for path in keys:
        assert path.stat().st_mode & 0o777 == 0o600
    instance.stop()
    instance.start()
    assert {path: path.read_bytes() for path in keys} == before
    for secret in (*keys, *(home / "postgres" / "secrets").iterdir()):
        assert secret.read_text() not in instance.output()


def test_a_port_in_use_is_said_before_anything_starts(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = up(home, "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 2
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert database_server(home) is None


def test_a_configured_database_is_not_silently_ignored(home: Path) -> None:
    refused = up(home, CASEMGMT_APP_URL="postgresql://app@db/casemgmt")
    assert refused.returncode == 2
    assert "CASEMGMT_APP_URL" in refused.stderr
    assert "casemgmt serve" in refused.stderr


def test_a_bad_setting_is_named(home: Path) -> None:
    refused = up(home, CASEMGMT_TIME_ZONE="Asia/Bishkeck")
    assert refused.returncode == 2
    assert refused.stderr == (
        "casemgmt: CASEMGMT_TIME_ZONE must be the name of a time zone, as in Asia/Bishkek, not 'Asia/Bishkeck'\n"
    )
