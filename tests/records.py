"""Records for the tests of the rooms above registration: a seizure with exhibits, made by the product's own actions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC

from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.exhibits.actions import add
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.seizures.actions import register
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.schemas import NewSeizure
from tests.cast import Member


@dataclass(frozen=True, slots=True)
class Registered:
    seizure: Seizure
    exhibits: list[Exhibit]


async def register_seizure(database: Database, officer: Member, *seals: str | None) -> Registered:
    """One seizure of packages, one for each seal; None is a package without one."""
    data = NewSeizure(client_id=uuid.uuid4(), seized_at=utcnow(), place="Ak-Tilek")
    items = [NewExhibit(category="DRUG", description="package", seal=seal) for seal in seals or ("B-1001",)]
    async with database.begin(officer.actor) as db:
        seizure, _ = await register(db, officer.actor, data, UTC)
        exhibits = await add(db, officer.actor, seizure, items)
    return Registered(seizure, exhibits)
