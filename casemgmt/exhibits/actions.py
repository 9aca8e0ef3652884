"""Registering exhibits: the row, the first link of the chain of custody, and the words they are found by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, literal, text
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.i18n import LANGUAGES, translations
from casemgmt.exhibits import rules
from casemgmt.exhibits.models import Exhibit, ExhibitText
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.reference import numbers
from casemgmt.reference.fold import KeyKind, search_keys
from casemgmt.reference.lists import CATEGORIES
from casemgmt.seizures.actions import Key, add_search_keys
from casemgmt.seizures.models import Seizure

REGISTERED = "custody:exhibit:registered"

# The first link is written here and not by a custody function: there is no exhibit to hand over before it.
_FIRST_LINK = text(
    "insert into custody.event(exhibit_id, seq, seizure_id, kind, to_id, seal_no, seal_state, device_at, hash)"
    " values (:exhibit, 1, :seizure, 'registered', :holder, :seal, :seal_state, :device_at, :hash)"
)


async def add(
    db: AsyncSession, actor: Actor, seizure: Seizure, items: Sequence[NewExhibit], *, device_at: datetime | None = None
) -> list[Exhibit]:
    """Register checked exhibits of a seizure, in its transaction; ``actor`` holds them from now on.

    ``items`` must have passed ``rules.check``. A seizure gets its exhibits once, when it is registered.
    """
    return [await _add(db, actor, seizure, item, no=no, device_at=device_at) for no, item in enumerate(items, 1)]


async def _add(
    db: AsyncSession, actor: Actor, seizure: Seizure, item: NewExhibit, *, no: int, device_at: datetime | None
) -> Exhibit:
    number = numbers.make_exhibit(seizure.number, no)
    seal_state = "intact" if item.seal else "none"
    stream = f"exhibit:{number}"
    body = events.build(REGISTERED, stream, events.Head(0, None), actor, _registered(seizure, number, item, actor))
    row = insert(Exhibit).values(
        seizure_id=seizure.id,
        agency_id=seizure.agency_id,
        unit_id=seizure.unit_id,
        ntk=seizure.ntk,
        no=no,
        number=number,
        category=item.category,
        description=item.description,
        quantity=item.quantity,
        unit=item.unit if item.quantity is not None else None,
        quantity_basis=rules.with_basis(item),
        value=item.value,
        currency=item.currency if item.value is not None else None,
        seal_no=item.seal,
        seal_state=seal_state,
        holder_id=actor.id,
        last_seq=1,
        last_hash=events.leaf_hash(body),
    )
    exhibit = (await db.scalars(row.returning(Exhibit))).one()
    await db.execute(
        _FIRST_LINK,
        {
            "exhibit": exhibit.id, "seizure": seizure.id, "holder": actor.id, "seal": item.seal,
            "seal_state": seal_state, "device_at": device_at, "hash": exhibit.last_hash,
        },
    )  # fmt: skip
    await events.append(db, REGISTERED, stream, 1, body, seizure_id=seizure.id, exhibit_id=exhibit.id)
    await _make_findable(db, seizure, exhibit, item)
    return exhibit


async def _make_findable(db: AsyncSession, seizure: Seizure, exhibit: Exhibit, item: NewExhibit) -> None:
    label = CATEGORIES.get(exhibit.category).label
    words = rules.searchable_words(item, exhibit.number, [translations(code).gettext(label) for code in LANGUAGES])
    # The unit is one more word, so that the shared index itself intersects what is asked with who asks.
    unit = func.array_to_tsvector(array([literal(f"u:{exhibit.unit_id}")]))
    await db.execute(
        insert(ExhibitText).values(
            exhibit_id=exhibit.id,
            seizure_id=seizure.id,
            unit_id=exhibit.unit_id,
            agency_id=exhibit.agency_id,
            ntk=exhibit.ntk,
            tsv=func.to_tsvector("simple", words).op("||")(unit),
        )
    )
    of_seizure = search_keys(KeyKind.NUMBER, seizure.number)
    keys: set[Key] = {(KeyKind.NUMBER, key) for key in search_keys(KeyKind.NUMBER, exhibit.number) - of_seizure}
    keys |= {(KeyKind.IDENTIFIER, key) for key in search_keys(KeyKind.IDENTIFIER, item.seal or "")}
    await add_search_keys(db, seizure, keys)


def _registered(seizure: Seizure, number: str, item: NewExhibit, actor: Actor) -> dict[str, Any]:
    return {
        "exhibit": number,
        "seizure": seizure.number,
        "category": item.category,
        "description": item.description,
        "quantity": None if item.quantity is None else f"{item.quantity:f}",
        "unit": item.unit if item.quantity is not None else None,
        "basis": rules.with_basis(item),
        "value": None if item.value is None else f"{item.value:f}",
        "currency": item.currency if item.value is not None else None,
        "seal": item.seal,
        "holder": {"id": actor.id, "name": actor.name, "badge": actor.badge},
    }
