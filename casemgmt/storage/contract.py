"""What the application may rely on from any store, told as obligations.

The contract has no way to delete, rename or overwrite a published object. A store may be able to do more; nothing
here can ask it to. Whether *others* can is a property of the deployment, which :mod:`casemgmt.storage.probe` tries out.

Every method blocks. Call ``create`` and the methods of a sink on ``Store.writers``, the rest on ``Store.readers``.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

KEY = re.compile(r"[0-9a-z][0-9a-z-]{2,60}[0-9a-f]{2}")
"""Keys are opaque lower-case ids, safe in a path and a URL. The last two hexadecimal digits spread a folder."""


class StoreError(Exception):
    """The store did not do what it was asked. The message is for an operator, not for a form."""


class AlreadyStored(StoreError):
    """An object is published under this key; it stays as it is."""


class NotStored(StoreError):
    """No object is published under this key (or not in this version)."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, is not prepared or is failing. Nothing is acknowledged; try again later."""


class NoSpace(StoreError):
    """The store is full. Nothing is acknowledged."""


class Corrupted(StoreError):
    """The store received other bytes than were sent, or gives back other bytes than it holds."""


class Locked(StoreError):
    """The store refused because of a retention period, a legal hold or a missing permission; S3 does not say which."""


class StagingLost(StoreError):
    """The store has let go of what was staged of this upload. Its bytes must come again, from the first one on."""


class Busy(StoreError):
    """Somebody else is writing this upload."""


class NotSupported(StoreError):
    """This store has no such thing; see :class:`Capabilities`."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the store says it has. Only the probe shows whether that holds on the deployed one."""

    versions: bool
    """Each object has a version id, to be kept and given back when reading."""
    retention: bool
    """``protect`` works."""
    legal_hold: bool
    """``hold`` works."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An acknowledgement: these bytes survive the death of this process and, as far as the store can, a power cut."""

    key: str
    size: int
    sha256: str
    """Lower-case hexadecimal."""
    crc32: int
    version: str | None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the store knows of a published object. Lock fields are None where the store keeps or tells none."""

    key: str
    size: int
    modified: datetime
    version: str | None = None
    retained_until: datetime | None = None
    held: bool | None = None


@dataclass(frozen=True, slots=True)
class Leftover:
    """Staged bytes of an upload that was neither committed nor aborted, e.g. because the process was killed."""

    name: str
    """Means something only to the store that listed it."""
    key: str
    started: datetime


class Writing(Protocol):
    """Takes bytes in order."""

    def write(self, parts: Sequence[bytes]) -> None:
        """Append the parts in order. They must not be changed by the caller afterwards."""


class Sink(Protocol):
    """One upload. Calls come one at a time, in order; after ``commit`` or ``abort`` returns or raises, none follows."""

    def write(self, parts: Sequence[bytes]) -> None:
        """Append the parts in order. They must not be changed by the caller afterwards."""

    def commit(self, sha256: str, crc32: int, size: int) -> Stored:
        """Publish. When this returns, the object is durable, complete and readable under its key.

        When it raises, nothing is acknowledged: the object may still have been published (the answer of a remote
        store can be lost), never under another's key and never in part. Raises :class:`AlreadyStored`, and
        :class:`Corrupted` where the store checks the CRC-32 or the size and disagrees.
        """

    def abort(self) -> None:
        """Give up: free what was staged. Never raises for a store that is down; the sweeper finds what stays."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload that the store has, as it wants to be told of it again."""

    etag: str
    crc32: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a resumable upload is. The application keeps it and gives it back; its fields mean something only to the
    store that made it, ``received`` excepted: the bytes that a later ``resume`` finds at the least."""

    received: int = 0
    boot: str = ""
    upload: str = ""
    mark: str = ""
    parts: tuple[Part, ...] = ()
    tail: int = 0
    tail_name: str = ""
    tail_version: str | None = None


class Resumable(Protocol):
    """An upload that outlives its connection, its process and, where the store is reached from several machines, its
    machine. Opened by one at a time; calls come one at a time. ``close`` keeps what is staged."""

    @property
    def offset(self) -> int:
        """How many bytes are staged."""

    @property
    def progress(self) -> Progress:
        """As of now. Kept after ``save``, it resumes at ``offset``; before, at some byte that is not behind the last
        kept one. ``write`` may have moved it."""

    def reread(self) -> Iterator[bytes] | None:
        """Everything staged, from the first byte; None where it can be read only when it is published."""

    def write(self, parts: Sequence[bytes]) -> None:
        """As of a sink."""

    def rewind(self) -> None:
        """Back to where it was opened: nothing written since then is staged any more."""

    def save(self) -> None:
        """When this returns, everything staged survives the death of this process and, as far as the store can, a power
        cut."""

    def kept(self) -> None:
        """The application has kept ``progress``: what it superseded may be freed."""

    def commit(self, sha256: str, crc32: int | None, size: int) -> Stored:
        """As of a sink. ``crc32`` None: not known; the store then checks parts, not the whole."""

    def close(self) -> None:
        """Let go. Safe to call twice."""


class Reader(Protocol):
    """An open object (or a range of one); a context manager. One call at a time, from any thread."""

    def read(self, n: int) -> bytes:
        """The next up to ``n`` bytes, fewer only at the end; ``b""`` after the end."""

    def close(self) -> None:
        """Free the handle. Safe to call twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """A write-once store."""

    @property
    def address(self) -> str:
        """Where it is, for a person: no secrets."""

    @property
    def writers(self) -> Executor:
        """The store's own threads for uploads, so that a dead store stops nobody else's work."""

    @property
    def readers(self) -> Executor:
        """The store's own threads for everything else."""

    @property
    def capabilities(self) -> Capabilities:
        """May ask the store once. Raises :class:`StoreUnavailable`."""

    def prepare(self) -> None:
        """Make the folder or the bucket. Idempotent. Not done implicitly: an unmounted disk must not look like an
        empty store."""

    def create(self, key: str, length: int | None = None) -> Sink:
        """Begin an upload; ``length`` in bytes when known (it reserves the space). Raises :class:`AlreadyStored`
        for a key that is published, before any byte is received; of two racing uploads of one key the second to
        commit is refused by ``commit`` (by S3 only if the server honours ``If-None-Match``: the probe tells)."""

    def resume(self, key: str, length: int, progress: Progress) -> Resumable:
        """Begin (with an empty ``progress``) or go on with a resumable upload of ``length`` bytes. Raises :class:`Busy`
        where the store can tell; :class:`AlreadyStored` for a key that is published."""

    def give_up(self, key: str, progress: Progress) -> None:
        """Free what a resumable upload staged; nobody may have it open. Idempotent."""

    def open(self, key: str, start: int = 0, end: int | None = None, version: str | None = None) -> Reader:
        """Bytes ``start`` (inclusive) to ``end`` (exclusive; None: to the end). Raises :class:`NotStored`; with a
        version, only ever reads that version."""

    def stat(self, key: str, version: str | None = None) -> ObjectInfo:
        """Raises :class:`NotStored`."""

    def protect(self, key: str, version: str | None, until: datetime) -> None:
        """Let the store refuse deletion of this version before ``until`` (aware, whole seconds). Extending is
        allowed, shortening raises :class:`Locked` where the store enforces it. Raises :class:`NotSupported`."""

    def hold(self, key: str, version: str | None, on: bool) -> None:
        """Set or lift a legal hold: refuses deletion without an end date. Raises :class:`NotSupported`."""

    def objects(self, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        """A page of published objects in the store's own fixed order, following the key ``after``; an empty list is
        the end. Lock fields and versions are not filled in."""

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        """Staged uploads begun before that moment (aware), resumable ones included."""

    def discard(self, leftover: Leftover) -> None:
        """Free a leftover. Never touches a published object. Idempotent."""

    def close(self) -> None:
        """Stop the threads and connections after running calls ended."""


def checked_key(key: str) -> str:
    """The key itself; ValueError for one that could name anything but an object."""
    if not KEY.fullmatch(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key
