"""A superuser changes what is kept of an agreement. Its signatures and its entries still know better."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from casemgmt.core.clock import utcnow
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.custody import resolving
from casemgmt.custody.resolving import Resolution
from tests.cast import make_world
from tests.custody.agreeing import Border, state
from tests.db import Dsn
from tests.ledger.test_recompute import look
from tests.records import register_seizure

TABLES = ("agreement", "agreement_item", "agreement_bringing", "agreement_outcome", "event", "handover")


@pytest.fixture
async def kept(ledger: Dsn) -> AsyncIterator[asyncpg.Connection[Any]]:
    """One settled, one disputed, one disputed and resolved, one that waits; the walls are switched off."""
    database = Database(ledger.app, ledger.gate)
    await database.open()
    dba = await asyncpg.connect(ledger.dba)
    people = await make_world(dba, database)
    border = Border(database, Codes("salt"), dba)
    exhibit, other = (await register_seizure(database, people.aida, "B-1", "B-2")).exhibits
    start = utcnow() - timedelta(hours=3)
    refused = {"decision": "refused", "reason": "seal_damaged", "seal_state": "damaged", "note": "Wet."}
    first = await border.agree(
        people.aida, people.nurlan, [exhibit, other], at=start, said=[{}, refused], note="Night."
    )
    await border.bring(people.aida, first)
    await border.bring(people.nurlan, first)
    pairs = [
        await border.agree(people.aida, people.marat, [exhibit], at=start + timedelta(minutes=n)) for n in (30, 40)
    ]
    for pair in pairs:
        await border.bring(people.marat, pair)
    disputed = await state(border, people.marat, pairs[1])
    said = Resolution(outcome="record_stands", words="Nurlan has it.")
    await resolving.resolve(database, people.saule.actor, disputed.agreement.id, said)
    await border.bring(people.aida, await border.agree(people.aida, people.nurlan, ["2199-0000-699999-2/9999"]))
    await dba.execute("set session_replication_role = replica")
    for table in TABLES:
        await dba.execute(f"alter table custody.{table} disable trigger all")
    yield dba
    await database.close()
    await dba.close()


async def test_agreements_as_they_were_kept_have_no_fault(ledger: Dsn, kept: asyncpg.Connection[Any]) -> None:
    assert await kept.fetchval("select count(*) from custody.agreement_outcome") >= 4
    assert (await look(ledger)).faults == []


_OF = "(select agreement_id from custody.agreement_outcome where kind = '{}' order by agreement_id desc limit 1)"
_AGREEMENT, _OUTCOME = "update custody.agreement set ", "update custody.agreement_outcome set "
# SETTLED and DISPUTED stand for the last one of each, LAST for the last of all
_CASES = {
    "another purpose in the offer": (
        _AGREEMENT + "offer = convert_to(replace(convert_from(offer, 'UTF8'), 'storage', 'court'), 'UTF8')"
        " where id = SETTLED", "is not what the two people signed"),
    "another signature": (
        _AGREEMENT + "answer_signature = offer_signature where id = DISPUTED", "not by this key"),
    "another key": (_AGREEMENT + "answer_spki = offer_spki where id = DISPUTED", "another key"),
    "other people": (_AGREEMENT + "from_id = to_id, to_id = from_id", "the two people"),
    "an agreement that is gone": (
        "delete from custody.agreement where id = SETTLED", "an agreement that is not there"),
    "an exhibit less": (
        "delete from custody.agreement_item where exhibit like '%/2' and agreement_id = SETTLED", "the exhibits"),
    "a bringing that nobody recorded": (
        "insert into custody.agreement_bringing select max(id), max(to_id) from custody.agreement where id = LAST",
        "who brought it"),
    "a bringing that is gone": (
        "delete from custody.agreement_bringing where agreement_id = SETTLED", "who brought it"),
    "a dispute that is gone": (
        "delete from custody.agreement_outcome where kind = 'disputed' and agreement_id = DISPUTED", "the dispute"),
    "a dispute about something else": (
        _OUTCOME + """why = '[{"code": "late", "exhibit": null}]' where kind = 'disputed'""", "the dispute"),
    "a resolution in other words": (_OUTCOME + "words = 'All is well.' where kind = 'resolved'", "its end"),
    "a hand-over that nobody agreed": (
        "update custody.event set agreement_id = null where kind = 'accepted' and agreement_id is not null",
        "agreement is"),
    "an event of another agreement": (
        "update custody.event set agreement_id = DISPUTED where kind = 'offered' and agreement_id is not null",
        "was agreed without a network"),
    "a dispute taken off an exhibit": ("delete from custody.event where kind = 'disputed'", "missing in custody"),
    "a resolution by another": ("update custody.event set actor_id = actor_id + 1 where kind = 'resolved'", "actor is"),
}  # fmt: skip


@pytest.mark.parametrize("case", _CASES)
async def test_what_a_superuser_changes_is_found(ledger: Dsn, kept: asyncpg.Connection[Any], case: str) -> None:
    sql, words = _CASES[case]
    sql = sql.replace("LAST", "(select max(id) from custody.agreement)")
    for kind in ("settled", "disputed"):
        sql = sql.replace(kind.upper(), _OF.replace("{}", kind))
    transaction = kept.transaction()
    await transaction.start()
    done = await kept.execute(sql)
    assert not done.endswith(" 0"), "the case changes something"
    await transaction.commit()
    faults = (await look(ledger)).faults
    assert any(words in fault for fault in faults), faults
