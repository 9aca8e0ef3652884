"""What a person or a device can do wrong, and what the database can say no to.

Every error carries an HTTP status, a stable slug for machines (RFC 9457 ``type``) and a sentence
for people, translated when it is written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import asyncpg

from casemgmt.core.i18n import N_, Text


class DomainError(Exception):
    """Base of everything that is answered with a clear refusal instead of a 500."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "refused"
    default: ClassVar[Text] = N_("This cannot be done.")

    def __init__(self, message: Text | None = None) -> None:
        self.message = message or self.default
        self.headers: dict[str, str] = {}  # sent with the answer
        super().__init__(self.message.message)


class NotFound(DomainError):
    """There is no such thing, or the actor may not see it: the two are the same answer."""

    status = 404
    slug = "not-found"
    default = N_("There is nothing here that you may see.")


class NotSignedIn(DomainError):
    status = 401
    slug = "not-signed-in"
    default = N_("Sign in to continue.")


class Forbidden(DomainError):
    """The actor sees the thing but may not do this to it."""

    status = 403
    slug = "forbidden"
    default = N_("Your appointment does not allow this.")


class Conflict(DomainError):
    """Somebody was first; nothing was changed."""

    status = 409
    slug = "conflict"
    default = N_("Somebody else changed this a moment ago. Nothing was done; look again.")


class SentBefore(Conflict):
    """A ``client_id`` that made a record came again with other contents: neither a repeat nor a new record."""

    slug = "sent-before"
    default = N_(
        "This form was sent before with other contents, and those stand. Nothing was done now: open a new form for"
        " another record."
    )


class Expired(Conflict):
    """What was prepared and waited for an answer is not there any more: its time is over, or it was used."""

    slug = "expired"
    default = N_("This waited too long, or it was used already. Nothing was done; begin again.")


class TooLarge(DomainError):
    status = 413
    slug = "too-large"
    default = N_("This is larger than may be sent.")


class Invalid(DomainError):
    """Words beside the field. ``fields`` maps a field's name to what is wrong with it."""

    status = 422
    slug = "invalid"
    default = N_("Some fields need another look.")

    def __init__(self, fields: Mapping[str, Text], message: Text | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields)


class TooManyAttempts(DomainError):
    status = 429
    slug = "too-many-attempts"
    default = N_("Too many attempts. Wait a quarter of an hour and try again.")


class Unavailable(DomainError):
    """The database cannot be reached: nothing was done, and the same may be tried again shortly."""

    status = 503
    slug = "unavailable"
    default = N_("The database cannot be reached at the moment. Nothing was done; try again shortly.")


class LedgerStopped(DomainError):
    """The log must not go on: a backup was restored, or somebody rewrote it. What is recorded now has no place."""

    status = 503
    slug = "ledger-stopped"
    default = N_(
        "The ledger has stopped, so nothing can be recorded. Nothing was done now. Keep what you have and tell the"
        " administrator at once."
    )


def from_postgres(error: asyncpg.PostgresError) -> DomainError | None:
    """The refusal behind an error that our own SQL functions or policies raised; None if it is not one."""
    match error.sqlstate:
        case "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" | "53300":
            return Unavailable()
        case "CM001":
            return Conflict()
        case "CM002":
            return Forbidden(N_("The rules of custody do not allow this."))
        case "CM003":
            return NotSignedIn()
        case "CM004":
            return NotFound()
        case "CM006":
            return LedgerStopped()
        case "CM008":
            return Conflict(N_("This key was revoked. Nothing was signed; use another key or go on without one."))
        case "CM009":
            return Expired()
        case "42501":
            return Forbidden()
        case "22021" | "22P05":
            return Invalid({}, N_("The text holds a character that cannot be stored."))
        case _:
            return None
