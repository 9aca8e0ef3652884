"""Registering a seizure, correcting its record, and hiding it from all but those who need to know."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.models import Person
from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Forbidden, Invalid, SentBefore
from casemgmt.core.i18n import N_, Text
from casemgmt.reference import numbers
from casemgmt.reference.fold import KeyKind, search_keys
from casemgmt.seizures import numbering, queries, rules
from casemgmt.seizures.models import SEARCH_KEY, Conveyance, Participant, Seizure
from casemgmt.seizures.schemas import Correction, NewConveyance, NewParticipant, NewSeizure, Supplement

SALT_BYTES = 16
Key = tuple[KeyKind, str]
Said = list[dict[str, str]]

_HEAD = text("select seq from ledger.head(:stream)")
_THERE = N_("This is on record already.")
_MARK = text("select access.mark(:seizure, :hidden, :people)")


async def register(db: AsyncSession, actor: Actor, data: NewSeizure, zone: tzinfo) -> tuple[Seizure, bool]:
    """The seizure, and whether it is new. ``zone`` decides in which year it is numbered.

    A repeat (same person, same ``client_id``) returns what is there and writes nothing; two at once wait for each
    other. Raises Invalid, SentBefore for a repeat that says something else, NumberTaken, Forbidden for anybody but an
    officer.
    """
    post = rules.registering_post(actor)
    if errors := rules.check(data, utcnow()):
        raise Invalid(errors)
    await _wait_for_repeat(db, rules.repeat_lock(actor.id, data.client_id))
    known = await db.scalar(select(Seizure).where(Seizure.created_by == actor.id, Seizure.client_id == data.client_id))
    if known is not None:
        if not await _says_the_same(db, known, data):
            raise SentBefore
        return known, False
    seizure = await _insert(db, post, data, zone)
    participants = await _add_participants(db, seizure, data.participants)
    conveyances = await _add_conveyances(db, seizure, data.conveyances)
    number_keys = {(KeyKind.NUMBER, key) for key in search_keys(KeyKind.NUMBER, seizure.number)}
    await add_search_keys(db, seizure, number_keys | _keys(data.participants, data.conveyances))
    await events.record(
        db, actor, "seizures:seizure:registered", f"seizure:{seizure.number}",
        _registered(seizure, post, data, participants, conveyances), seizure_id=seizure.id,
    )  # fmt: skip
    return seizure, True


async def supplement(db: AsyncSession, actor: Actor, seizure: Seizure, data: Supplement) -> None:
    """Add people and conveyances that were there. What was recorded before stays. Raises Invalid or Forbidden."""
    rules.must_correct(actor, seizure.unit_id)
    if not data.participants and not data.conveyances:
        raise Invalid({"participants": N_("Add at least one person or conveyance.")})
    if errors := rules.check_present(data.participants, data.conveyances, seizure.seized_at.date()):
        raise Invalid(errors)
    await db.execute(_HEAD, {"stream": f"seizure:{seizure.number}"})  # two clicks on one button queue here
    if errors := await _on_record(db, seizure, data):
        raise Invalid(errors)
    participants = await _add_participants(db, seizure, data.participants)
    conveyances = await _add_conveyances(db, seizure, data.conveyances)
    await add_search_keys(db, seizure, _keys(data.participants, data.conveyances))
    await events.record(
        db, actor, "seizures:seizure:supplemented", f"seizure:{seizure.number}",
        {"seizure": seizure.number, "participants": participants, "conveyances": conveyances},
        seizure_id=seizure.id,
    )  # fmt: skip


async def _on_record(db: AsyncSession, seizure: Seizure, data: Supplement) -> dict[str, Text]:
    """What of it was recorded before: rows cannot be taken back, so a second click must not double them."""
    people = {(p.role, p.name, p.document) for p in await queries.participants(db, seizure.id)}
    conveyances = {(c.kind, c.identifier) for c in await queries.conveyances(db, seizure.id)}
    errors = {f"participants.{i}.name": _THERE for i, p in enumerate(data.participants)
              if (p.role, p.name, p.document) in people}  # fmt: skip
    errors |= {f"conveyances.{i}.identifier": _THERE for i, c in enumerate(data.conveyances)
               if c.identifier and (c.kind, c.identifier) in conveyances}  # fmt: skip
    return errors


async def correct(db: AsyncSession, actor: Actor, seizure: Seizure, data: Correction) -> None:
    """Put the right words beside the wrong ones: an event, and the row stays as it was."""
    rules.must_correct(actor, seizure.unit_id)
    rules.check_correction(data.field)
    await events.record(
        db, actor, "seizures:seizure:corrected", f"seizure:{seizure.number}",
        {"seizure": seizure.number, "field": data.field, "words": data.words, "reason": data.reason},
        seizure_id=seizure.id,
    )  # fmt: skip


async def mark_need_to_know(
    db: AsyncSession, actor: Actor, seizure: Seizure, *, hidden: bool, names: Collection[int]
) -> None:
    """Hide the seizure from all but ``names`` (person ids), or show it again to its unit.

    The supervisor who marks it and the officer who registered it are always among the names: otherwise the record
    would vanish from those who answer for it. Only a supervisor of the unit may; the database holds that too.
    """
    if not actor.holds("supervisor", seizure.unit_id):
        raise Forbidden(N_("Only a supervisor of the unit decides who needs to know."))
    wanted = {*names, actor.id, seizure.created_by} if hidden else set()
    people = (await db.scalars(select(Person).where(Person.id.in_(wanted)).order_by(Person.id))).all()
    if len(people) != len(wanted):
        raise Invalid({"names": N_("Choose people from the list.")})
    await db.execute(_MARK, {"seizure": seizure.id, "hidden": hidden, "people": sorted(wanted)})
    await events.record(
        db, actor, "seizures:seizure:marked", f"seizure:{seizure.number}",
        {"seizure": seizure.number, "need_to_know": hidden,
         "names": [{"id": p.id, "name": p.name, "badge": p.badge} for p in people]},
        seizure_id=seizure.id,
    )  # fmt: skip


async def add_search_keys(db: AsyncSession, seizure: Seizure, keys: Iterable[Key]) -> None:
    """Make the seizure findable under these keys, each of its kind."""
    rows = [
        {"key": key, "kind": kind, "seizure_id": seizure.id, "unit_id": seizure.unit_id, "agency_id": seizure.agency_id}
        for kind, key in sorted(set(keys))
    ]
    if rows:
        await db.execute(insert(SEARCH_KEY), rows)


async def _says_the_same(db: AsyncSession, known: Seizure, data: NewSeizure) -> bool:
    """Is this what was registered? A device's claims may be newer, and people may have been added since."""
    people = {(p.role, p.name, p.document) for p in await queries.participants(db, known.id)}
    conveyances = {(c.kind, c.identifier) for c in await queries.conveyances(db, known.id)}
    own = ("seized_at", "place", "direction", "detection", "ground", "circumstances")
    return (
        (not data.number or _plain(data.number) == _plain(known.number))
        and all(getattr(known, name) == getattr(data, name) for name in own)
        and people >= {(p.role, p.name, p.document) for p in data.participants}
        and conveyances >= {(c.kind, c.identifier) for c in data.conveyances}
    )


def _plain(number: str) -> str | None:
    return numbers.digits_typed(number)


async def _wait_for_repeat(db: AsyncSession, name: str) -> None:
    await db.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def _insert(db: AsyncSession, post: rules.Post, data: NewSeizure, zone: tzinfo) -> Seizure:
    row = upsert(Seizure).values(
        client_id=data.client_id,
        number=await numbering.number_for(db, post, data, zone),
        agency_id=post.agency_id,
        unit_id=post.unit_id,
        seized_at=data.seized_at,
        device_at=data.device_at,
        device_offset=_offset_minutes(data.device_at),
        place=data.place,
        latitude=data.latitude,
        longitude=data.longitude,
        accuracy_m=data.accuracy_m,
        direction=data.direction,
        detection=data.detection,
        ground=data.ground,
        circumstances=data.circumstances,
    )
    made = (await db.scalars(row.on_conflict_do_nothing(index_elements=["number"]).returning(Seizure))).one_or_none()
    if made is None:
        raise numbering.NumberTaken
    return made


async def _add_participants(db: AsyncSession, seizure: Seizure, people: Sequence[NewParticipant]) -> Said:
    """Store the people and return what the event may say of them: the role, and a commitment to the rest."""
    said = []
    for person in people:
        values: dict[str, Any] = {
            "role": person.role, "name": person.name, "document": person.document, "address": person.address,
            "note": person.note, "refused_signature": person.refused_signature,
        }  # fmt: skip
        salt = secrets.token_bytes(SALT_BYTES)
        await db.execute(insert(Participant).values(seizure_id=seizure.id, salt=salt, **values))
        said.append({"role": person.role, "commitment": events.commitment(salt, values)})
    return said


async def _add_conveyances(db: AsyncSession, seizure: Seizure, found: Sequence[NewConveyance]) -> Said:
    said = []
    for conveyance in found:
        values = {
            "kind": conveyance.kind, "identifier": conveyance.identifier, "country": conveyance.country,
            "verdict": rules.verdict_code(rules.painted(conveyance.kind, conveyance.identifier)),
        }  # fmt: skip
        await db.execute(insert(Conveyance).values(seizure_id=seizure.id, **values))
        said.append(values)
    return said


def _keys(participants: Sequence[NewParticipant], conveyances: Sequence[NewConveyance]) -> set[Key]:
    keys: set[Key] = set()
    for person in participants:
        keys |= {(KeyKind.NAME, key) for key in search_keys(KeyKind.NAME, person.name)}
        keys |= {(KeyKind.IDENTIFIER, key) for key in search_keys(KeyKind.IDENTIFIER, person.document)}
    for conveyance in conveyances:
        kind = rules.key_kind(conveyance.kind)
        keys |= {(kind, key) for key in search_keys(kind, conveyance.identifier)}
    return keys


def _registered(
    seizure: Seizure, post: rules.Post, data: NewSeizure, participants: Said, conveyances: Said
) -> dict[str, Any]:
    return {
        "seizure": seizure.number,
        "unit": {"code": post.code, "name": post.name},
        "agency": post.agency,
        "seized_at": events.timestamp(seizure.seized_at),
        "place": seizure.place,
        "claimed": {
            "device": str(data.device) if data.device else None,
            "device_at": events.timestamp(seizure.device_at) if seizure.device_at else None,
            "device_offset": seizure.device_offset,
            "latitude": _text(seizure.latitude),
            "longitude": _text(seizure.longitude),
            "accuracy_m": _text(seizure.accuracy_m),
        },
        "direction": seizure.direction,
        "detection": seizure.detection,
        "ground": seizure.ground,
        "circumstances": seizure.circumstances,
        "participants": participants,
        "conveyances": conveyances,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _offset_minutes(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return int((moment.utcoffset() or timedelta()).total_seconds() // 60)
