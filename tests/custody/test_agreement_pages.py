"""What people see of an agreement without a network: the two, those who watch over them, and nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from casemgmt.core.clock import utcnow
from tests.custody.agreeing import Border, Pair, state
from tests.records import register_seizure


@pytest.fixture
def border(app, db_dba) -> Border:
    return Border(app.state.database, app.state.codes, db_dba)


@pytest.fixture
async def disputed(border, world, database):
    """Aida gave the exhibit to Nurlan, and half an hour later to Marat of the investigators as well."""
    (exhibit,) = (await register_seizure(database, world.aida, "P-1")).exhibits
    start = utcnow() - timedelta(hours=2)
    first = await border.agree(world.aida, world.nurlan, [exhibit], at=start)
    second = await border.agree(
        world.aida, world.marat, [exhibit], at=start + timedelta(minutes=30), note="by the road"
    )
    await border.bring(world.aida, first)
    await border.bring(world.marat, second)
    return exhibit, first, second


async def address(border: Border, who, pair: Pair) -> str:
    found = await state(border, who, pair)
    return f"/agreements/{border.codes.encode('agreement', found.agreement.id)}"


async def test_a_dispute_stands_on_the_exhibit_on_both_shifts_in_the_list_and_before_the_auditor(
    border, world, browser, disputed
):
    exhibit, _, second = disputed
    code = border.codes.encode("exhibit", exhibit.id)
    where = await address(border, world.aida, second)
    for who in (world.aida, world.marat, world.saule, world.askar):
        client = browser(who)
        for page in ("/", "/hand-overs", "/agreements"):
            answer = await client.get(page)
            assert where in answer.text and "Disputed" in answer.text, (who.name, page)
    page = (await browser(world.aida).get(f"/exhibits/{code}")).text
    assert "Custody is disputed" in page and "nobody has resolved it" in page
    assert "agreed otherwise" in page and "recomputed from the ledger" not in page
    for who in (world.timur, world.oleg, world.nurlan):
        client = browser(who)
        assert (await client.get(where)).status_code == 404
        assert where not in (await client.get("/")).text
    # the investigator of another unit who holds it on record sees on the exhibit that it is disputed
    held = (await browser(world.nurlan).get(f"/exhibits/{code}")).text
    assert "nobody has resolved it" in held and where not in held


async def test_only_a_supervisor_of_one_of_the_two_units_resolves_in_words_and_a_remark_stays(
    border, world, browser, disputed, db_dba
):
    exhibit, _, second = disputed
    where = await address(border, world.aida, second)
    said = {"outcome": "record_stands", "words": "Marat looked at it and left it with Nurlan."}
    for who, status in ((world.aida, 403), (world.marat, 403), (world.askar, 403), (world.timur, 404)):
        assert (await browser(who).submit(f"{where}/resolution", said)).status_code == status
    saule = browser(world.saule)
    empty = await saule.submit(f"{where}/resolution", {"outcome": "", "words": " "})
    assert empty.status_code == 422 and "Choose what became of it." in empty.text
    done = await saule.submit(f"{where}/resolution", said)
    assert (done.status_code, done.headers["location"]) == (303, where)
    page = (await saule.get(where)).text
    assert "Dispute resolved" in page and said["words"] in page and world.saule.name in page
    again = await saule.submit(f"{where}/resolution", said)
    assert again.status_code == 409
    kinds = "select kind, actor_id, holder_id from custody.event c join exhibits.exhibit e on e.id = c.exhibit_id"
    rows = await db_dba.fetch(f"{kinds} where c.exhibit_id = $1 order by c.seq desc limit 2", exhibit.id)
    assert [(r["kind"], r["actor_id"]) for r in rows] == [("resolved", world.saule.id), ("disputed", 0)]
    assert rows[0]["holder_id"] == world.nurlan.id
    code = border.codes.encode("exhibit", exhibit.id)
    exhibit_page = (await browser(world.aida).get(f"/exhibits/{code}")).text
    assert "1 dispute about it was resolved by a supervisor." in exhibit_page
    assert "Custody is disputed" not in exhibit_page
    assert where not in (await browser(world.aida).get("/")).text


async def test_the_hand_over_and_its_receipt_say_that_it_was_agreed_without_a_network(border, world, browser, disputed):
    _, first, _ = disputed
    found = await state(border, world.nurlan, first)
    where = f"/hand-overs/{border.codes.encode('handover', found.handover_id)}"
    client = browser(world.nurlan)
    page = (await client.get(where)).text
    assert "Agreed without a network, signed by PIN" in page and found.number in page
    assert "Time claimed by the device" in page and await address(border, world.nurlan, first) in page
    assert "Without a network: both people signed it by PIN" in (await client.get(f"{where}/receipt")).text


async def test_both_records_can_be_taken_away_and_checked(border, world, browser, disputed):
    _, first, _ = disputed
    where, client = await address(border, world.nurlan, first), browser(world.nurlan)
    assert (await client.get(f"{where}/files/offer-record.json")).content == first.offer.body
    assert (await client.get(f"{where}/files/answer-sig.der")).content == first.answer.signature
    assert (await client.get(f"{where}/files/answer-statement.txt")).text == f"{first.answer.sha256}\n"
    assert b"BEGIN PUBLIC KEY" in (await client.get(f"{where}/files/offer-pub.pem")).content
    for name in ("record.json", "offer-", "offer-secret", "..-record.json"):
        assert (await client.get(f"{where}/files/{name}")).status_code == 404
