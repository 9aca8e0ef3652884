"""The log's private key. Only the worker reads it; everybody else needs ``ledger.log``, which holds the public one."""

from __future__ import annotations

from pathlib import Path

from casemgmt.settings import SettingError
from casemgmt.trust.errors import NoteError
from casemgmt.trust.keys import NOTE, SigningKey


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
