"""Secrets that live in files: made once, readable only by the user who runs casemgmt."""

import os
from collections.abc import Callable
from pathlib import Path

from casemgmt.embedded.errors import EmbeddedError


class ExposedSecretError(EmbeddedError):
    """A secret file can be read or written by somebody else; using it would hide that."""


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The secret in ``path``; when there is none, what ``make`` returns, durably stored with mode 0600.

    A crash leaves either no file or the whole secret, never half of one. Raises ExposedSecretError
    when an existing file grants anything to the group or to others.
    """
    try:
        return read(path)
    except FileNotFoundError:
        _create(path, make())
    return read(path)


def read(path: Path) -> bytes:
    """The secret in ``path``, refused with ExposedSecretError unless only its owner may touch it."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise ExposedSecretError(
                f"{path} has mode {mode:04o}: others can read or change this secret. "
                f"Replace the secret if it may have been seen, then run: chmod 600 {path}"
            )
        return file.read()


def private_directory(path: Path) -> Path:
    """Make ``path`` a directory that only its owner may enter, and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def _create(path: Path, secret: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(partial)  # unlike a rename, never replaces a secret another process made meanwhile
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
