"""What was signed, enrolled, revoked and reserved after the backup was made comes back from the write-once store."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

import asyncpg
import pytest

from casemgmt.accounts import keys
from casemgmt.accounts.schemas import KeyRevocation
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import DomainError
from casemgmt.ledger import beside
from casemgmt.ledger.sequencer import Sequencer
from casemgmt.seizures import numbering
from casemgmt.seizures.schemas import NewNumberBlock
from casemgmt.trust.batch import BatchReader, batch_key
from tests.cast import World, make_world
from tests.db import Dsn
from tests.ledger.test_recompute import look
from tests.ledger.test_recover import House, house, rows
from tests.passkeys.conftest import SITE, Holder, Signers, with_key
from tests.passkeys.pins import with_pin
from tests.records import Registered, register_seizure

__all__ = ["house"]

SIGNED = """
select e.number, s.seq, a.request_id, a.person_id, k.fingerprint, h.number as handover, a.spki, a.rp_id,
       a.origin, a.statement, a.client_data, a.authenticator_data, a.signature, a.record, a.at
  from custody.signature s join custody.assertion a on a.id = s.assertion_id
  join exhibits.exhibit e on e.id = s.exhibit_id join accounts.passkey k on k.id = a.passkey_id
  join custody.handover h on h.id = a.handover_id order by 1, 2"""
KEYS = """
select k.person_id, k.kind, k.device, k.proof, k.credential, k.spki, k.algorithm, k.name, k.aaguid,
       k.attestation_format, k.attestation, k.client_data, k.transports, k.backup_eligible, k.backed_up, k.rp_id,
       k.origin, k.enrolled_at, r.revoked_by, r.reason, r.note, r.at
  from accounts.passkey k left join accounts.passkey_revocation r on r.passkey_id = k.id order by k.spki"""
BLOCKS = "select device, person_id, unit_id, year, first, count, at from seizures.number_block order by first"


@asynccontextmanager
async def opened(dsn: Dsn) -> AsyncIterator[Database]:
    database = Database(dsn.app, dsn.gate)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


class Case:
    """Aida has a key before the backup, Nurlan enrols his after it."""

    def __init__(self, house: House, people: World, aida: Holder, made: Registered) -> None:
        self.house, self.people, self.aida, self.made = house, people, aida, made

    async def sequenced(self, dsn: Dsn) -> None:
        connection = await asyncpg.connect(dsn.sequencer)
        sequencer = await Sequencer.resume(connection, self.house.signer, self.house.store)
        while await sequencer.advance():
            pass
        await connection.close()

    async def handed_over(self, dsn: Dsn, means: str = "passkey") -> Any:
        """A signed offer of all exhibits, and a signed answer to it by a key that is enrolled on the way."""
        async with opened(dsn) as database:
            desk, nurlan = Signers(database, Codes("salt")), await self.enrolled(database, means)
            handover = await desk.signed_offer(self.aida, self.people.nurlan, self.made.exhibits)
            answers = [desk.accept(self.made.exhibits[0]), *(desk.refuse(e) for e in self.made.exhibits[1:])]
            await desk.signed_answer(nurlan, handover, *answers)
        return nurlan

    async def enrolled(self, database: Database, means: str) -> Any:
        if means == "pin":
            return await with_pin(database, Codes("salt"), self.people.nurlan)
        return await with_key(database, self.people.nurlan)

    async def revoke(self, dsn: Dsn, holder: Holder) -> None:
        async with opened(dsn) as database, database.begin(holder.member.actor) as db:
            await keys.revoke(db, holder.member.actor, holder.key.id, KeyRevocation("lost", "on the train"))

    async def reserve(self, dsn: Dsn, device: uuid.UUID) -> tuple[int, int]:
        async with opened(dsn) as database, database.begin(self.people.aida.actor) as db:
            wanted = NewNumberBlock(client_id=uuid.uuid4(), device=device, count=7)
            block = await numbering.reserve(db, self.people.aida.actor, wanted, UTC)
        return block.first, block.first + block.count


@pytest.fixture
async def case(house: House) -> Case:
    dba = await asyncpg.connect(house.ledger.dba)
    async with opened(house.ledger) as database:
        people = await make_world(dba, database)
        aida = await with_key(database, people.aida)
        made = await register_seizure(database, people.aida, "B-1", "B-2", "B-3")
    await dba.close()
    found = Case(house, people, aida, made)
    await found.sequenced(house.ledger)
    return found


@pytest.mark.parametrize("means", ["passkey", "pin"])
async def test_signatures_and_keys_newer_than_the_backup_come_back_byte_for_byte(
    case: Case, house: House, means: str
) -> None:
    old = await house.backup()
    await case.handed_over(house.ledger, means)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert len(await rows(house.ledger, SIGNED)) == 6
    assert await rows(old, SIGNED) == await rows(house.ledger, SIGNED)
    assert await rows(old, KEYS) == await rows(house.ledger, KEYS)
    assert (done.keys, done.behind, done.numbers) == (1, {}, {})
    for dsn in (old, house.ledger):
        assert (await look(dsn, store=house.store)).faults == []
    assert (await house.recover(old)).keys == 0, "a second time there is nothing to do"


@pytest.mark.parametrize("means", ["passkey", "pin"])
async def test_a_key_that_was_revoked_after_the_backup_does_not_hold_again(
    case: Case, house: House, means: str
) -> None:
    old = await house.backup()
    nurlan = await case.handed_over(house.ledger, means)
    for holder in (case.aida, nurlan):
        await case.revoke(house.ledger, holder)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert (done.keys, done.numbers) == (3, {})
    assert await rows(old, KEYS) == await rows(house.ledger, KEYS)
    assert await rows(old, SIGNED) == await rows(house.ledger, SIGNED), "what was signed before stays signed"
    async with opened(old) as database:
        with pytest.raises(DomainError):
            await Signers(database, Codes("salt")).signed_offer(case.aida, case.people.nurlan, case.made.exhibits[1:2])


async def test_numbers_that_a_device_holds_are_not_given_a_second_time(case: Case, house: House) -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    old = await house.backup()
    first, end = await case.reserve(house.ledger, mine)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert done.numbers == {}
    assert await rows(old, BLOCKS) == await rows(house.ledger, BLOCKS)
    assert (await case.reserve(old, other))[0] >= end > first


async def test_without_the_signature_in_the_store_the_handover_comes_back_and_is_named(
    case: Case, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the objects were that an earlier version wrote."""
    monkeypatch.setattr(beside, "may_have", lambda _: False)
    old = await house.backup()
    await case.handed_over(house.ledger)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert await rows(old, SIGNED) == []
    assert len(done.numbers["signature"]) == 6
    assert len(done.numbers["lost-key"]) == 1
    assert await rows(old, "select count(*) from custody.event where kind <> 'registered'") == [(6,)]
    assert (await look(old, store=house.store)).faults == []


HARMS = {
    "deleted": ("delete from custody.signature where seq = 2", "the signature of custody event 2 of exhibit"),
    "changed": ("update custody.assertion set signature = '\\x00'", "is another one than was stored"),
    "moved": (
        "update custody.signature set assertion_id = (select max(id) from custody.assertion) where seq = 2",
        "is another one than was stored",
    ),
    "a key's origin changed": (
        "update accounts.passkey set origin = 'http://elsewhere'",
        r"the key of .* is another one than was stored",
    ),
}


@pytest.mark.parametrize("harm", HARMS)
async def test_verifying_sees_a_signature_or_key_that_is_not_as_it_was_stored(
    case: Case, house: House, harm: str
) -> None:
    await case.handed_over(house.ledger)
    await case.sequenced(house.ledger)
    assert (await look(house.ledger, store=house.store)).faults == []
    statement, fault = HARMS[harm]
    connection = await asyncpg.connect(house.ledger.dba)
    for table in ("custody.signature", "custody.assertion", "accounts.passkey"):
        await connection.execute(f"alter table {table} disable trigger all")
    await connection.execute(statement)
    await connection.close()
    found = await look(house.ledger, store=house.store)
    assert any(re.search(fault, one) for one in found.faults), found.faults


async def test_an_object_holds_a_signature_once_for_all_entries_it_signs(case: Case, house: House) -> None:
    await case.handed_over(house.ledger)
    first = (await rows(house.ledger, "select max(size) from ledger.checkpoint"))[0][0]
    await case.sequenced(house.ledger)
    with house.store.open(batch_key("test.example/ledger", first)) as opened_:
        batch = BatchReader(opened_.read)
        entries, _, _ = list(batch.entries()), list(batch.tiles()), list(batch.rows())
        found = list(batch.beside())
        batch.end()
    assert [(one.members["what"], len(one.entries)) for one in found] == [
        ("key", 1),
        ("signature", 3),
        ("signature", 3),
    ]
    for one in found[1:]:
        for place in one.entries:
            assert str(one.members["spki"]) and b'"means":"passkey"' in entries[place - first]
    assert SITE.rp_id == one.members["rp_id"]
