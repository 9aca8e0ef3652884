"""One data directory, one instance."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from casemgmt.embedded.errors import EmbeddedError


class DataDirectoryInUseError(EmbeddedError):
    """Another instance holds the data directory."""


class InstanceLock:
    """Exclusive use of a data directory, held by the kernel: a killed process cannot leave it locked.

    The lock file says who holds it, for people (the refusal below) and for tools that wait for an address.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._path = data / "lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataDirectoryInUseError(self._refusal()) from None
        self._descriptor = descriptor
        self._write({"pid": os.getpid()})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.truncate(self._descriptor, 0)
            os.close(self._descriptor)  # the file stays: removing it would let two holders lock two files
            self._descriptor = None

    def announce(self, url: str) -> None:
        """Record the address people use, once the instance answers there."""
        self._write({"pid": os.getpid(), "url": url})

    def _write(self, holder: dict[str, int | str]) -> None:
        if self._descriptor is None:
            raise RuntimeError("only the holder of the lock may write who holds it")
        text = json.dumps(holder).encode()
        os.pwrite(self._descriptor, text, 0)
        os.truncate(self._descriptor, len(text))

    def _refusal(self) -> str:
        holder = read_holder(self._data)
        who = f"process {holder['pid']}" if "pid" in holder else "another process"
        where = f", serving {holder['url']}" if "url" in holder else ""
        return f"{self._data} is in use by {who}{where}. Stop it first, or choose another directory with --data."


def read_holder(data: Path) -> dict[str, int | str]:
    """What the lock file says: ``pid``, and ``url`` once it answers. Empty when nobody wrote it (or is writing it)."""
    try:
        holder = json.loads((data / "lock").read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return holder if isinstance(holder, dict) else {}
