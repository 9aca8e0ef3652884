"""The keys an instance makes for itself at its first start. None is ever printed or logged."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from casemgmt.embedded.errors import EmbeddedError
from casemgmt.embedded.secret_files import private_directory, read_or_create
from casemgmt.trust.errors import NoteError
from casemgmt.trust.keys import SigningKey, check_name


class LogNameError(EmbeddedError):
    """The ledger cannot have that name."""


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """One file each under ``DATA/keys``, mode 0600. Both belong into every backup."""

    log_key: Path  # signs the ledger's checkpoints (C2SP note key, text); losing it ends the log
    hashids_salt: Path  # shapes the opaque codes in addresses and on labels; losing it voids printed labels


def make_keys(directory: Path, log_name: str | None = None) -> KeyFiles:
    """The keys in ``directory``, each made the first time it is missing.

    ``log_name`` is what the ledger signs as, a name without a scheme such as ``customs.example.org/evidence``.
    It is part of the key and cannot change later. Without one the ledger gets a random local name.
    """
    name = log_name or f"casemgmt.local/{secrets.token_hex(6)}"
    try:
        check_name(name)
    except NoteError:
        raise LogNameError(f"{name!r} cannot be the ledger's name: spaces and plus signs are not allowed") from None
    private_directory(directory)
    files = KeyFiles(log_key=directory / "ledger.key", hashids_salt=directory / "hashids.salt")
    read_or_create(files.log_key, lambda: SigningKey.generate(name).to_text().encode())
    read_or_create(files.hashids_salt, new_secret)
    return files


def new_secret() -> bytes:
    """256 random bits as text of letters, digits, ``-`` and ``_``: safe in a URL and in SQL quotes."""
    return secrets.token_urlsafe(32).encode()
