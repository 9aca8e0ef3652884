"""The pages of a hand-over, without JavaScript, and the same through JSON."""

from __future__ import annotations

import re
import uuid

from litestar import Litestar

from tests.cast import World
from tests.custody.conftest import Desk
from tests.records import Registered


def codes_of(app: Litestar, made: Registered) -> list[str]:
    return [app.state.codes.encode("exhibit", e.id) for e in made.exhibits]


def hidden(html: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input type=\"hidden\"[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            found[name.group(1)] = value.group(1)
    return found


async def offered(app: Litestar, world: World, made: Registered, browser, **more: str) -> str:
    """Aida offers the first two exhibits to Nurlan on the page; the address of the hand-over."""
    one, two, _ = codes_of(app, made)
    async with browser(world.aida) as aida:
        form = await aida.get(f"/hand-overs/new?exhibit={one}&exhibit={two}")
        assert form.status_code == 200, form.text
        fields = hidden(form.text) | {"exhibits-0-seal": "B-1001", "exhibits-1-seal": "B-1002"}
        fields |= {"to": app.state.codes.encode("person", world.nurlan.id), "purpose": "storage", **more}
        answer = await aida.submit("/hand-overs", fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_the_giver_ticks_what_they_hold_and_offers_it(app, world, made, browser):
    async with browser(world.aida) as aida:
        choose = await aida.get("/hand-overs/new")
        assert all(code in choose.text for code in codes_of(app, made))
    address = await offered(app, world, made, browser)
    async with browser(world.aida) as aida:
        shown = await aida.get(address)
        assert "Withdraw the offer" in shown.text
        assert "What number do you read on the seal?" not in shown.text
        assert codes_of(app, made)[0] not in (await aida.get("/hand-overs/new")).text
    async with browser(world.nurlan) as nurlan:
        assert address in (await nurlan.get("/hand-overs")).text


async def test_nothing_is_chosen_before_the_receiver_looks(app, world, made, browser):
    address = await offered(app, world, made, browser)
    async with browser(world.nurlan) as nurlan:
        shown = (await nurlan.get(address)).text
    assert "What number do you read on the seal?" in shown
    assert " checked" not in shown
    assert "B-1001" not in re.sub(r"Seal seen by the giver.*|data-seal=\S+", "", shown)


async def test_a_seal_that_differs_gets_its_form_back_with_words_beside_the_field(app, world, made, browser):
    address = await offered(app, world, made, browser)
    async with browser(world.nurlan) as nurlan:
        fields = hidden((await nurlan.get(address)).text)
        fields |= {"items-0-decision": "accepted", "items-0-seal": "B-1007", "items-0-seal_state": "intact"}
        fields |= {"items-1-decision": "refused"}
        answer = await nurlan.submit(f"{address}/answer", fields)
        assert answer.status_code == 422
        assert 'id="items-0-discrepancy-error"' in answer.text
        assert 'id="items-1-reason-error"' in answer.text
        assert 'value="B-1007"' in answer.text
        fields |= {"items-0-discrepancy": "Another bag.", "items-1-reason": "seal_differs", "items-1-seal": "B-9"}
        done = await nurlan.submit(f"{address}/answer", fields)
        assert done.status_code == 303, done.text
        shown = (await nurlan.get(address)).text
    assert "Another bag." in shown
    assert "Seal number differs" in shown


async def test_a_form_without_a_decision_says_so(app, world, made, browser):
    address = await offered(app, world, made, browser)
    async with browser(world.nurlan) as nurlan:
        fields = hidden((await nurlan.get(address)).text)
        answer = await nurlan.submit(f"{address}/answer", fields)
    assert answer.status_code == 422
    assert 'id="items-0-decision-error"' in answer.text


async def test_the_giver_withdraws_and_the_receivers_answer_is_a_clear_conflict(app, world, made, browser):
    address = await offered(app, world, made, browser)
    async with browser(world.nurlan) as nurlan, browser(world.aida) as aida:
        late = hidden((await nurlan.get(address)).text)
        taken_back = await aida.submit(f"{address}/answer", hidden((await aida.get(address)).text))
        assert taken_back.status_code == 303
        late |= {"items-0-decision": "accepted", "items-0-seal": "B-1001", "items-0-seal_state": "intact"}
        late |= {"items-1-decision": "accepted", "items-1-seal": "B-1002", "items-1-seal_state": "intact"}
        answer = await nurlan.submit(f"{address}/answer", late)
        assert answer.status_code == 409
        assert "answered or withdrawn a moment ago" in answer.text
        assert "Withdrawn" in answer.text


async def test_an_offer_that_does_not_fit_keeps_what_was_typed(app, world, made, browser):
    one = codes_of(app, made)[0]
    async with browser(world.aida) as aida:
        fields = hidden((await aida.get(f"/hand-overs/new?exhibit={one}")).text)
        fields |= {"exhibits-0-seal": "B-7", "purpose": "", "to": "", "place": "Gate 3"}
        answer = await aida.submit("/hand-overs", fields)
        assert answer.status_code == 422
        for piece in ('id="to-error"', 'id="purpose-error"', 'value="B-7"', 'value="Gate 3"', fields["client_id"]):
            assert piece in answer.text
        for broken in ({}, {"exhibits-0-exhibit": "nonsense"}, {"exhibits-0-seq": "x"}):
            assert (await aida.submit("/hand-overs", broken)).status_code in (404, 422)


async def test_the_receipt_carries_the_number_both_times_and_every_exhibit(app, world, made, browser, desk: Desk):
    handover = await desk.offer(world.aida, world.nurlan, made.exhibits[:2])
    refusal = desk.refuse(made.exhibits[1], "other", note="Wet box.", seal="B-9")
    await desk.answer(world.nurlan, handover, desk.accept(made.exhibits[0]), refusal)
    code = app.state.codes.encode("handover", handover)
    texts = []
    for member in (world.aida, world.nurlan):
        async with browser(member) as client:
            texts.append((await client.get(f"/hand-overs/{code}/receipt")).text)
            picture = await client.get(f"/hand-overs/{code}/qr.svg")
            assert picture.headers["content-type"].startswith("image/svg+xml")
    number = (await desk.full(world.aida, handover)).handover.number
    for text in texts:
        for piece in (number, "Aida Asanova", "Nurlan Satybaldiev", "B-1001", "B-9", "Wet box.", "Accepted", "Refused"):
            assert piece in text
        assert 'class="signatures"' in text


async def test_who_has_no_part_in_it_finds_nothing(app, world, made, browser, api):
    address = await offered(app, world, made, browser)
    for stranger in (world.oleg, world.admin, world.timur, world.dinara):
        async with browser(stranger) as client:
            for path in (address, f"{address}/receipt", f"{address}/qr.svg"):
                assert (await client.get(path)).status_code == 404
            assert (await client.submit(f"{address}/answer", {"items-0-exhibit": "x"})).status_code in (404, 422)
            assert address not in (await client.get("/hand-overs?list=received")).text
        async with api(stranger) as client:
            assert (await client.get(f"/api/v1{address}")).status_code == 404


async def test_the_same_through_json(app, world, made, api):
    codes = app.state.codes
    item = {
        "exhibit": codes.encode("exhibit", made.exhibits[0].id), "seq": 1,
        "prev": made.exhibits[0].last_hash.hex(), "seal": "B-1001",
    }  # fmt: skip
    body: dict[str, object] = {
        "client_id": str(uuid.uuid4()), "to": codes.encode("person", world.nurlan.id), "purpose": "storage",
        "exhibits": [item], "device_time": "2026-11-21T03:12:00+06:00",
    }  # fmt: skip
    async with api(world.aida) as aida, api(world.nurlan) as nurlan:
        made_ = await aida.post("/api/v1/hand-overs", json=body)
        assert made_.status_code == 201, made_.text
        told = made_.json()
        assert (await aida.post("/api/v1/hand-overs", json=body)).json()["id"] == told["id"]
        waiting = (await nurlan.get("/api/v1/hand-overs?state=waiting")).json()
        assert [h["id"] for h in waiting["handovers"]] == [told["id"]]
        decision = {"exhibit": item["exhibit"], "decision": "accepted", "seal": "B-7", "seal_state": "intact"}
        answer = {"items": [decision]}
        refused = await nurlan.post(f"/api/v1/hand-overs/{told['id']}/answer", json=answer)
        assert refused.status_code == 422
        assert "items.0.discrepancy" in refused.json()["errors"]
        decision["discrepancy"] = "Another bag."
        done = await nurlan.post(f"/api/v1/hand-overs/{told['id']}/answer", json=answer)
        assert done.json()["state"] == "accepted"
        assert done.json()["exhibits"][0]["seal_seen_by_receiver"] == "B-7"
        again = await nurlan.post(f"/api/v1/hand-overs/{told['id']}/answer", json=answer)
        assert again.status_code == 409
        assert again.json()["type"] == "urn:casemgmt:problem:conflict"
        assert (await nurlan.get("/api/v1/hand-overs?state=waiting")).json()["handovers"] == []


async def test_bad_json_is_answered_in_words_and_never_with_a_500(world, api):
    async with api(world.aida) as aida:
        bodies: list[object] = [
            {},
            {"exhibits": []},
            {"exhibits": "x"},
            {"client_id": "x", "exhibits": [{"seq": "1"}]},
            [],
        ]
        for body in bodies:
            answer = await aida.post("/api/v1/hand-overs", json=body)
            assert answer.status_code == 422, answer.text
        assert (await aida.get("/api/v1/hand-overs/zzzz")).status_code == 404
        assert (await aida.get("/api/v1/hand-overs?before=zzzz")).status_code == 404


async def test_who_is_offered_an_exhibit_may_photograph_it_before_answering(app, world, made, api, desk: Desk):
    handover = await desk.offer(world.aida, world.elena, made.exhibits[:1], purpose="examination")
    url = f"/api/v1/exhibits/{codes_of(app, made)[0]}/files"
    picture = b"\xff\xd8\xff\xe0 a torn seal"
    async with api(world.elena) as elena:
        assert (await elena.put(f"{url}/{uuid.uuid4()}", content=picture)).status_code == 201
        await desk.answer(world.elena, handover, desk.refuse(made.exhibits[0], "seal_damaged"))
        assert (await elena.put(f"{url}/{uuid.uuid4()}", content=picture)).status_code == 404
