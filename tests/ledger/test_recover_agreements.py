"""What two phones agreed after the backup was made comes back: as it was signed, with what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.custody import resolving
from casemgmt.custody.resolving import Resolution
from casemgmt.ledger import beside
from tests.custody.agreeing import Border, state
from tests.db import Dsn
from tests.ledger.test_recompute import look
from tests.ledger.test_recover import House, house, rows
from tests.ledger.test_recover_signatures import SIGNED, Case, case, opened
from tests.records import register_seizure

__all__ = ["case", "house"]

KEPT = {
    "agreement": """
select client_id, offer, offer_signature, offer_spki, answer, answer_signature, answer_spki, from_id, to_id, from_unit,
       from_agency, to_unit, to_agency, offered_at, answered_at, created_at from custody.agreement order by offer""",
    "item": """
select a.client_id, x.exhibit, x.decision from custody.agreement_item x
  join custody.agreement a on a.id = x.agreement_id order by 1, 2""",
    "bringing": """
select a.client_id, x.person_id, x.at from custody.agreement_bringing x
  join custody.agreement a on a.id = x.agreement_id order by 1, 2""",
    "outcome": """
select a.client_id, x.kind, x.at, h.number, x.why, x.person_id, x.outcome, x.words from custody.agreement_outcome x
  join custody.agreement a on a.id = x.agreement_id left join custody.handover h on h.id = x.handover_id
 order by 1, 2""",
    "waiting": """
select a.client_id from custody.agreement_waiting x join custody.agreement a on a.id = x.agreement_id order by 1""",
    "event": """
select e.number, x.seq, x.kind, x.actor_id, h.number, x.from_id, x.to_id, x.seal_no, x.seal_state, x.reason,
       x.discrepancy, x.note, x.device_at, x.hash, x.prev, a.client_id
  from custody.event x join exhibits.exhibit e on e.id = x.exhibit_id
  left join custody.handover h on h.id = x.handover_id left join custody.agreement a on a.id = x.agreement_id
 order by 1, 2""",
    "handover": """
select x.client_id, x.number, x.from_id, x.to_id, x.purpose, x.place, x.note, x.device_at, a.client_id
  from custody.handover x left join custody.agreement a on a.id = x.agreement_id order by 2""",
    "exhibit": """
select number, holder_id, offered_to, status, seal_no, seal_state, last_seq, last_hash
  from exhibits.exhibit order by 1""",
    "signature": SIGNED,
}


async def agreed(case: Case, dsn: Dsn) -> Any:
    """One settled, one disputed, one disputed and resolved, one that waits for an exhibit nobody registered."""
    dba = await asyncpg.connect(dsn.dba)
    async with opened(dsn) as database:
        people, (exhibit, other) = case.people, case.made.exhibits[:2]
        border = Border(database, Codes("salt"), dba)
        start = utcnow() - timedelta(hours=3)
        refused = {"decision": "refused", "reason": "seal_damaged", "seal_state": "damaged", "note": "Wet."}
        first = await border.agree(
            people.aida, people.nurlan, [exhibit, other], at=start, said=[{}, refused], note="Night."
        )
        await border.bring(people.aida, first)
        await border.bring(people.nurlan, first)
        again = [
            await border.agree(people.aida, people.marat, [exhibit], at=start + timedelta(minutes=n)) for n in (30, 40)
        ]
        for pair in again:
            await border.bring(people.marat, pair)
        disputed = await state(border, people.marat, again[1])
        said = Resolution(outcome="record_stands", words="Nurlan has it.")
        await resolving.resolve(database, people.saule.actor, disputed.agreement.id, said)
        await border.bring(people.aida, await border.agree(people.aida, people.nurlan, ["2199-0000-699999-2/9999"]))
    await dba.close()


async def test_agreements_newer_than_the_backup_come_back_with_what_became_of_them(case: Case, house: House) -> None:
    old = await house.backup()
    await agreed(case, house.ledger)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert (done.numbers, done.behind) == ({}, {})
    for what, query in KEPT.items():
        assert await rows(old, query) == await rows(house.ledger, query), what
    counts = await rows(old, "select kind, count(*) from custody.agreement_outcome group by 1 order by 1")
    assert counts == [("disputed", 2), ("resolved", 1), ("settled", 1)]
    for dsn in (old, house.ledger):
        assert (await look(dsn, store=house.store)).faults == []
    assert (await house.recover(old)).numbers == {}, "a second time there is nothing to do"


async def test_an_agreement_that_did_not_come_back_is_named(
    case: Case, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from objects that were written before agreements were kept there."""
    monkeypatch.setattr(beside, "may_have", lambda _: False)
    old = await house.backup()
    await agreed(case, house.ledger)
    await case.sequenced(house.ledger)
    done = await house.recover(old)
    assert len(done.numbers["agreement"]) >= 4
    assert await rows(old, "select count(*) from custody.agreement") == [(0,)]


async def test_verifying_sees_an_agreement_that_is_not_as_it_was_stored(case: Case, house: House) -> None:
    await agreed(case, house.ledger)
    await case.sequenced(house.ledger)
    connection = await asyncpg.connect(house.ledger.dba)
    await connection.execute("alter table custody.agreement disable trigger all")
    await connection.execute("update custody.agreement set to_unit = null, to_agency = null")
    await connection.close()
    found = await look(house.ledger, store=house.store)
    assert any("the agreement of" in one and "another one than was stored" in one for one in found.faults)


async def test_a_seizure_of_the_same_house_is_untouched_by_it(case: Case, house: House) -> None:
    old = await house.backup()
    await agreed(case, house.ledger)
    await case.sequenced(house.ledger)
    await house.recover(old)
    async with opened(old) as database:
        made = await register_seizure(database, case.people.aida, "B-9")
    assert made.exhibits[0].holder_id == case.people.aida.id
