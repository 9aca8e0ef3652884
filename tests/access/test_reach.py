"""Who sees a record beyond its own unit, and that what is kept of it (reach) never differs from how it is defined."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import asyncpg
import pytest

from casemgmt.cases import actions as case_actions
from casemgmt.core.clock import utcnow
from casemgmt.core.db import Database
from casemgmt.core.errors import DomainError
from casemgmt.seizures.models import Seizure
from tests import casework
from tests.cast import Member, World
from tests.db import Dsn

CHANGES = 300
RACES = 50


class Check:
    """The nightly check, run by the role that runs it, over the records made since the test began."""

    def __init__(self, sequencer: asyncpg.Connection, begin: dict[str, int]) -> None:
        self.sequencer, self.begin = sequencer, begin

    async def differences(self) -> int:
        found = 0
        for function, last in self.begin.items():
            while row := await self.sequencer.fetchrow(f"select * from {function}($1, 100)", last):  # noqa: S608
                found, last = found + row["differences"], row["last_id"]  # noqa: PLW2901
        return found


@pytest.fixture
async def check(dsn: Dsn, db_dba: asyncpg.Connection):
    connection = await asyncpg.connect(dsn.sequencer)
    begin = {
        "access.drift": await db_dba.fetchval("select coalesce(max(id), 0) from seizures.seizure"),
        "access.case_drift": await db_dba.fetchval("select coalesce(max(id), 0) from cases.case_file"),
    }
    yield Check(connection, begin)
    await connection.close()


# ---- another agency


async def test_another_agency_sees_a_seizure_only_after_the_supervisors_grant(world: World, database: Database):
    seizure = (await casework.seize(database, world.aida)).seizure
    assert not await casework.sees(database, world.elena, seizure)
    given = await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    assert await casework.sees(database, world.elena, seizure)
    assert not await casework.sees(database, world.oleg, seizure)
    await casework.end_grant(database, world.saule, given.id)
    assert not await casework.sees(database, world.elena, seizure)


async def test_putting_another_agencys_seizure_into_a_case_shares_it_with_nobody(world, database):
    seizure = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, seizure, world.elena.id)  # to one person
    case = await casework.open_case(database, world.elena)
    await casework.add_member(database, world.elena, case, world.oleg)
    await casework.put_in(database, world.elena, case, seizure)
    assert await casework.sees(database, world.elena, seizure)
    for colleague in (world.oleg, world.ruslan):
        assert await casework.sees(database, colleague, case)
        assert not await casework.sees(database, colleague, seizure)


async def test_a_team_sees_what_the_cases_own_agency_put_into_it(world, database):
    seizure = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.marat)
    await casework.grant(database, world.saule, seizure, world.units["customs_investigation"])
    await casework.put_in(database, world.marat, case, seizure)
    await casework.add_member(database, world.marat, case, world.elena)
    assert await casework.sees(database, world.elena, seizure)
    await casework.remove_member(database, world.marat, case, world.elena)
    assert not await casework.sees(database, world.elena, seizure)


async def test_a_grant_ends_by_itself_when_its_time_is_over(world, database, db_dba, check):
    seizure = (await casework.seize(database, world.aida)).seizure
    await db_dba.execute(
        'insert into sharing."grant"(seizure_id, to_id, purpose, until, given_by) values ($1, $2, $3, $4, $5)',
        seizure.id, world.units["crime_unit"], "investigation", utcnow() + timedelta(seconds=1), world.saule.id,
    )  # fmt: skip
    assert await casework.sees(database, world.elena, seizure)
    await asyncio.sleep(1.1)
    assert not await casework.sees(database, world.elena, seizure)
    assert await check.differences() == 0


async def test_a_seizure_marked_need_to_know_is_seen_only_by_those_named_who_have_a_right_of_their_own(world, database):
    seizure = (await casework.seize(database, world.aida)).seizure
    await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    await casework.hide(database, world.saule, seizure, world.elena, world.oleg)
    seen = {who.login.split("-")[0] for who in world.people.values() if await casework.sees(database, who, seizure)}
    assert seen == {"aida", "saule", "elena"}  # oleg is named but has no right; the auditor and ruslan are not named
    await casework.hide(database, world.saule, seizure, hidden=False)
    assert await casework.sees(database, world.ruslan, seizure)


async def test_the_auditor_reads_the_agency_and_no_other(world, database):
    customs = await casework.seize(database, world.aida)
    other_post = await casework.seize(database, world.timur)
    police = await casework.open_case(database, world.elena)
    customs_case = await casework.open_case(database, world.marat)
    for record, seen in ((customs.seizure, True), (other_post.seizure, True), (customs_case, True), (police, False)):
        assert await casework.sees(database, world.askar, record) is seen


# ---- drift


class Chance:
    """Random changes of who sees what, by those who may make them; what the rules refuse changes nothing."""

    def __init__(self, world: World, database: Database, dba: asyncpg.Connection, seed: int) -> None:
        self.world, self.database, self.dba = world, database, dba
        self.random = random.Random(seed)
        self.done = 0

    async def prepare(self) -> None:
        w = self.world
        made = [
            await casework.seize(self.database, who) for who in (w.aida, w.aida, w.timur, w.timur) for _ in range(2)
        ]
        self.exhibits = [record.exhibits[0] for record in made]
        self.seizures = [record.seizure for record in made]
        leads = (w.marat, w.elena, w.elena)
        self.cases = [await casework.open_case(self.database, lead) for lead in leads]
        for seizure in self.seizures:
            await casework.grant(self.database, self.supervisor(seizure), seizure, w.marat.id)
            await casework.grant(self.database, self.supervisor(seizure), seizure, w.elena.id)

    def supervisor(self, seizure: Seizure) -> Member:
        return self.world.saule if seizure.unit_id == self.world.units["post"] else self.world.gulnara

    def lead(self, case) -> Member:
        return self.world.people[next(k for k, m in self.world.people.items() if m.id == case.opened_by)]

    async def step(self) -> None:
        kinds = [self.member, self.seizure, self.grant, self.end, self.name, self.handover, self.case_grant]
        try:
            await self.random.choice(kinds)()
            self.done += 1
        except DomainError:
            pass

    async def member(self) -> None:
        case = self.random.choice(self.cases)
        who = self.random.choice([self.world.oleg, self.world.dinara, self.world.timur, self.world.nurlan])
        change = self.random.choice([casework.add_member, casework.remove_member])
        await change(self.database, self.lead(case), case, who)

    async def seizure(self) -> None:
        case, seizure = self.random.choice(self.cases), self.random.choice(self.seizures)
        lead = self.lead(case)
        if self.random.random() < 0.6:
            await casework.put_in(self.database, lead, case, seizure)
        else:
            await casework.take_out(self.database, lead, case, seizure)

    async def grant(self) -> None:
        seizure = self.random.choice(self.seizures)
        to = self.random.choice([*self.world.units.values(), *self.world.agencies.values(), self.world.oleg.id])
        until = self.random.choice([None, utcnow().date() + timedelta(days=self.random.randint(0, 30))])
        await casework.grant(self.database, self.supervisor(seizure), seizure, to, until=until)

    async def case_grant(self) -> None:
        to = self.random.choice(list(self.world.units.values()))
        case = self.cases[1]
        await casework.grant(self.database, self.world.ruslan, case, to, with_seizures=self.random.random() < 0.5)

    async def end(self) -> None:
        ids = [s.id for s in self.seizures]
        given = await self.dba.fetch(
            'select g.id, g.seizure_id from sharing."grant" g where g.seizure_id = any($1) and not exists'
            " (select from sharing.grant_end e where e.grant_id = g.id)",
            ids,
        )
        row = self.random.choice(given)
        seizure = next(s for s in self.seizures if s.id == row["seizure_id"])
        await casework.end_grant(self.database, self.supervisor(seizure), row["id"])

    async def name(self) -> None:
        seizure = self.random.choice(self.seizures)
        people = self.random.sample([self.world.elena, self.world.marat, self.world.oleg, self.world.askar], 2)
        await casework.hide(
            self.database, self.supervisor(seizure), seizure, *people, hidden=self.random.random() < 0.5
        )

    async def handover(self) -> None:
        """Offers and answers, written as rows: what custody asks besides is its own tests' matter."""
        i = self.random.randrange(len(self.exhibits))
        exhibit, to = self.exhibits[i], self.random.choice([self.world.nurlan, self.world.elena, self.world.oleg])
        open_ = await self.dba.fetchval(
            "select handover_id from custody.handover_item where exhibit_id = $1 and state = 'offered'", exhibit.id
        )
        if open_ is not None:
            await self.dba.execute(
                "update custody.handover_item set state = $3, answered_at = now()"
                " where handover_id = $1 and exhibit_id = $2",
                open_, exhibit.id, self.random.choice(["accepted", "refused", "withdrawn"]),
            )  # fmt: skip
            return
        handover = await self.dba.fetchval(
            "insert into custody.handover(client_id, number, from_id, to_id, purpose)"
            " values (gen_random_uuid(), gen_random_uuid()::text, $1, $2, 'storage') returning id",
            exhibit.holder_id, to.id,
        )  # fmt: skip
        await self.dba.execute(
            "insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id)"
            " values ($1, $2, $3, $4, $5)",
            handover, exhibit.id, exhibit.seizure_id, exhibit.holder_id, to.id,
        )  # fmt: skip


async def test_reach_does_not_drift_through_random_changes(world, database, db_dba, check):
    chance = Chance(world, database, db_dba, seed=412)
    await chance.prepare()
    for n in range(CHANGES):
        await chance.step()
        if n % 50 == 0:
            assert await check.differences() == 0
    assert chance.done > CHANGES / 2, "most of the changes are to be real ones"
    assert await check.differences() == 0


async def test_a_member_who_leaves_while_a_seizure_comes_keeps_no_access(world, database, check):
    case = await casework.open_case(database, world.marat)
    refused = 0
    for n in range(RACES):
        seizure = (await casework.seize(database, world.aida)).seizure
        await casework.grant(database, world.saule, seizure, world.marat.id)
        await casework.add_member(database, world.marat, case, world.elena)
        # in turns either comes first
        changes = [
            casework.remove_member(database, world.marat, case, world.elena),
            casework.put_in(database, world.marat, case, seizure),
        ]
        outcomes = await asyncio.gather(*(changes if n % 2 else reversed(changes)), return_exceptions=True)
        refused += sum(isinstance(outcome, Exception) for outcome in outcomes)
        assert not await casework.sees(database, world.elena, seizure)
    assert refused == 0
    assert await check.differences() == 0


async def test_a_change_that_began_before_a_grant_and_ends_after_it_takes_nothing_away(world, database, check):
    """A transaction's now() is its beginning: seen from there the other grant would not have begun yet."""
    seizure = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.marat)
    await casework.grant(database, world.saule, seizure, world.marat.id)
    async with database.begin(world.marat.actor) as slow:
        await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
        await case_actions.add_seizure(slow, world.marat.actor, case, seizure)
    assert await casework.sees(database, world.elena, seizure)
    assert await check.differences() == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "insert into access.reach(principal, seizure_id) values ($1, $2)",
        "insert into access.reach(principal, seizure_id, until) values ($1, $2, now() + interval '1 day')",
    ],
)
async def test_the_check_reports_a_row_too_many(world, database, db_dba, check, tampering):
    seizure = (await casework.seize(database, world.aida)).seizure
    await db_dba.execute(tampering, world.oleg.id, seizure.id)
    assert await check.differences() == 1


async def test_the_check_reports_a_row_too_few_and_a_row_of_a_case(world, database, db_dba, check):
    seizure = (await casework.seize(database, world.aida)).seizure
    case = await casework.open_case(database, world.elena)
    await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    kept = await db_dba.fetch("delete from access.reach where seizure_id = $1 returning *", seizure.id)
    gone = await db_dba.fetch("delete from access.case_reach where case_id = $1 returning *", case.id)
    assert await check.differences() == len(kept) + len(gone) == 2


async def test_a_name_on_the_list_is_worth_nothing_after_the_appointment_it_rested_on(world, database, db_dba, check):
    seizure = (await casework.seize(database, world.aida)).seizure
    await casework.hide(database, world.saule, seizure, world.aida, world.elena)
    await casework.grant(database, world.saule, seizure, world.units["crime_unit"])
    assert await casework.sees(database, world.elena, seizure)
    for who, elsewhere in ((world.aida, "other_post"), (world.elena, "transport_police")):
        await db_dba.execute(
            "update accounts.appointment set valid = tstzrange(now() - interval '1 day', now()) where person_id = $1",
            who.id,
        )
        await db_dba.execute(
            "insert into accounts.appointment(person_id, kind, unit_id) values ($1, 'officer', $2)",
            who.id, world.units[elsewhere],
        )  # fmt: skip
        assert not await casework.sees(database, who, seizure)
    assert await check.differences() == 0


async def test_an_appointment_with_a_last_day_opens_no_longer_than_that(world, database, db_dba):
    seizure = (await casework.seize(database, world.aida)).seizure
    await casework.hide(database, world.saule, seizure, world.aida)
    await db_dba.execute(
        "update accounts.appointment set valid = tstzrange(now(), now() + interval '1 day') where person_id = $1",
        world.aida.id,
    )
    until = await db_dba.fetchval(
        "select until = upper(a.valid) from access.reach r join accounts.appointment a on a.person_id = r.principal"
        " where r.principal = $1 and r.seizure_id = $2",
        world.aida.id, seizure.id,
    )  # fmt: skip
    assert until
