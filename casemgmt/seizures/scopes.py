"""The tabs of a list: by whose right its rows are seen. Each is one plain condition, so that an index answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemgmt.core.actor import Actor
from casemgmt.core.i18n import N_, PN_, Text
from casemgmt.core.parts import Tab


@dataclass(frozen=True, slots=True)
class Scope:
    """``key`` stands in the address. At most one of ``unit_id`` and ``agency_id`` is set; neither: by its key."""

    key: str
    label: Text | str
    unit_id: int | None = None
    agency_id: int | None = None


SHARED = Scope("shared", N_("Shared with us"))


def scopes_of(actor: Actor) -> list[Scope]:
    """My units (one tab each), the agencies I audit, and what others shared."""
    units = {a.unit_id: a for a in actor.appointments if a.unit_id is not None}
    scopes = [
        Scope("unit" if len(units) == 1 else f"unit-{a.unit_code}",
              PN_("list of records", "My unit") if len(units) == 1 else a.unit or "", unit_id=id_)
        for id_, a in units.items()
    ]  # fmt: skip
    scopes += [
        Scope(f"agency-{a.agency_id}", a.agency or "", agency_id=a.agency_id)
        for a in actor.appointments
        if a.kind == "auditor"
    ]
    return [*scopes, SHARED]


def choose(scopes: Sequence[Scope], key: str) -> Scope:
    """The scope of an address; an unknown one is the first, so that an old link still opens something."""
    return next((scope for scope in scopes if scope.key == key), scopes[0])


def tabs(scopes: Sequence[Scope], current: Scope, path: str) -> list[Tab]:
    return [Tab(f"{path}?scope={s.key}", str(s.label), current=s == current) for s in scopes]
