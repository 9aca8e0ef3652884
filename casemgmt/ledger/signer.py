"""Who signs for the log: this process with a key file, or ``casemgmt signer`` behind a socket.

Only the worker needs one; everybody else needs ``ledger.log``, which holds the public key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from casemgmt.ledger.signer_client import SocketSigner
from casemgmt.ledger.signing_record import SigningRecord
from casemgmt.settings import SettingError, Settings
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import NoteError
from casemgmt.trust.keys import NOTE, SigningKey, VerifierKey
from casemgmt.trust.note import Note

log = structlog.get_logger()


class LogSigner(Protocol):
    """Signs only what continues what it signed last, and remembers that by itself."""

    async def verifier(self) -> VerifierKey:
        """The log's public key. Raises SignerUnavailableError."""

    async def last(self) -> Checkpoint | None:
        """What was signed last; None before the first signature."""

    async def sign(self, checkpoint: Checkpoint, old: int, proof: Sequence[bytes]) -> Note:
        """See ``SigningRecord.sign``. Raises SignerRefusedError or SignerUnavailableError."""

    async def begin_with(self, note: Note) -> None:
        """Remember a checkpoint from before there was a record. Raises SignerRefusedError where that is a person's
        decision."""


class FileSigner:
    """The key is in a file this process reads; the record is the file beside it."""

    def __init__(self, key: SigningKey, record: Path) -> None:
        self.record = SigningRecord(key, record)

    async def verifier(self) -> VerifierKey:
        return self.record.verifier

    async def last(self) -> Checkpoint | None:
        return await asyncio.to_thread(self.record.last)

    async def sign(self, checkpoint: Checkpoint, old: int, proof: Sequence[bytes]) -> Note:
        return await asyncio.to_thread(self.record.sign, checkpoint, old, proof)

    async def begin_with(self, note: Note) -> None:
        await asyncio.to_thread(self.record.begin_with, note)
        log.warning("ledger.signing_record_begun", size=Checkpoint.parse(note.text).size, record=str(self.record.path))


def record_of(key_file: Path) -> Path:
    """Where the record belonging to a key file is: ``ledger.signed`` beside ``ledger.key``."""
    return key_file.with_suffix(".signed")


def open_signer(settings: Settings) -> LogSigner:
    """The signer of these settings. Raises SettingError; a socket is not connected yet."""
    if settings.signer_socket is not None:
        return SocketSigner(settings.signer_socket)
    if settings.log_key_file is None:
        raise SettingError("neither CASEMGMT_LOG_KEY_FILE nor CASEMGMT_SIGNER_SOCKET is set: the worker signs the log")
    record = settings.signing_record or record_of(settings.log_key_file)
    return FileSigner(load_log_key(settings.log_key_file), record)


def load_log_key(path: Path) -> SigningKey:
    """The key in the file, in its C2SP text form. Raises SettingError, which never repeats what the file holds."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise SettingError(f"the ledger's key cannot be read from {path}: {reason}") from error
    try:
        key = SigningKey.parse(text)
    except NoteError as error:
        raise SettingError(f"{path} does not hold a log key; `casemgmt make-keys` makes one") from error
    if key.kind != NOTE:
        raise SettingError(f"{path} holds a witness's key; a log signs with a key of its own kind")
    return key
