"""Where the server's socket lives. The kernel allows about a hundred bytes for the whole name."""

import hashlib
import os
import tempfile
from pathlib import Path

from casemgmt.embedded.errors import EmbeddedError

_LONGEST_NAME = 103  # bytes; macOS allows 103, Linux 107
_SOCKET_NAME = ".s.PGSQL.5432"


class SocketDirectoryError(EmbeddedError):
    """The short directory for the socket belongs to somebody else."""


def choose_socket_directory(wanted: Path) -> Path:
    """``wanted``, or when its name is too long a short one under the temporary directory, always the same.

    The short name can be guessed, so one that somebody else made is refused (SocketDirectoryError).
    """
    if len(os.fsencode(wanted / _SOCKET_NAME)) <= _LONGEST_NAME:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"casemgmt-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    facts = short.lstat()
    if short.is_symlink() or not short.is_dir() or (os.geteuid() not in (0, facts.st_uid)) or facts.st_mode & 0o077:
        raise SocketDirectoryError(
            f"{short} is needed for the database socket but was made by somebody else. "
            "Remove it, or choose a data directory with a shorter name."
        )
    return short
