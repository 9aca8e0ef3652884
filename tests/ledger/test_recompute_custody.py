"""A superuser changes what the pages read of custody and leaves every entry as it is. The entries still know better."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import make_world
from tests.custody.conftest import Desk
from tests.db import Dsn
from tests.ledger.test_recompute import look
from tests.records import register_seizure

TABLES = ("custody.event", "custody.handover", "exhibits.exhibit", "ledger.entry")


@dataclass(frozen=True)
class Kept:
    """``numbers``: of the exhibits accepted, refused, withdrawn, on offer, and never moved."""

    dba: asyncpg.Connection[Any]
    numbers: list[str]
    seizure: str


@pytest.fixture
async def kept(ledger: Dsn) -> AsyncIterator[Kept]:
    """Every act of custody, with seals that differ and words; the superuser has switched the walls off."""
    database = Database(ledger.app, ledger.gate)
    await database.open()
    dba = await asyncpg.connect(ledger.dba)
    people = await make_world(dba, database)
    desk = Desk(database, Codes("salt"))
    made = await register_seizure(database, people.aida, "B-1", "B-2", "B-3", "B-4", None)
    accepted, refused, withdrawn, offered, still = made.exhibits
    when = datetime(2026, 11, 22, 9, 30, 15, 987654, UTC)
    first = await desk.offer(people.aida, people.nurlan, [accepted, refused], note="Two bags.", device_time=when)
    await desk.answer(
        people.nurlan,
        first,
        desk.accept(accepted, seal="", seal_state="missing", discrepancy="It came without its seal.", note="Wet."),
        desk.refuse(refused, seal="B-9", seal_state="intact", note="Another bag."),
    )
    again = await desk.offer(people.aida, people.nurlan, [withdrawn, still], purpose="laboratory")
    await desk.answer(people.aida, again, desk.withdraw(withdrawn))
    await desk.answer(people.nurlan, again, desk.accept(still))
    await desk.offer(people.aida, people.nurlan, [withdrawn, offered], purpose="court")
    await register_seizure(database, people.aida, "B-7")
    await dba.execute("set session_replication_role = replica")
    for table in TABLES:
        await dba.execute(f"alter table {table} disable trigger all")
    yield Kept(dba, [e.number for e in made.exhibits], made.seizure.number)
    await database.close()
    await dba.close()


async def test_custody_as_it_was_written_has_no_fault(ledger: Dsn, kept: Kept) -> None:
    found = await look(ledger)
    assert found.faults == []
    assert found.waiting > 15


_LAST_SEIZURE = "(select max(id) from seizures.seizure)"
_OF_EXHIBIT = "exhibit_id = (select id from exhibits.exhibit where number = '{n}')"
_EVENT = "update custody.event set {} where " + _OF_EXHIBIT + " and seq = {}"  # noqa: S608
_EXHIBIT = "update exhibits.exhibit set {} where number = '{n}'"
_ENTRY = "update ledger.entry set {} where stream = 'exhibit:{n}' and stream_seq = 2"
_MISFILED = "(event 2 of exhibit:{n}) is filed under another exhibit or seizure"
_ONE_MORE = (
    "insert into exhibits.exhibit(seizure_id, agency_id, unit_id, no, number, category, quantity_basis, created_by,"
    " holder_id, last_seq, last_hash) select seizure_id, agency_id, unit_id, 99, 'X-99', category, quantity_basis,"
    " created_by, holder_id, 1, last_hash from exhibits.exhibit where number = '{n}'"
)

EVENTS = [
    (3, "from_id = to_id", "from is"),
    (3, "to_id = from_id", "to is"),
    (3, "kind = 'refused'", "kind is refused, not accepted"),
    (3, "actor_id = from_id", "actor is"),
    (3, "seal_no = 'B-1'", "seal is B-1, not nothing"),
    (3, "seal_state = 'intact'", "seal state is intact, not missing"),
    (3, "hash = sha256('')", "hash is"),
    (3, "prev = sha256('')", "hash before is"),
    (3, "discrepancy = null", "discrepancy is nothing, not It came without its seal."),
    (3, "note = 'Dry.'", "note is Dry., not Wet."),
    (3, "reason = 'other'", "reason is other, not nothing"),
    (3, f"seizure_id = {_LAST_SEIZURE}", "seizure is"),
    (3, "handover_id = (select max(id) from custody.handover)", "hand-over is"),
    (2, "device_at = device_at + interval '1 s'", "device time is"),
    (1, "seal_no = 'B-8'", "seal is B-8, not B-1"),
    (1, "to_id = to_id + 1", "to is"),
]
EXHIBITS = [  # which of ``Kept.numbers``, the change, what is said of it
    (0, "holder_id = created_by", "holder is"),
    (0, "offered_to = created_by", "offered to is"),
    (1, "holder_id = holder_id + 1", "holder is"),
    (2, "offered_to = null", "offered to is nothing"),
    (3, "offered_to = null", "offered to is nothing"),
    (3, "holder_id = offered_to", "holder is"),
    (4, "status = 'held'", "status is held, not in_laboratory"),
    (0, "seal_no = 'B-9'", "seal is B-9, not B-1"),
    (0, "seal_state = 'intact'", "seal state is intact, not missing"),
    (0, "status = 'held'", "status is held, not in_storage"),
    (0, "last_seq = 2", "last event is 2, not 3"),
    (0, "last_hash = sha256('')", "last hash is"),
]
OTHERS = [  # ``{n}``: the accepted exhibit, ``{s}``: its seizure
    ("update custody.handover set purpose = 'return' where id = 1", "event 3 of exhibit {n}", "purpose is return"),
    ("update custody.handover set to_id = from_id - 1 where id = 1", "event 3 of exhibit {n}", "receiver is"),
    (
        f"delete from custody.event where {_OF_EXHIBIT} and seq = 3",  # noqa: S608
        "event 3 of exhibit {n} is in the ledger and missing",
    ),
    (
        "delete from ledger.entry where stream = 'exhibit:{n}' and stream_seq = 3",
        "event 3 of exhibit {n} is in no entry",
    ),
    ("delete from ledger.entry where stream = 'exhibit:{n}'", "event 1 of exhibit {n} is in no entry"),
    (_ONE_MORE, "exhibit X-99 is in no entry"),
    ("delete from exhibits.exhibit where number = '{n}'", "event 3 of exhibit {n} is in the ledger", "no such exhibit"),
    (_EXHIBIT.format("number = 'X-1'", n="{n}"), "event 1 of exhibit {n} is in the ledger", "no such exhibit"),
    (_EXHIBIT.format(f"seizure_id = {_LAST_SEIZURE}, no = 77", n="{n}"), "{n} was registered with another seizure"),
    (_ENTRY.format("exhibit_id = exhibit_id + 1", n="{n}"), _MISFILED),
    (_ENTRY.format("seizure_id = null", n="{n}"), _MISFILED),
    (
        f"update ledger.entry set seizure_id = {_LAST_SEIZURE} where stream = 'seizure:{{s}}'",  # noqa: S608
        "(event 1 of seizure:{s}) is filed under another seizure",
    ),
]


async def test_every_wrong_copy_is_seen_and_named_with_its_exhibit_and_event(ledger: Dsn, kept: Kept) -> None:
    """Each change by itself, taken back before the next."""
    await _copy(kept.dba)
    unseen = []
    for statement, words in _changes(kept):
        await kept.dba.execute(statement)
        found = await look(ledger)
        if not any(
            all(word in fault for word in words) and fault.endswith("[known from the bytes of its ledger entry]")
            for fault in found.faults
        ):
            unseen.append((statement, words, found.faults))
        await _put_back(kept.dba)
    assert not unseen, "\n".join(map(str, unseen))
    assert (await look(ledger)).faults == []


def _changes(kept: Kept) -> Iterator[tuple[str, list[str]]]:
    n = kept.numbers[0]
    for seq, change, said in EVENTS:
        yield _EVENT.format(change, seq, n=n), [f"event {seq} of exhibit {n} says something else", said]
    for which, change, said in EXHIBITS:
        n = kept.numbers[which]
        yield _EXHIBIT.format(change, n=n), [f"exhibit {n} stands elsewhere than after event", said]
    for statement, *words in OTHERS:
        names = {"n": kept.numbers[0], "s": kept.seizure}
        yield statement.format(**names), [word.format(**names) for word in words]


async def _copy(dba: asyncpg.Connection[Any]) -> None:
    for table in TABLES:
        await dba.execute(f"create temporary table {table.replace('.', '_')} as table {table}")


async def _put_back(dba: asyncpg.Connection[Any]) -> None:
    columns = "select string_agg(attname, ', ') from pg_attribute where attrelid = $1::text::regclass and attnum > 0"
    columns += " and not attisdropped and attgenerated = ''"
    for table in TABLES:
        names = await dba.fetchval(columns, table)
        await dba.execute(f"delete from {table}")  # noqa: S608
        await dba.execute(
            f"insert into {table}({names}) overriding system value select {names} from {table.replace('.', '_')}"  # noqa: S608
        )
