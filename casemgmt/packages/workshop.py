"""What a package is made with, apart from records: who signs, who stamps, and what to do when nobody stamps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from litestar.datastructures import State

from casemgmt.core.db import Database
from casemgmt.inspection.pool import Inspectors
from casemgmt.signing.opening import Signing
from casemgmt.storage.contract import Store


@dataclass(frozen=True, slots=True)
class Workshop:
    database: Database
    signing: Signing
    zone: tzinfo
    without_timestamp: bool = False
    store: Store | None = None  # without it and `inspectors` the report has no pictures
    inspectors: Inspectors | None = None

    @classmethod
    def of(cls, state: State) -> Workshop:
        """The application's own."""
        settings = state.settings
        return cls(
            state.database, state.signing, state.zone, settings.seal_without_timestamp, state.store, state.inspectors
        )
