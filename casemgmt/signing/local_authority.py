"""A timestamp authority in a directory of this machine, answered by openssl: for demonstrations and tests.

Whoever holds the directory can stamp any time. It shows how timestamps work and proves nothing to anybody.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from casemgmt.signing.errors import AuthorityError
from casemgmt.signing.openssl import OpensslError, openssl

CONFIGURATION = "tsa.cnf"


class LocalAuthority:
    """``directory`` holds ``tsa.cnf`` and what it names, with paths relative to it."""

    def __init__(
        self, directory: Path, trusted: Sequence[x509.Certificate], policy: str | None, timeout: float
    ) -> None:
        self.name = "demonstration authority of this machine"
        self.trusted, self.policy = trusted, policy
        self._directory, self._timeout = directory, timeout

    def ask(self, request: bytes) -> bytes:
        try:
            return self._ask(request)
        except (OpensslError, OSError) as error:
            raise AuthorityError(f"cannot be asked: {error}") from error

    def _ask(self, request: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="casemgmt-tsa-") as name, (self._directory / "lock").open("w") as lock:
            query, answer = Path(name) / "query", Path(name) / "answer"
            query.write_bytes(request)
            fcntl.flock(lock, fcntl.LOCK_EX)  # openssl reads and writes the serial number without one
            openssl(
                "ts", "-reply", "-config", CONFIGURATION, "-queryfile", str(query), "-out", str(answer),
                where=self._directory, patience=self._timeout,
            )  # fmt: skip
            return answer.read_bytes()
