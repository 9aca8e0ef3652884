"""Which case or seizure is meant by what somebody typed or sent: its number in any spelling, or its opaque code."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.cases import queries
from casemgmt.cases.models import CaseFile
from casemgmt.core.codes import Codes
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import N_
from casemgmt.reference import numbers
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.models import Seizure

# A number that is wrong and a number that is hidden get the same words.
_NO_CASE = N_("There is no case with this number that you may see.")
_NO_SEIZURE = N_("There is no seizure with this number that you may see.")


async def case_named(db: AsyncSession, codes: Codes, text: str, *, field: str = "case") -> CaseFile:
    """Raises Invalid beside ``field`` when there is none the actor may see."""
    try:
        number = numbers.parse(text)
    except numbers.TypingError:
        try:
            return await queries.case(db, codes.decode("case", text.strip()))
        except NotFound as error:
            raise Invalid({field: _NO_CASE}) from error
    found = await db.scalar(select(CaseFile).where(CaseFile.number == str(number)))
    if found is None:
        raise Invalid({field: _NO_CASE})
    return found


async def seizure_named(db: AsyncSession, codes: Codes, text: str, *, field: str = "seizure") -> Seizure:
    """As ``case_named``; the number of an exhibit names its seizure."""
    try:
        number = numbers.parse(text)
    except numbers.TypingError:
        try:
            return await seizure_queries.seizure(db, codes.decode("seizure", text.strip()))
        except NotFound as error:
            raise Invalid({field: _NO_SEIZURE}) from error
    wanted = number.seizure if number.kind is numbers.Kind.EXHIBIT else number
    found = await db.scalar(select(Seizure).where(Seizure.number == str(wanted)))
    if found is None:
        raise Invalid({field: _NO_SEIZURE})
    return found
