"""Why nothing was signed or stamped. Messages are for an operator; none repeats a password, a PIN or an address's
user part."""

from __future__ import annotations

from collections.abc import Sequence


class SigningError(Exception):
    """Nothing was signed or stamped."""


class CredentialError(SigningError):
    """The certificate or its key cannot be used: unreadable, incomplete, not for signing, or the token is away."""


class NotValidNowError(SigningError):
    """The certificate, or one above it, is expired, not yet valid or revoked. Said before anything is signed."""


class AuthorityError(SigningError):
    """One timestamp authority gave no usable answer."""


class NoTimestampError(SigningError):
    """No configured authority gave a valid timestamp; ``reasons`` are theirs, in the order they were asked."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("no timestamp: " + "; ".join(reasons))
        self.reasons = tuple(reasons)
