"""What makes the sequencer stop instead of going on, and what a reader is told while it has not caught up."""

from __future__ import annotations

from typing import ClassVar

from casemgmt.core.errors import DomainError
from casemgmt.core.i18n import N_, Text


class LedgerError(Exception):
    """The stored ledger is not one that may be continued. For an operator; nothing was written."""


class OtherKeyError(LedgerError):
    """The key given to this process is not the key of the stored ledger."""


class DamagedError(LedgerError):
    """What is stored does not have the root that was signed."""


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
