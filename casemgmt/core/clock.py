"""The one place that asks what time it is, so that a test can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fixed: ContextVar[datetime | None] = ContextVar("casemgmt_clock", default=None)


def utcnow() -> datetime:
    """Now, in UTC."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Inside the block it is ``moment`` (aware)."""
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)
