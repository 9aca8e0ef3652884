"""What a witness keeps on disk: its key, the logs it knows, and the last checkpoint it cosigned of each.

    DIR/key                                  the private key, mode 0600
    DIR/lock                                 held by the one process that may cosign
    DIR/logs/<hex SHA-256(origin)>/keys      the log's verifier keys, one a line
    DIR/logs/<hex SHA-256(origin)>/checkpoint   the last checkpoint, as the log signed and this witness cosigned it

The checkpoint file proves itself: it carries this witness's own signature, so a damaged or foreign one is seen at the
start. A log that was enrolled and not cosigned yet has the empty tree there, cosigned too; so a missing file is never
taken for a new log, which would let a log begin again.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import NoteError, TrustError
from casemgmt.trust.hashing import EMPTY_ROOT
from casemgmt.trust.keys import COSIGNATURE, NOTE, SigningKey, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.witness import monitoring_name
from casemgmt.witness.errors import NotKeptError, StateError
from casemgmt.witness.judgement import Known

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Kept:
    """One log. ``note`` is what the checkpoint file holds; ``time`` that of our own cosignature in it."""

    folder: Path
    known: Known
    note: Note
    time: int


class Keeper:
    """The state of a witness, read whole at the start and verified. Open it with ``keeping``."""

    def __init__(self, directory: Path, key: SigningKey, logs: dict[str, Kept]) -> None:
        self.directory, self.key, self._logs = directory, key, logs

    @property
    def logs(self) -> dict[str, Known]:
        return {origin: kept.known for origin, kept in self._logs.items()}

    def last(self, origin: str) -> Kept:
        return self._logs[origin]

    def by_name(self, name: str) -> Kept | None:
        """The log whose monitoring name this is."""
        return next((kept for kept in self._logs.values() if kept.folder.name == name), None)

    def advance(self, signed: Note, checkpoint: Checkpoint, time: int) -> Note:
        """Cosign, and return the note when it is on disk; raises NotKeptError when it could not be put there.

        The caller judged the checkpoint against ``last``, in this thread and without a pause since.
        """
        kept = self._logs[checkpoint.origin]
        logs_own = [s for s in signed.signatures if any(key.made(s) for key in kept.known.keys)]
        note = Note(signed.text, (*logs_own, self.key.cosign(signed.text, time)))
        if checkpoint != kept.known.last:
            try:
                _replace(kept.folder / "checkpoint", str(note))
            except OSError as error:
                raise NotKeptError(f"{kept.folder}: {error.strerror}") from error
            self._logs[checkpoint.origin] = Kept(kept.folder, Known(kept.known.keys, checkpoint), note, time)
        return note


def make_key(directory: Path, name: str) -> SigningKey:
    """A new key in a new or empty directory of mode 0700."""
    try:
        key = SigningKey.generate(name, COSIGNATURE)
    except NoteError as error:
        raise StateError(f"{error}: a name has no spaces and no plus signs") from error
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(directory / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StateError(f"{directory / 'key'} is there already; a key is never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key.to_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    (directory / "logs").mkdir(mode=0o700, exist_ok=True)
    _sync(directory)
    return key


def read_key(directory: Path) -> SigningKey:
    """Raises StateError, which never repeats what the file holds."""
    path = directory / "key"
    try:
        text, mode = path.read_text(encoding="utf-8").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"the witness's key cannot be read from {path}: {_reason(error)}") from error
    if mode & 0o077:
        raise StateError(f"others can read {path}: make its mode 0600, and make a new key if they may have read it")
    try:
        key = SigningKey.parse(text)
    except NoteError as error:
        raise StateError(f"{path} does not hold a key") from error
    if key.kind != COSIGNATURE:
        raise StateError(f"{path} holds a log's key; a witness signs with a key of its own kind")
    return key


@contextmanager
def keeping(directory: Path) -> Iterator[Keeper]:
    """Open the state for the one process that may use it. Raises StateError when it must not be used."""
    key = read_key(directory)
    with _locked(directory):
        logs = {}
        for folder in sorted((directory / "logs").iterdir() if (directory / "logs").is_dir() else ()):
            kept = _read(folder, key.verifier)
            logs[kept.known.last.origin] = kept
        yield Keeper(directory, key, logs)


def enrol(directory: Path, log: VerifierKey, now: Callable[[], int]) -> bool:
    """Witness this log from now on; False when it is known by this key already. Needs the witness not to be running."""
    if log.kind != NOTE:
        raise StateError("this is a witness's key; a log signs with a key of another kind")
    with keeping(directory) as keeper:
        folder = directory / "logs" / monitoring_name(log.name)
        known = keeper.logs.get(log.name)
        if known is not None:
            if log in known.keys:
                return False
            _replace(folder / "keys", "".join(f"{key}\n" for key in (*known.keys, log)))
            return True
        making = folder.with_name(folder.name + ".new")
        making.mkdir(mode=0o700, exist_ok=True)
        empty = Checkpoint(log.name, 0, EMPTY_ROOT).body
        _replace(making / "keys", f"{log}\n")
        _replace(making / "checkpoint", str(Note(empty, (keeper.key.cosign(empty, now()),))))
        making.rename(folder)
        _sync(folder.parent)
        return True


def _read(folder: Path, own: VerifierKey) -> Kept:
    if folder.name.endswith(".new"):
        raise StateError(f"{folder} was left by an enrolment that was cut off: remove it and enrol the log again")
    if not _NAME.fullmatch(folder.name):
        raise StateError(f"{folder} is not a log's folder: what is it doing here?")
    try:
        keys = [VerifierKey.parse(line) for line in (folder / "keys").read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError, TrustError) as error:
        raise StateError(f"the log's keys in {folder} cannot be read: {_reason(error)}") from error
    path = folder / "checkpoint"
    try:
        note = Note.parse(path.read_bytes().decode())
        last = Checkpoint.parse(note.text)
        ours = note.signed_by([own])
        if not ours or monitoring_name(last.origin) != folder.name or any(key.name != last.origin for key in keys):
            raise StateError(f"{path} is not a checkpoint of this log that this witness cosigned.{_DANGER}")
        if last.size and not note.signed_by(keys):
            raise StateError(f"{path} does not carry the log's own signature.{_DANGER}")
    except (OSError, UnicodeDecodeError, TrustError) as error:
        raise StateError(f"the last checkpoint in {path} cannot be used: {_reason(error)}.{_DANGER}") from error
    return Kept(folder, Known(tuple(keys), last), note, ours[0][1].time)


_DANGER = (
    " This witness does not know any more what it cosigned last, and must not go on with this key: see"
    " docs/guide/witness.md, 'When the state is lost'."
)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        file = (directory / "lock").open("a")
    except OSError as error:
        raise StateError(f"{directory} cannot be used: {_reason(error)}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(f"another process uses {directory}; stop it first") from None
        yield


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, and on disk when this returns: file and folder are synced."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
