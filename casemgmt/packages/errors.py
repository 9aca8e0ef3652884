"""Why a package cannot be sealed or handed out."""

from __future__ import annotations

from typing import ClassVar

from casemgmt.core.errors import DomainError
from casemgmt.core.i18n import N_, Text


class LedgerBehind(DomainError):
    """The sequencer did not catch up in time. Nothing was sealed; the same request may be sent again."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "ledger-behind"
    default: ClassVar[Text] = N_("The ledger has not caught up with these records yet. Try again in a moment.")


class NotSealable(DomainError):
    """The records do not prove what they say. That is for an administrator, not for a second try."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "not-sealable"
    default: ClassVar[Text] = N_("These records do not agree with the ledger, so they were not sealed.")


class NoTimestamp(DomainError):
    """No timestamp authority gave a timestamp in its time. Nothing was sealed; the same request may be sent again."""

    status: ClassVar[int] = 503
    slug: ClassVar[str] = "no-timestamp"
    default: ClassVar[Text] = N_(
        "No timestamp authority has answered, so the package was not sealed. Try again later; if this goes on, tell "
        "the administrator."
    )


class NotSigned(DomainError):
    """The organisation's certificate or key cannot be used now. Nothing was sealed."""

    status: ClassVar[int] = 503
    slug: ClassVar[str] = "not-signed"
    default: ClassVar[Text] = N_(
        "The organisation's signature cannot be made now, so the package was not sealed. Tell the administrator: the "
        "certificate may have expired, or its key cannot be reached."
    )


class NotComplete(DomainError):
    """Sealed, but the proof of the seal itself is still to come."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "not-complete"
    default: ClassVar[Text] = N_("The package is still being sealed. Try again in a moment.")
