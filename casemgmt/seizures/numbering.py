"""Numbers of seizures: the next one from the server, or one that a device holds in a block of its own.

A block is drawn from the unit's counter, so a number given without a network is final: no server and no other device
gives it. Numbers of a block that were never used are gaps with a reason, which ``explained`` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core import events
from casemgmt.core.actor import Actor
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Conflict, Invalid, SentBefore
from casemgmt.core.i18n import N_
from casemgmt.reference import numbers
from casemgmt.reference.numbers import Kind, TypingError
from casemgmt.seizures import rules
from casemgmt.seizures.models import NumberBlock
from casemgmt.seizures.schemas import NewNumberBlock, NewSeizure

MOST_UNUSED = 100
"""Numbers one device may hold unused: more than a post registers in days without a network."""

PAGE = 100

_NEXT = text("select accounts.next_serial(:unit, 'seizure', :year)")
_NEXT_BLOCK = text("select accounts.next_serials(:unit, 'seizure', :year, :count)")
_USED = text("select number from seizures.numbers_used(:unit, :numbers)")
_ALONE = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_NOT_YOURS = N_("This number was not reserved for this device. Ask the server for new numbers.")
_HELD = N_("This device holds enough unused numbers. Use those first.")


class NumberTaken(Conflict):
    """Another record has this number. Both stand as they are: the sender asks for a new number and says so."""

    slug = "number-taken"
    default = N_("Another record has this number already. Nothing was changed: this one needs a new number.")


async def reserve(db: AsyncSession, actor: Actor, data: NewNumberBlock, zone: tzinfo) -> NumberBlock:
    """A block for the device, in the unit where the actor is an officer; the same ``client_id`` again is the same one.

    Raises Forbidden for anybody but an officer, Conflict when the device holds MOST_UNUSED numbers unused, SentBefore.
    """
    post = rules.registering_post(actor)
    await db.execute(_ALONE, {"name": f"numbers:{data.device}"})
    query = select(NumberBlock).where(NumberBlock.person_id == actor.id, NumberBlock.client_id == data.client_id)
    known = await db.scalar(query)
    if known is not None:
        if (known.device, known.count) != (data.device, data.count):
            raise SentBefore
        return known
    year = utcnow().astimezone(zone).year
    if await _unused(db, post, data, year) + data.count > MOST_UNUSED:
        raise Conflict(_HELD)
    values = {"unit": post.unit_id, "year": year, "count": data.count}
    first = (await db.execute(_NEXT_BLOCK, values)).scalar_one()
    row = insert(NumberBlock).values(
        client_id=data.client_id, device=data.device, unit_id=post.unit_id, year=year, first=first, count=data.count
    )
    block = (await db.scalars(row.returning(NumberBlock))).one()
    said = {
        "device": str(block.device), "unit": {"code": post.code, "name": post.name},
        "first": _number(block, post.code, first), "last": _number(block, post.code, first + block.count - 1),
        "count": block.count,
    }  # fmt: skip
    await events.record(db, actor, "seizures:numbers:reserved", f"person:{actor.login}", said)
    return block


async def number_for(db: AsyncSession, post: rules.Post, data: NewSeizure, zone: tzinfo) -> str:
    """The number this seizure gets: its own from the device's block, or the unit's next.

    Raises Invalid for a number that was not reserved for this device in this unit.
    """
    if not data.number:
        year = utcnow().astimezone(zone).year
        serial = (await db.execute(_NEXT, {"unit": post.unit_id, "year": year})).scalar_one()
        return numbers.make(Kind.SEIZURE, year=year, unit=post.code, serial=serial)
    try:
        typed = numbers.parse(data.number)
    except TypingError as error:
        raise Invalid({"number": N_(error.message, **error.values)}) from None
    query = select(NumberBlock.id).where(
        NumberBlock.device == data.device, NumberBlock.unit_id == post.unit_id, NumberBlock.year == typed.year,
        NumberBlock.first <= typed.serial, NumberBlock.first + NumberBlock.count > typed.serial,
    )  # fmt: skip
    if typed.kind is not Kind.SEIZURE or typed.unit != post.code or await db.scalar(query) is None:
        raise Invalid({"number": _NOT_YOURS})
    return str(typed)


async def explained(
    db: AsyncSession, unit_id: int, code: str, *, before: int | None = None
) -> tuple[Sequence[tuple[NumberBlock, Sequence[str]]], bool]:
    """Blocks of the unit, newest first, each with its numbers that no record has; and whether there are older ones.

    ``before`` is the id of the last block of the page before.
    """
    query = select(NumberBlock).where(NumberBlock.unit_id == unit_id).order_by(NumberBlock.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(NumberBlock.id < before)
    blocks = (await db.scalars(query)).all()
    shown = blocks[:PAGE]
    given = {block.id: block_numbers(block, code) for block in shown}
    used = await _used(db, unit_id, [number for block in given.values() for number in block])
    return [(block, [n for n in given[block.id] if n not in used]) for block in shown], len(blocks) > PAGE


def block_numbers(block: NumberBlock, unit_code: str) -> list[str]:
    """Every number of the block, in order, with its check digit."""
    return [_number(block, unit_code, block.first + place) for place in range(block.count)]


async def _unused(db: AsyncSession, post: rules.Post, data: NewNumberBlock, year: int) -> int:
    query = select(NumberBlock).where(
        NumberBlock.device == data.device, NumberBlock.unit_id == post.unit_id, NumberBlock.year == year
    )
    newest = query.order_by(NumberBlock.id.desc()).limit(MOST_UNUSED)
    given = [number for block in await db.scalars(newest) for number in block_numbers(block, post.code)]
    return len(given) - len(await _used(db, post.unit_id, given))


async def _used(db: AsyncSession, unit_id: int, given: Sequence[str]) -> set[str]:
    rows = await db.execute(_USED, {"unit": unit_id, "numbers": list(given)})
    return {row.number for row in rows}


def _number(block: NumberBlock, unit_code: str, serial: int) -> str:
    return numbers.make(Kind.SEIZURE, year=block.year, unit=unit_code, serial=serial)
