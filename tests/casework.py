"""Case work for tests, by the product's own actions: seizures, cases, grants, and what somebody sees of them."""

from __future__ import annotations

import uuid
from datetime import UTC, date

from casemgmt.accounts import queries as accounts
from casemgmt.cases import actions as case_actions
from casemgmt.cases import queries as case_queries
from casemgmt.cases.models import CaseFile
from casemgmt.cases.schemas import NewCase
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import NotFound
from casemgmt.exhibits.actions import add
from casemgmt.exhibits.schemas import NewExhibit
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.actions import mark_need_to_know, register
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.schemas import NewConveyance, NewParticipant, NewSeizure
from casemgmt.sharing import actions as sharing_actions
from casemgmt.sharing import queries as sharing_queries
from casemgmt.sharing.queries import Given
from casemgmt.sharing.receivers import Receiver
from casemgmt.sharing.schemas import NewGrant, NewReferral
from tests.cast import Member
from tests.records import Registered


async def seize(
    database: Database,
    officer: Member,
    *,
    container: str = "",
    person: str = "",
    description: str = "package",
    exhibits: int = 1,
) -> Registered:
    """A seizure of ``exhibits`` packages, with a container and a person present if named."""
    data = NewSeizure(
        client_id=uuid.uuid4(),
        seized_at=utcnow(),
        place="Ak-Tilek",
        conveyances=[NewConveyance(kind="container", identifier=container)] if container else [],
        participants=[NewParticipant(role="owner", name=person)] if person else [],
    )
    items = [NewExhibit(category="DRUG", description=description) for _ in range(exhibits)]
    async with database.begin(officer.actor) as db:
        seizure, _ = await register(db, officer.actor, data, UTC)
        return Registered(seizure, await add(db, officer.actor, seizure, items))


async def open_case(database: Database, lead: Member, title: str = "Heroin in a trailer") -> CaseFile:
    async with database.begin(lead.actor) as db:
        case, _ = await case_actions.open_case(db, lead.actor, NewCase(uuid.uuid4(), title), UTC)
    return case


async def put_in(database: Database, member: Member, case: CaseFile, *seizures: Seizure) -> None:
    async with database.begin(member.actor) as db:
        for seizure in seizures:
            await case_actions.add_seizure(db, member.actor, case, seizure)


async def take_out(database: Database, member: Member, case: CaseFile, seizure: Seizure) -> None:
    async with database.begin(member.actor) as db:
        await case_actions.remove_seizure(db, member.actor, case, seizure, "another investigation")


async def add_member(database: Database, lead: Member, case: CaseFile, who: Member, role: str = "member") -> None:
    async with database.begin(lead.actor) as db:
        await case_actions.add_member(db, lead.actor, case, await accounts.person(db, who.id), role)


async def remove_member(database: Database, lead: Member, case: CaseFile, who: Member) -> None:
    async with database.begin(lead.actor) as db:
        await case_actions.remove_member(db, lead.actor, case, await accounts.person(db, who.id), "moved on")


async def grant(
    database: Database,
    supervisor: Member,
    record: Seizure | CaseFile,
    to: int,
    *,
    until: date | None = None,
    onward: bool = False,
    with_seizures: bool = False,
) -> Given:
    """Open a record to the unit, agency or person with this id."""
    data = NewGrant(
        purpose="investigation", to="unit", until=until, endless=until is None,
        onward=onward, with_seizures=with_seizures,
    )  # fmt: skip
    receiver = Receiver("unit", to, "the receiver")
    async with database.begin(supervisor.actor) as db:
        if isinstance(record, CaseFile):
            return await sharing_actions.grant_case(db, supervisor.actor, record, receiver, data, zone=UTC)
        return await sharing_actions.grant_seizure(db, supervisor.actor, record, receiver, data, zone=UTC)


async def end_grant(database: Database, supervisor: Member, grant_id: int) -> None:
    async with database.begin(supervisor.actor) as db:
        given = await sharing_queries.grant(db, grant_id)
        await sharing_actions.end_grant(db, supervisor.actor, given, "no longer needed")


async def refer(database: Database, lead: Member, case: CaseFile, unit_id: int, *seizures: Seizure) -> int:
    data = NewReferral(client_id=uuid.uuid4(), unit="", seizures=[])
    async with database.begin(lead.actor) as db:
        found = await case_queries.case(db, case.id)
        chosen = [seizure.id for seizure in seizures]
        referral, _ = await sharing_actions.refer(db, lead.actor, found, data, unit_id=unit_id, seizure_ids=chosen)
    return referral


async def hide(database: Database, supervisor: Member, seizure: Seizure, *names: Member, hidden: bool = True) -> None:
    """Mark need-to-know for these people (and those who always belong to it)."""
    async with database.begin(supervisor.actor) as db:
        found = await seizure_queries.seizure(db, seizure.id)
        await mark_need_to_know(db, supervisor.actor, found, hidden=hidden, names={n.id for n in names})


async def sees(database: Database, who: Member, record: Seizure | CaseFile) -> bool:
    """Does the record exist for this person?"""
    load = case_queries.case if isinstance(record, CaseFile) else seizure_queries.seizure
    async with database.begin(who.actor) as db:
        try:
            await load(db, record.id)
        except NotFound:
            return False
    return True
