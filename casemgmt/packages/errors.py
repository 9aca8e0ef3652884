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


class NotComplete(DomainError):
    """Sealed, but the proof of the seal itself is still to come."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "not-complete"
    default: ClassVar[Text] = N_("The package is still being sealed. Try again in a moment.")
