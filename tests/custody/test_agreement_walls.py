"""What stands in the database behind the application: nobody writes an agreement's events but as it was signed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import msgspec
import pytest
import rfc8785

from casemgmt.core.errors import Conflict, DomainError, Forbidden, NotFound
from casemgmt.custody import agreements, settling
from casemgmt.custody.agreements import NewAgreement
from casemgmt.custody.rules import RECEIVERS
from tests.cast import World
from tests.custody.agreeing import Border, Pair, state, work
from tests.records import register_seizure

Body = dict[str, Any]


@pytest.fixture
def border(app, db_dba) -> Border:
    return Border(app.state.database, app.state.codes, db_dba)


@pytest.fixture
async def kept(border: Border, world: World, database, monkeypatch) -> tuple[int, Pair]:
    """Two exhibits agreed on, kept and not settled: whoever settles it now does it by hand."""
    made = await register_seizure(database, world.aida, "W-1", "W-2")
    refused = {"decision": "refused", "reason": "seal_damaged", "seal_state": "damaged"}
    pair = await border.agree(world.aida, world.nurlan, made.exhibits, said=[{}, refused])

    async def nothing(*_: object) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(agreements, "_settle", nothing)
        brought = await border.bring(world.aida, pair)
    return brought.id, pair


class Hands:
    """In place of the connection: what the product would write, changed on its way."""

    def __init__(self, connection: Any, change: Callable[[list[Any]], None]) -> None:
        self._connection, self._change = connection, change

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        given = list(arguments)
        if "custody.settle" in sql or "custody.dispute" in sql:
            self._change(given)
        return await self._connection.fetchval(sql, *given)

    async def execute(self, sql: str, *arguments: Any) -> Any:
        return await self._connection.execute(sql, *arguments)


def changed(place: int, n: int | None, edit: Callable[[Body], None]) -> Callable[[list[Any]], None]:
    """Argument ``place`` of the call, a body or a list of bodies, with something else in it."""

    def change(given: list[Any]) -> None:
        bodies = given[place]
        said = msgspec.json.decode(bodies if n is None else bodies[n])
        edit(said)
        made = rfc8785.dumps(said)
        given[place] = made if n is None else [made if i == n else b for i, b in enumerate(bodies)]

    return change


def data(**more: Any) -> Callable[[Body], None]:
    return lambda body: body["data"].update(more)


def top(**more: Any) -> Callable[[Body], None]:
    return lambda body: body.update(more)


def dropped(given: list[Any]) -> None:
    for place in (4, 5, 6, 7):
        given[place] = given[place][:1]


OFFERS, ANSWERS, ENTRY = 5, 7, 3
SOMEBODY = {"id": 1, "name": "Somebody", "badge": "1"}
FORGED: dict[str, Callable[[list[Any]], None]] = {
    "an offer by somebody else": changed(OFFERS, 0, top(actor=SOMEBODY)),
    "an answer by somebody else": changed(ANSWERS, 0, top(actor=SOMEBODY)),
    "an answer in the giver's name": lambda g: changed(
        ANSWERS, 0, top(actor=msgspec.json.decode(g[OFFERS][0])["actor"]))(g),
    "to somebody else": changed(OFFERS, 0, data(to=SOMEBODY)),
    "from somebody else": changed(ANSWERS, 0, data(**{"from": SOMEBODY})),
    "another decision": changed(ANSWERS, 1, top(type="custody:handover:accepted")),
    "another item": changed(ANSWERS, 0, lambda b: b["data"]["agreed"].update(note="x")),
    "without the item": changed(OFFERS, 0, data(agreed=None)),
    "another purpose": changed(OFFERS, 0, data(purpose="court")),
    "another record": changed(OFFERS, 0, lambda b: b["data"]["signature"].update(record="00" * 32)),
    "another means": changed(OFFERS, 0, data(signature={"means": "session"})),
    "another agreement": changed(ANSWERS, 0, data(agreement=str(uuid.UUID(int=1)))),
    "another reason": changed(ANSWERS, 1, data(reason="other")),
    "another note": changed(ANSWERS, 1, data(note="Dry.")),
    "another place": changed(OFFERS, 0, data(place={"claimed": "Elsewhere"})),
    "another time of the device": changed(ANSWERS, 0, data(device_at="2020-01-01T00:00:00.000Z")),
    "no time of the device": changed(OFFERS, 0, data(device_at=None)),
    "words of nobody": changed(ANSWERS, 0, data(discrepancy="All is well.")),
    "a seal that differs without words": changed(ANSWERS, 0, lambda b: b["data"]["seal"].update(receiver="W-9")),
    "another hand-over's number": changed(ANSWERS, 0, data(handover="2026-0001-8-00001-0")),
    "an entry of another hand-over": changed(ENTRY, None, data(handover="2026-0001-8-00001-0")),
    "an entry by a person": changed(ENTRY, None, top(actor=SOMEBODY)),
    "an entry of another record": changed(ENTRY, None, data(offer="00" * 32)),
    "one exhibit less": dropped,
    "an event that does not follow": changed(OFFERS, 0, top(seq=9)),
    "an event on another chain": changed(OFFERS, 0, top(prev="00" * 32)),
    "an event in another stream": changed(OFFERS, 0, top(stream="exhibit:2026-0001-00001-0/1")),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
async def test_what_was_not_signed_is_not_written(border: Border, world: World, kept, db_dba, case: str) -> None:
    agreement_id, pair = kept
    before = await db_dba.fetchval("select count(*) from ledger.entry")
    with pytest.raises(DomainError) as refused:
        async with border.database.begin_raw(world.nurlan.actor) as connection:
            await settling.settle(Hands(connection, FORGED[case]), agreement_id)
    assert refused.type in (Forbidden, Conflict), refused.value
    assert await db_dba.fetchval("select count(*) from ledger.entry") == before
    assert (await state(border, world.aida, pair)).state == "waiting"


async def test_as_it_was_signed_it_is_written(border: Border, world: World, kept) -> None:
    agreement_id, pair = kept
    async with border.database.begin_raw(world.nurlan.actor) as connection:
        assert await settling.settle(Hands(connection, lambda _: None), agreement_id)
    assert (await state(border, world.aida, pair)).state == "settled"


@pytest.mark.parametrize("who", ["timur", "saule", "askar", "elena"])
async def test_nobody_but_the_two_and_the_worker_settles(border: Border, world: World, kept, dsn, who: str) -> None:
    agreement_id, pair = kept
    for sql in ("select custody.agreed_facts($1, '{officer}')", "select custody.agreed_serial($1, 2026)",
                "select custody.postpone($1, '[]')", "select custody.dispute($1, '[]', null, null, '{}', '{}')",
                "select custody.settle($1, '', null, null, '{}', '{}', '{}', '{}')"):  # fmt: skip
        with pytest.raises(NotFound):
            async with border.database.begin_raw(world.people[who].actor) as connection:
                await connection.fetchval(sql, agreement_id)
    assert await work(dsn) >= 1
    assert (await state(border, world.aida, pair)).state == "settled"


async def test_without_an_actor_the_application_settles_nothing(kept, db_app: asyncpg.Connection) -> None:
    agreement_id, _ = kept
    with pytest.raises(asyncpg.PostgresError) as refused:
        await db_app.fetchval("select custody.agreed_facts($1, '{officer}')", agreement_id)
    assert refused.value.sqlstate == "CM004"


WRITTEN = (
    "insert into custody.agreement_outcome(agreement_id, kind, why) values ({id}, 'disputed', '[]')",
    "insert into custody.agreement_bringing(agreement_id, person_id) values ({id}, {timur})",
    "insert into custody.agreement_item(agreement_id, exhibit, decision) values ({id}, 'x', 'accepted')",
    "insert into custody.agreement(client_id, offer) values (gen_random_uuid(), '')",
    "update custody.agreement set offer = ''", "delete from custody.agreement", "delete from custody.agreement_waiting",
    "update custody.agreement_waiting set due = now() + interval '1 year'", "truncate custody.agreement cascade",
    "select custody.enact(1, 'accepted', 1, 1, null, 1, 1, null, '', null, null, null, null, null, null)",
    "select custody.resolve({id}, 'mistaken', 'x', '{{}}', '{{}}')",
)  # fmt: skip


@pytest.mark.parametrize("sql", WRITTEN)
async def test_a_statement_that_slipped_into_the_application_writes_nothing_of_it(
    border: Border, world: World, kept, sql: str
) -> None:
    agreement_id, pair = kept
    with pytest.raises(Forbidden):
        async with border.database.begin_raw(world.aida.actor) as connection:
            await connection.execute(sql.format(id=agreement_id, timur=world.timur.id))
    assert (await state(border, world.aida, pair)).state == "waiting"


async def test_nobody_changes_or_removes_a_record_not_even_the_superuser_by_mistake(kept, db_dba) -> None:
    for sql in (
        "update custody.agreement set offer = answer",
        "delete from custody.agreement_item",
        "update custody.agreement_bringing set at = now()",
        "delete from custody.agreement_bringing",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db_dba.execute(sql)


async def test_the_setting_by_which_an_exhibit_moves_helps_nobody_else(border: Border, world: World, kept) -> None:
    agreement_id, _ = kept
    items = "select e.id from exhibits.exhibit e join custody.agreement_item i on i.exhibit = e.number"
    with pytest.raises(Forbidden):
        async with border.database.begin_raw(world.aida.actor) as connection:
            exhibit = await connection.fetchval(f"{items} where i.agreement_id = $1 limit 1", agreement_id)
            await connection.execute("select set_config('app.agreed', $1, true)", str(exhibit))
            move = "update exhibits.exhibit set holder_id = $2, last_seq = last_seq + 1 where id = $1"
            await connection.execute(move, exhibit, world.nurlan.id)


async def test_an_entry_about_an_agreement_without_its_row_is_not_taken(border: Border, world: World, kept) -> None:
    _, pair = kept
    with pytest.raises(Forbidden):
        async with border.database.begin_raw(world.aida.actor) as connection:
            said = {"agreement": pair.id, "offer": "00" * 32, "answer": "00" * 32}
            await agreements.record(connection, world.aida.actor, "custody:agreement:brought", pair.id, said)
    for kind in ("settled", "disputed"):
        with pytest.raises(Forbidden):
            async with border.database.begin_raw(world.aida.actor) as connection:
                said = {"offer": pair.offer.sha256, "answer": pair.answer.sha256}
                await agreements.record(connection, world.aida.actor, f"custody:agreement:{kind}", pair.id, said)


async def test_a_bringing_without_its_entry_is_not_kept(border: Border, world: World, database) -> None:
    made = await register_seizure(database, world.aida, "W-3")
    pair = await border.agree(world.aida, world.nurlan, made.exhibits)
    sides = [(half.body, half.signature, half.spki) for half in (pair.offer, pair.answer)]
    with pytest.raises(Forbidden):
        async with border.database.begin_raw(world.aida.actor) as connection:
            await connection.fetchrow("select * from custody.bring($1, $2, $3, $4, $5, $6)", *sides[0], *sides[1])


async def test_somebody_elses_agreement_is_not_brought_and_its_name_not_taken(border, world, database) -> None:
    made = await register_seizure(database, world.aida, "W-4")
    pair = await border.agree(world.aida, world.nurlan, made.exhibits)
    for who in (world.timur, world.saule, world.askar):
        with pytest.raises(Forbidden):
            await border.bring(who, pair)
        sides = [(half.body, half.signature, half.spki) for half in (pair.offer, pair.answer)]
        with pytest.raises(NotFound):
            async with border.database.begin_raw(who.actor) as connection:
                await connection.fetchrow("select * from custody.bring($1, $2, $3, $4, $5, $6)", *sides[0], *sides[1])
    await border.bring(world.aida, pair)
    theirs = await register_seizure(database, world.timur, "W-5")
    same = await border.agree(world.timur, world.nurlan, theirs.exhibits, agreement=pair.id)
    with pytest.raises(Conflict):
        await agreements.bring(border.database, world.timur.actor, NewAgreement(**same.sent()))


async def test_a_dispute_names_every_exhibit_that_is_there_and_says_what_the_agreement_says(
    border: Border, world: World, database, monkeypatch, db_dba
) -> None:
    made = await register_seizure(database, world.aida, "W-6", "W-7")
    await border.bring(world.aida, await border.agree(world.aida, world.nurlan, made.exhibits[:1]))

    async def nothing(*_: object) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(agreements, "_settle", nothing)
        brought = await border.bring(world.marat, await border.agree(world.aida, world.marat, made.exhibits))

    def one_less(given: list[Any]) -> None:
        given[4], given[5] = given[4][:1], given[5][:1]

    other = [{"code": "late", "exhibit": None}]
    for change in (one_less, changed(5, 0, data(why=other)), changed(3, None, data(why=other)), changed(
        5, 1, top(actor=SOMEBODY))):  # fmt: skip
        with pytest.raises(Forbidden):
            async with border.database.begin_raw(world.marat.actor) as connection:
                await settling.settle(Hands(connection, change), brought.id)
    async with border.database.begin_raw(world.marat.actor) as connection:
        assert await settling.settle(Hands(connection, lambda _: None), brought.id)
    count = "select count(*) from custody.event where agreement_id = $1 and kind = 'disputed'"
    assert await db_dba.fetchval(count, brought.id) == 2


async def test_two_who_settle_at_once_are_told_once(border: Border, world: World, kept) -> None:
    agreement_id, _ = kept
    async with border.database.begin_raw(world.aida.actor) as connection:
        assert await settling.settle(connection, agreement_id)
    async with border.database.begin_raw(world.nurlan.actor) as connection:
        assert await connection.fetchval("select custody.agreed_facts($1, $2)", agreement_id, list(RECEIVERS)) is None
