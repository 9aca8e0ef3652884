"""The person on whose behalf a transaction runs."""

from __future__ import annotations

from collections.abc import Collection

import msgspec


class Appointment(msgspec.Struct, frozen=True):
    """Authority held now: in a unit, in a whole agency (auditor), or over the installation (administrator)."""

    kind: str
    unit_id: int | None
    agency_id: int | None
    unit: str | None
    unit_code: str | None
    agency: str | None


class Actor(msgspec.Struct, frozen=True):
    """A signed-in person with the appointments that were valid when the request began.

    ``token`` is the SHA-256 of the session token: it is what the database is entered with, so an
    ``Actor`` made by hand opens nothing.
    """

    token: bytes
    id: int
    login: str
    name: str
    badge: str
    csrf: str
    appointments: tuple[Appointment, ...]

    def holds(self, kinds: str | Collection[str], unit_id: int | None = None) -> bool:
        """Is the actor appointed to one of ``kinds`` (in ``unit_id`` if given)?"""
        wanted = {kinds} if isinstance(kinds, str) else kinds
        return any(a.kind in wanted and unit_id in (None, a.unit_id) for a in self.appointments)

    @property
    def home(self) -> Appointment | None:
        """The appointment whose unit new records are born in: the oldest one that has a unit."""
        return next((a for a in self.appointments if a.unit_id is not None), None)

    @property
    def unit_ids(self) -> list[int]:
        return sorted({a.unit_id for a in self.appointments if a.unit_id is not None})
