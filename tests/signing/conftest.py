"""A demonstration's certificates and authority, and HTTP authorities that answer as told."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509

from casemgmt.signing.authority import Authorities, HttpAuthority
from casemgmt.signing.certificates import read_certificates
from casemgmt.signing.credentials import Pkcs12
from casemgmt.signing.demonstration import Demonstration, ensure_demonstration
from casemgmt.signing.local_authority import LocalAuthority
from casemgmt.signing.signer import OrganisationSigner

Behaviour = Callable[[bytes], tuple[int, bytes]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return ensure_demonstration(tmp_path_factory.mktemp("signing") / "a path with spaces" / "demonstration")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    """Made by somebody else: the same names, other keys."""
    return ensure_demonstration(tmp_path_factory.mktemp("signing") / "demonstration")


@pytest.fixture(scope="session")
def authorities(demo: Demonstration) -> Authorities:
    return Authorities([local(demo)])


@pytest.fixture(scope="session")
def signer(demo: Demonstration, authorities: Authorities) -> OrganisationSigner:
    return OrganisationSigner(lambda: pkcs12(demo), [], [], authorities)


def pkcs12(demo: Demonstration) -> Pkcs12:
    return Pkcs12(demo.pkcs12, demo.password.read_text())


def trusted(demo: Demonstration) -> Sequence[x509.Certificate]:
    return read_certificates(demo.tsa_ca.read_bytes(), "the demonstration's root")


def local(demo: Demonstration) -> LocalAuthority:
    return LocalAuthority(demo.directory, trusted(demo), None, 20.0)


@dataclass
class Server:
    """``behaviour`` makes status and body from the request; ``pause`` seconds pass before each byte of the body."""

    behaviour: Behaviour
    url: str = ""
    pause: float = 0.0
    asked: int = 0
    authorization: str | None = None

    def authority(self, demo: Demonstration, *, policy: str | None = None, timeout: float = 10.0) -> HttpAuthority:
        return HttpAuthority(self.url, trusted(demo), policy, timeout)


@pytest.fixture
def server(demo: Demonstration) -> Iterator[Server]:
    """A real HTTP server before the demonstration's authority."""
    state = Server(lambda request: (200, local(demo).ask(request)))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked += 1
            state.authorization = self.headers["Authorization"]
            status, body = state.behaviour(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                if not state.pause:
                    self.wfile.write(body)
                    return
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(state.pause)
            except OSError:
                pass  # the client has gone, as it should

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_port}/tsr"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield state
        running.shutdown()


def run(*command: str | Path, where: Path) -> subprocess.CompletedProcess[str]:
    """Somebody else's verifier; its output is text, both streams in one."""
    return subprocess.run(
        [str(part) for part in command], cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=60,
    )  # fmt: skip
