"""The openssl command, run with limits: for timestamps whose encoding only it accepts, and for demonstrations."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from casemgmt.signing.errors import SigningError

SECONDS = 20.0


class OpensslError(SigningError):
    """The command said no, took too long, or is not installed; the message ends with its own last words."""


def openssl(*arguments: str, where: Path, patience: float = SECONDS) -> bytes:
    """Run it in the directory ``where``; returns its output."""
    command: Sequence[str] = ["openssl", *arguments]
    try:
        done = subprocess.run(
            command, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False
        )
    except FileNotFoundError as error:
        raise OpensslError("the openssl command is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise OpensslError(f"openssl {arguments[0]} took longer than {patience:.0f} seconds") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise OpensslError(f"openssl {arguments[0]}: " + (" / ".join(words[-3:])[:500] or f"exit {done.returncode}"))
    return done.stdout
