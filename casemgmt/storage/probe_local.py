"""Trying to break the write-once folder with the rights this process has."""

import hashlib
import os
import secrets
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from casemgmt.storage.contract import AlreadyStored
from casemgmt.storage.local import LocalStore
from casemgmt.storage.local_sink import make_immutable
from casemgmt.storage.probe_report import Attempt, Outcome, Report, Verdict

BYTES = b"A probe of the evidence store. It may be removed.\n"


def probe_folder(store: LocalStore) -> Report:
    """See :func:`casemgmt.storage.probe.probe`. The verdict is always the same: a folder's lock is its owner."""
    key = f"probe-{secrets.token_hex(8)}"
    path = store.path(key)
    sink = store.create(key, len(BYTES))
    sink.write([BYTES])
    sink.commit(hashlib.sha256(BYTES).hexdigest(), zlib.crc32(BYTES), len(BYTES))
    try:
        attempts = [
            _attempt(
                "write-again", "write under the same key through the application", path, lambda: _again(store, key)
            ),
            _attempt("change-file", "change the file as this account", path, lambda: _change(path)),
            _attempt("delete-file", "delete the file as this account", path, path.unlink),
        ]
        if store.immutable and path.exists():
            attempts.append(
                _attempt("clear-flag", "clear the immutable flag and delete", path, lambda: _clear_and_delete(path))
            )
    finally:
        with suppress(OSError):
            _clear_and_delete(path)
    broken = [attempt.what for attempt in attempts if attempt.outcome is Outcome.HAPPENED]
    because = (
        f"A folder is guarded by this machine's accounts only; this account could {' and '.join(broken)}."
        if broken
        else "A folder is guarded by this machine's accounts only; this account could not break it, root can."
    )
    return Report(store.address, Verdict.NOT_LOCKED, because, tuple(attempts))


def _attempt(code: str, what: str, path: Path, act: Callable[[], None]) -> Attempt:
    detail = ""
    try:
        act()
    except (OSError, AlreadyStored) as error:
        detail = type(error).__name__
    intact = path.exists() and path.read_bytes() == BYTES
    return Attempt(code, what, Outcome.REFUSED if intact else Outcome.HAPPENED, detail)


def _again(store: LocalStore, key: str) -> None:
    store.create(key).abort()


def _change(path: Path) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(b"a")


def _clear_and_delete(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        make_immutable(fd, on=False)
    finally:
        os.close(fd)
    path.unlink()
