"""Real S3 servers for tests, each in its own folder and on its own port.

``rclone serve s3`` keeps no versions, no locks and no promises about overwriting: the plain kind of server.
versitygw keeps versions and enforces Object Lock; ``tools/get-versitygw.sh`` builds it. Where that was not done, its
tests are skipped with the reason; with ``CI=true`` they fail, because a missing real part must not go unnoticed.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
VERSITYGW = REPOSITORY / ".tools" / "bin" / "versitygw"


@dataclass(frozen=True)
class S3Server:
    """A running server. ``process`` is there to be stopped by tests of a dead store."""

    endpoint: str
    access: str
    secret: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def rclone_s3(folder: Path, *, port: int | None = None) -> Iterator[S3Server]:
    """An S3 server without versions or Object Lock. With a ``port`` it can be started again where it was."""
    data = folder / "rclone"
    data.mkdir(exist_ok=True)
    port = port or free_port()
    rclone = Path(sys.executable).parent / "rclone"
    command = [str(rclone), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", "test-access,test-secret"]
    # rclone takes a folder for a bucket and, by itself, waits to see whether a written file changes again.
    with _running([*command, "--vfs-cache-mode", "off", str(data)], folder / "rclone.log", port, {}) as server:
        yield server


@contextmanager
def versitygw(folder: Path, *, port: int | None = None) -> Iterator[S3Server]:
    """An S3 server that enforces Object Lock. Needs a folder whose file system keeps user attributes."""
    require_versitygw()
    data, versions = folder / "gateway", folder / "gateway-versions"
    data.mkdir(exist_ok=True)
    versions.mkdir(exist_ok=True)
    _require_attributes(data)
    port = port or free_port()
    command = [str(VERSITYGW), "--port", f"127.0.0.1:{port}", "posix", "--versioning-dir", str(versions), str(data)]
    account = {"ROOT_ACCESS_KEY": "test-access", "ROOT_SECRET_KEY": "test-secret"}
    with _running(command, folder / "versitygw.log", port, account) as server:
        yield server


def require_versitygw() -> None:
    """Skip the calling test, or fail it in CI, when the server was not built."""
    if not VERSITYGW.exists():
        _missing("versitygw is not built: run tools/get-versitygw.sh")


def free_port() -> int:
    """A port nobody listens on, below those that the system gives to outgoing connections: one of theirs could be taken
    again before it is listened on."""
    while True:
        port = secrets.choice(range(15_000, 32_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextmanager
def _running(command: Sequence[str], log: Path, port: int, extra: dict[str, str]) -> Iterator[S3Server]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **extra})
    try:
        _wait(process, port, log)
        yield S3Server(f"http://127.0.0.1:{port}", "test-access", "test-secret", process)
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _require_attributes(folder: Path) -> None:
    try:
        os.setxattr(folder, "user.casemgmt", b"1")
    except OSError as error:
        _missing(f"the file system of {folder} keeps no user attributes: {error}")


def _missing(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
