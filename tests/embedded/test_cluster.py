"""The server's life: made, stopped, killed in every way, started again."""

import os
import signal
import time
from pathlib import Path

import asyncpg
import psutil
import pytest

from casemgmt.embedded.cluster import Cluster, ClusterError
from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.secret_files import ExposedSecretError
from casemgmt.embedded.server_process import find_server
from casemgmt.embedded.socket_directory import SocketDirectoryError, choose_socket_directory


async def write_row(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.dsn("owner_login"))
    await connection.execute("set role owner; create schema kept; create table kept.row as select 42 as answer")
    await connection.close()


async def answer(cluster: Cluster) -> int:
    connection = await asyncpg.connect(cluster.dsn("dba"))
    value: int = await connection.fetchval("select answer from kept.row")
    await connection.close()
    return value


def server_of(cluster: Cluster) -> psutil.Process:
    server = find_server(cluster.data)
    assert server is not None
    return server


async def test_a_second_start_keeps_the_data_and_the_passwords(own_cluster: Cluster) -> None:
    await write_row(own_cluster)
    own_cluster.stop()
    assert not own_cluster.running()

    again = Cluster(own_cluster.home, durable=False)
    again.start()
    await again.create_roles_and_database()
    assert await answer(again) == 42


async def test_it_takes_over_from_a_server_that_a_killed_instance_left(own_cluster: Cluster) -> None:
    await write_row(own_cluster)
    orphan = server_of(own_cluster)

    again = Cluster(own_cluster.home, durable=False)  # nobody stopped the first one
    again.start()
    assert server_of(again).pid != orphan.pid
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
    assert await answer(again) == 42


async def test_it_recovers_after_the_server_was_killed(own_cluster: Cluster) -> None:
    await write_row(own_cluster)
    idle = await asyncpg.connect(own_cluster.dsn("dba"))  # its backend outlives the server for a moment
    server_of(own_cluster).send_signal(signal.SIGKILL)

    own_cluster.start()
    assert await answer(own_cluster) == 42
    idle.terminate()


async def test_it_recovers_when_server_and_all_its_processes_were_killed(own_cluster: Cluster) -> None:
    await write_row(own_cluster)
    server = server_of(own_cluster)
    for process in (server, *server.children(recursive=True)):
        process.kill()

    own_cluster.start()
    assert await answer(own_cluster) == 42


async def test_a_pid_file_that_names_an_unrelated_process_does_no_harm_to_it(own_cluster: Cluster) -> None:
    await write_row(own_cluster)
    own_cluster.stop()
    pid_file = own_cluster.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{own_cluster.data}\n")

    assert not own_cluster.running()
    own_cluster.start()
    assert await answer(own_cluster) == 42


async def test_an_interrupted_initialisation_is_begun_again(home: Path) -> None:
    partial = home / "postgres" / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")

    cluster = Cluster(home / "postgres", durable=False)
    cluster.start()
    await cluster.create_roles_and_database()
    assert not partial.exists()


async def test_roles_interrupted_before_the_database_are_completed(home: Path) -> None:
    cluster = Cluster(home / "postgres", durable=False)
    cluster.start()
    await cluster.create_roles_and_database()
    connection = await asyncpg.connect(cluster.dsn("dba", "postgres"))
    await connection.execute("drop database casemgmt")
    await connection.close()

    await cluster.create_roles_and_database()
    connection = await asyncpg.connect(cluster.dsn("app"))
    await connection.close()


async def test_secrets_are_for_their_owner_alone(own_cluster: Cluster) -> None:
    secrets = list((own_cluster.home / "secrets").iterdir())
    assert {path.stem for path in secrets} == {"dba", "owner_login", "app", "gate", "sequencer", "verifier"}
    for path in secrets:
        assert path.stat().st_mode & 0o777 == 0o600, path
        assert len(path.read_text()) >= 40
    for directory in ("secrets", "socket", "data"):
        assert (own_cluster.home / directory).stat().st_mode & 0o777 == 0o700, directory
    assert not (own_cluster.home / "initdb.secret").exists()


async def test_a_secret_that_others_can_read_is_refused(own_cluster: Cluster) -> None:
    (own_cluster.home / "secrets" / "app.secret").chmod(0o640)
    with pytest.raises(ExposedSecretError, match=r"mode 0640.*chmod 600"):
        own_cluster.dsn("app")


def test_passwords_are_not_in_the_servers_log_or_command_line(own_cluster: Cluster) -> None:
    server = server_of(own_cluster)
    told = " ".join(server.cmdline()) + "".join(
        path.read_text(errors="replace") for path in (own_cluster.data / "log").iterdir()
    )
    for secret in (own_cluster.home / "secrets").iterdir():
        assert secret.read_text() not in told


async def test_a_data_directory_with_a_very_long_name_gets_a_short_socket(home: Path) -> None:
    deep = home / ("evidence-" * 6) / ("office-" * 8)
    cluster = Cluster(deep / "postgres", durable=False)
    try:
        cluster.start()
        await cluster.create_roles_and_database()
        short = cluster.socket_directory
        assert short.parent != deep / "postgres"
        assert short.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.stop()
    short.rmdir()


def test_a_short_socket_directory_that_others_can_enter_is_refused(home: Path) -> None:
    wanted = home / ("x" * 120)
    short = choose_socket_directory(wanted)
    try:
        short.chmod(0o777)
        with pytest.raises(SocketDirectoryError, match="made by somebody else"):
            choose_socket_directory(wanted)
    finally:
        short.rmdir()


def test_a_server_that_cannot_start_says_why_in_its_own_words(home: Path) -> None:
    cluster = Cluster(home / "postgres", settings={"shared_buffers": "nonsense"}, durable=False)
    with pytest.raises(ClusterError, match="shared_buffers"):
        cluster.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_a_directory_closed_to_the_system_user_is_opened_for_it_alone(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "data" / "postgres", durable=False)
    try:
        cluster.start()
        mode = closed.stat().st_mode
        assert mode & 0o007 == 0, "others still may not pass"
        assert os.getxattr(closed, "system.posix_acl_access")
    finally:
        cluster.stop()


def test_every_error_is_one_the_command_line_explains() -> None:
    assert issubclass(ClusterError, EmbeddedError)
    assert issubclass(SocketDirectoryError, EmbeddedError)


def test_the_second_start_is_quick(own_cluster: Cluster) -> None:
    own_cluster.stop()
    began = time.monotonic()
    own_cluster.start()
    assert time.monotonic() - began < 5
