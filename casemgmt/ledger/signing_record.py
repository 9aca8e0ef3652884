"""The log's key together with the memory of what it signed last: the one place that can make a log fork, and does not.

The record is the last signed checkpoint itself, in a file of its own, replaced durably *before* a signature leaves. It
belongs to the key, not to the database: a restored database, a stolen worker and a second sequencer all meet it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from casemgmt.ledger.errors import SignerRefusedError, SignerUnavailableError
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import TrustError
from casemgmt.trust.keys import SigningKey, VerifierKey
from casemgmt.trust.note import Note
from casemgmt.trust.tree import verify_consistency


class SigningRecord:
    """Every method blocks. Any number of processes of one machine may share key and record; they take turns."""

    def __init__(self, key: SigningKey, path: Path) -> None:
        self._key = key
        self.path = path

    @property
    def verifier(self) -> VerifierKey:
        return self._key.verifier

    def last(self) -> Checkpoint | None:
        """What was signed last; None before the first signature. Raises SignerRefusedError for a damaged record."""
        note = self.last_note()
        return None if note is None else Checkpoint.parse(note.text)

    def last_note(self) -> Note | None:
        with self._locked():
            return self._read()

    def sign(self, checkpoint: Checkpoint, old: int, proof: Sequence[bytes]) -> Note:
        """The signed checkpoint. ``proof`` shows that its tree begins with the one signed last, of size ``old``.

        The last checkpoint itself is signed again on request, with an empty proof: its answer may have been lost.
        Raises SignerRefusedError for everything that does not continue the last one.
        """
        with self._locked():
            kept = self._read()
            last = None if kept is None else Checkpoint.parse(kept.text)
            if last is None and checkpoint.size:
                raise SignerRefusedError(
                    f"there is no record of what was signed last ({self.path}), and the ledger is not empty"
                )
            if last is not None and (
                old != last.size
                or not verify_consistency(last.size, checkpoint.size, proof, last.root, checkpoint.root)
            ):
                raise SignerRefusedError(
                    f"a tree of {last.size} entries was signed last, and it is not shown that the tree of "
                    f"{checkpoint.size} entries continues it"
                )
            note = checkpoint.signed(self._key)
            if last != checkpoint:
                self._write(note)
            return note

    def begin_with(self, note: Note) -> None:
        """Take a checkpoint of this key for the last one, where there is no record yet. Whoever calls this answers
        for nothing later having been signed. Raises SignerRefusedError."""
        with self._locked():
            if self._read() is not None:
                raise SignerRefusedError(f"there is a record of what was signed last: {self.path}")
            self._checked(note)
            self._write(note)

    def _checked(self, note: Note) -> Note:
        try:
            note.require(self.verifier)
            Checkpoint.parse(note.text)
        except TrustError as error:
            raise SignerRefusedError(f"that is not a checkpoint this key signed: {error}") from error
        return note

    def _read(self) -> Note | None:
        try:
            return self._checked(Note.parse(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, TrustError) as error:
            raise SignerRefusedError(f"the record of what was signed last is damaged: {self.path}") from error
        except OSError as error:
            raise SignerUnavailableError(f"the record of what was signed last cannot be read: {error}") from error

    def _write(self, note: Note) -> None:
        partial = self.path.with_name(f"{self.path.name}.new")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(str(note).encode())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise SignerUnavailableError(f"what is signed cannot be recorded: {error}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(
                self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise SignerUnavailableError(f"the record of what was signed last cannot be locked: {error}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
