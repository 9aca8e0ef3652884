"""What makes the log stop instead of going on, and what a reader is told while it has not caught up."""

from __future__ import annotations

from typing import ClassVar

from casemgmt.core.errors import DomainError
from casemgmt.core.i18n import N_, Text


class LedgerError(Exception):
    """The stored ledger is not one that may be continued. For an operator; nothing was signed."""


class OtherKeyError(LedgerError):
    """The key given to this process is not the key of the stored ledger."""


class DamagedError(LedgerError):
    """What is stored does not have the root that was signed."""


class SignerRefusedError(LedgerError):
    """The signer does not sign this: it would contradict, or not provably continue, what it signed last."""


class SignerUnavailableError(LedgerError):
    """The signer cannot be reached, or fails. Nothing was signed; try again later."""


class ForkError(LedgerError):
    """What this database would make of the ledger contradicts what was signed or stored before. It ends the log until
    somebody has recovered it: the halt is recorded, and events are refused."""


class RewoundError(ForkError):
    """The database is older than what was signed or stored: it was restored from a backup."""


class NotSequencedYet(DomainError):
    """The event is kept, but not in the tree yet: usually for less than a second."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "not-sequenced-yet"
    default: ClassVar[Text] = N_("The ledger has not caught up with this event yet. Try again in a moment.")


class QuorumNotMet(NotSequencedYet):
    """Signed by the log, and cosigned by too few witnesses. The message names who is silent since when."""

    slug: ClassVar[str] = "quorum-not-met"
    default: ClassVar[Text] = N_("Too few witnesses have cosigned the ledger for this to go out.")


class HistoryDisputed(QuorumNotMet):
    """A witness says that this ledger is not the one it saw. Nothing goes out before that is cleared up."""

    slug: ClassVar[str] = "history-disputed"
    default: ClassVar[Text] = N_("A witness says that this ledger is not the one it saw. Nothing goes out.")
