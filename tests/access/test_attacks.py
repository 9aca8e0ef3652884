"""A statement that slipped past the application, run with its database role in somebody's own session.

Whatever the actions ask, the database asks again: who sees a record through a grant, a hand-over or an audit changes
nothing of it, opens it to nobody, and writes into nobody's chain.
"""

# ruff: noqa: E501 - an attack is read best as one statement on one line

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from casemgmt.cases.models import CaseFile
from casemgmt.core.db import Database
from casemgmt.core.web.signin import token_hash
from casemgmt.exhibits.models import Exhibit
from tests import casework
from tests.cast import Member, World, make_world
from tests.db import Dsn
from tests.records import Registered


@dataclass(frozen=True, slots=True)
class Scene:
    """Aida's seizure, granted to the crime unit for reading; Elena's case with it; Marat's case with one of customs.

    Both cases are granted to the prosecutors without their seizures. ``hidden`` is Timur's, shared with nobody.
    """

    dsn: Dsn
    world: World
    granted: Registered
    hidden: Registered
    case: CaseFile
    customs_case: CaseFile

    @property
    def exhibit(self) -> Exhibit:
        return self.granted.exhibits[0]

    def fill(self, sql: str) -> str:
        world = self.world
        return sql.format(
            seizure=self.granted.seizure.id, number=self.granted.seizure.number, exhibit=self.exhibit.id,
            exhibit_number=self.exhibit.number, head=self.exhibit.last_hash.hex(), hidden=self.hidden.seizure.id,
            hidden_number=self.hidden.seizure.number, hidden_exhibit=self.hidden.exhibits[0].id,
            hidden_exhibit_number=self.hidden.exhibits[0].number, case=self.case.id, case_number=self.case.number,
            customs_case=self.customs_case.id, oleg=world.oleg.id, elena=world.elena.id, dinara=world.dinara.id,
            aida=world.aida.id, prosecutors=world.units["prosecutors"], other_post=world.units["other_post"],
        )  # fmt: skip


@pytest.fixture(scope="module")
async def scene(dsn: Dsn, database: Database) -> Scene:
    dba = await asyncpg.connect(dsn.dba)
    world = await make_world(dba, database)
    await dba.close()
    granted, hidden = await casework.seize(database, world.aida), await casework.seize(database, world.timur)
    await casework.grant(database, world.saule, granted.seizure, world.units["crime_unit"])
    case, customs_case = (
        await casework.open_case(database, world.elena),
        await casework.open_case(database, world.marat),
    )
    await casework.put_in(database, world.elena, case, granted.seizure)
    await casework.grant(database, world.saule, granted.seizure, world.marat.id)
    await casework.put_in(database, world.marat, customs_case, granted.seizure)
    await casework.grant(database, world.ruslan, case, world.units["prosecutors"])
    await casework.grant(database, world.bakyt, customs_case, world.units["prosecutors"])
    return Scene(dsn, world, granted, hidden, case, customs_case)


@asynccontextmanager
async def acting(scene: Scene, who: Member) -> AsyncIterator[asyncpg.Connection]:
    """The application's role in a transaction of this person's session; nothing is kept."""
    connection = await asyncpg.connect(scene.dsn.app)
    transaction = connection.transaction()
    await transaction.start()
    await connection.fetchval("select access.enter($1)", token_hash(who.token))
    yield connection
    await transaction.rollback()
    await connection.close()


_REFERRED = (
    "insert into sharing.referral(client_id, case_id, to_id) values (gen_random_uuid(), {case}, {prosecutors});"
    " insert into sharing.grant(seizure_id, to_id, purpose, referral_id)"
    " select {seizure}, {prosecutors}, 'x', max(id) from sharing.referral where made_by = {elena}"
)
_ENTRY = (
    "insert into ledger.entry(event_id, stream, stream_seq, type, body{columns})"
    " values (gen_random_uuid(), {stream}, 2, 'a:b:c', 'x'{values})"
)


def entry(stream: str, **about: str) -> str:
    columns, values = "".join(f", {name}" for name in about), "".join(f", {{{what}}}" for what in about.values())
    return _ENTRY.format(columns=columns, stream=f"'{stream}'", values=values)


_OPEN_OFFER = (
    "insert into custody.handover(client_id, number, to_id, purpose)"
    " values (gen_random_uuid(), gen_random_uuid()::text, {oleg}, 'storage');"
    " insert into custody.handover_item(handover_id, exhibit_id, seizure_id, from_id, to_id)"
    " select max(id), {exhibit}, {seizure}, {elena}, {oleg} from custody.handover where from_id = {elena}"
)
_TAKE = (
    "select custody.step({exhibit}, null, 'accepted', 1, '\\x{head}', gen_random_uuid(), 'custody:handover:accepted',"
    " 'x', {aida}, {elena}, null, null, null, null, null, null, {elena}, null, null, null, 'held', null)"
)

ATTACKS = {
    "joining a case that was granted": ("dinara", "insert into cases.case_member(case_id, person_id, role) values ({customs_case}, {dinara}, 'lead')"),
    "adding an outsider to it": ("dinara", "insert into cases.case_member(case_id, person_id, role) values ({case}, {oleg}, 'member')"),
    "an auditor joining a case of the agency": ("askar", "insert into cases.case_member(case_id, person_id, role) values ({customs_case}, {aida}, 'lead')"),
    "removing the team of a granted case": ("dinara", "update cases.case_member set left_at = now() where case_id = {case}"),
    "changing the status of a granted case": ("dinara", "update cases.case_file set status = 'closed' where id = {case}"),
    "putting a seizure into a granted case": ("aida", "insert into cases.case_seizure(case_id, seizure_id) values ({case}, {seizure})"),
    "linking granted cases": ("dinara", "insert into cases.case_link(case_id, other_id, reason) values ({case}, {customs_case}, 'same_container')"),
    "referring a case that is not theirs": ("dinara", "insert into sharing.referral(client_id, case_id, to_id) values (gen_random_uuid(), {case}, {prosecutors})"),
    "referring to a unit that is no prosecution": ("elena", "insert into sharing.referral(client_id, case_id, to_id) values (gen_random_uuid(), {case}, {other_post})"),
    "passing on another agency's seizure by a referral": ("elena", _REFERRED),
    "ending the grant they received": ("elena", "insert into sharing.grant_end(grant_id, reason) select id, 'x' from sharing.grant where seizure_id = {seizure} limit 1"),
    "offering what somebody else holds": ("elena", _OPEN_OFFER),
    "taking what was not offered": ("elena", _TAKE),
    "holding without an event": ("saule", "update exhibits.exhibit set holder_id = {aida} where id = {exhibit}"),
    "a holder who gives without being accepted": ("aida", "update exhibits.exhibit set holder_id = {elena}, last_seq = last_seq + 1 where id = {exhibit}"),
    "an exhibit in another's hands from the first": ("aida", "insert into exhibits.exhibit(seizure_id, agency_id, unit_id, no, number, category, quantity_basis, holder_id, last_seq, last_hash) select seizure_id, agency_id, unit_id, 99, 'x', category, quantity_basis, {oleg}, 1, 'x' from exhibits.exhibit where id = {exhibit}"),
    "people present, by a grantee": ("elena", "insert into seizures.participant(seizure_id, role, name, salt) values ({seizure}, 'owner', 'x', 'x')"),
    "a conveyance, by a grantee": ("elena", "insert into seizures.conveyance(seizure_id, kind, identifier) values ({seizure}, 'car', 'x')"),
    "an entry in a hidden exhibit's chain": ("elena", entry("exhibit:{hidden_exhibit_number}")),
    "an entry in it about another exhibit": ("elena", entry("exhibit:{hidden_exhibit_number}", seizure_id="seizure", exhibit_id="exhibit")),
    "an entry about a hidden exhibit": ("elena", entry("seizure:{number}", seizure_id="seizure", exhibit_id="hidden_exhibit")),
    "an entry in a hidden seizure's stream": ("elena", entry("seizure:{hidden_number}", seizure_id="seizure")),
    "an entry in a hidden case's stream": ("oleg", entry("case:{case_number}")),
    "an entry in somebody else's account": ("elena", entry("person:admin")),
    "an entry in a stream of their own making": ("elena", entry("made-up")),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
async def test_it_is_refused(scene: Scene, attack: str) -> None:
    who, sql = ATTACKS[attack]
    async with acting(scene, scene.world.people[who]) as connection:
        try:
            done = await connection.execute(scene.fill(sql))
            await connection.execute("set constraints all immediate")
        except asyncpg.PostgresError as error:
            assert error.sqlstate in {"42501", "CM001", "CM002"}, error
        else:
            assert done in {"UPDATE 0", "INSERT 0 0"}, done


MAY = {
    "a lead adds to the team": ("elena", "insert into cases.case_member(case_id, person_id, role) values ({case}, {oleg}, 'member')"),
    "a supervisor of the unit too": ("ruslan", "insert into cases.case_member(case_id, person_id, role) values ({case}, {oleg}, 'member')"),
    "the unit adds people present": ("saule", "insert into seizures.participant(seizure_id, role, name, salt) values ({seizure}, 'owner', 'x', 'x')"),
    "who gave a grant ends it": ("saule", "insert into sharing.grant_end(grant_id, reason) select id, 'x' from sharing.grant where seizure_id = {seizure} limit 1"),
}  # fmt: skip


@pytest.mark.parametrize("deed", MAY)
async def test_who_may_is_not(scene: Scene, deed: str) -> None:
    """Or the refusals above would prove nothing."""
    who, sql = MAY[deed]
    async with acting(scene, scene.world.people[who]) as connection:
        assert (await connection.execute(scene.fill(sql))).endswith(" 1")


async def test_a_membership_that_ended_cannot_be_opened_again(scene: Scene) -> None:
    async with acting(scene, scene.world.elena) as connection:
        case = scene.case.id
        await connection.execute(
            "insert into cases.case_member(case_id, person_id, role) values ($1, $2, 'member')",
            case,
            scene.world.oleg.id,
        )
        await connection.execute(
            "update cases.case_member set left_at = now() where case_id = $1 and person_id = $2",
            case,
            scene.world.oleg.id,
        )
        again = "update cases.case_member set left_at = null where case_id = $1 and left_at is not null"
        assert await connection.execute(again, case) == "UPDATE 0"


async def test_what_is_said_of_an_actor_holds_for_one_transaction(scene: Scene) -> None:
    """Kept and set again after the appointment has ended, it would bring the old rights back."""
    async with acting(scene, scene.world.aida) as connection:
        kept = await connection.fetchval("select current_setting('app.actor')")
        assert await connection.fetchval("select access.me()") == scene.world.aida.id
    connection = await asyncpg.connect(scene.dsn.app)
    async with connection.transaction():
        await connection.execute("select set_config('app.actor', $1, true)", kept)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval("select access.me()")
    await connection.close()


async def test_the_head_of_a_hidden_stream_is_as_good_as_none(scene: Scene) -> None:
    hidden = f"seizure:{scene.hidden.seizure.number}", f"case:{scene.customs_case.number}", "exhibit:x", "person:admin"
    for stream in (*hidden, "seizure:2026-9999-99999-2"):
        async with acting(scene, scene.world.elena) as connection:
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.fetchrow("select * from ledger.head($1)", stream)
            assert (refused.value.sqlstate, str(refused.value)) == ("CM004", "no such record")
    async with acting(scene, scene.world.elena) as connection:
        seen = await connection.fetchrow("select * from ledger.head($1)", f"seizure:{scene.granted.seizure.number}")
        assert seen["seq"] > 0


async def test_nobody_learns_between_whom_a_hand_over_is_that_is_not_theirs(scene: Scene) -> None:
    made = (
        "insert into custody.handover(client_id, number, to_id, purpose)"
        " values (gen_random_uuid(), gen_random_uuid()::text, $1, 'storage') returning id"
    )
    aida, nurlan = scene.world.aida, scene.world.nurlan
    async with acting(scene, aida) as connection:
        handover = await connection.fetchval(made, nurlan.id)
        asks = "select access.between($1, $2, $3)"
        assert await connection.fetchval(asks, handover, aida.id, nurlan.id)
        await connection.fetchval("select access.enter($1)", token_hash(scene.world.timur.token))
        assert not await connection.fetchval(asks, handover, aida.id, nurlan.id)
