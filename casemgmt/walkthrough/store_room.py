"""Act 2: two exhibits are handed over; one is accepted, one refused."""

from __future__ import annotations

import uuid

from casemgmt.walkthrough.border import remember
from casemgmt.walkthrough.stage import OTHER_SEAL, Stage


def hand_over(stage: Stage) -> None:
    """Custody is two-sided: until the custodian accepts, the officer holds it."""
    stage.transcript.heading("2. The evidence store")
    aida, nurlan = stage.enter("aida"), stage.enter("nurlan")
    code = stage.things["seizure"]["id"]
    stage.expect(nurlan.api("GET", f"/seizures/{code}"), 404, "before anything is offered the custodian sees nothing")
    people = stage.expect(aida.api("GET", "/people?kind=custodian"), 200, "Aida looks up who may receive")
    custodian = next(person for person in people if person["name"] == nurlan.name)
    offer = {
        "client_id": str(uuid.uuid4()),
        "to": custodian["id"],
        "purpose": "storage",
        "exhibits": [
            {"exhibit": e["id"], "seq": e["custody"]["seq"], "prev": e["custody"]["hash"], "seal": e["seal"]}
            for e in stage.things["exhibits"]
        ],
    }
    handover = stage.expect(aida.api("POST", "/hand-overs", offer), 201, "Aida offers both exhibits to the custodian")
    stage.things["handover"] = handover
    remember(stage, aida, "seizure", code)
    holders = {exhibit["holder_id"] for exhibit in stage.things["exhibits"]}
    giver = stage.things["seizure"]["registered_by"]
    stage.transcript.check(holders == {giver}, "both exhibits are offered, and Aida still holds them")
    _answer(stage)


def _answer(stage: Stage) -> None:
    aida, nurlan = stage.enter("aida"), stage.enter("nurlan")
    first, second = stage.things["exhibits"]
    path = f"/hand-overs/{stage.things['handover']['id']}"
    take = {"exhibit": first["id"], "decision": "accepted", "seal": OTHER_SEAL, "seal_state": "intact"}
    answer = nurlan.api("POST", f"{path}/answer", {"items": [take]})
    stage.expect(answer, 422, "accepting a seal number that differs is refused without a word about the discrepancy")
    items = [
        {**take, "seal": first["seal"]},
        {
            "exhibit": second["id"], "decision": "refused", "reason": "seal_differs", "seal": "A7654322",
            "seal_state": "intact", "note": "The number on the seal is A7654322",
        },
    ]  # fmt: skip
    answer = nurlan.api("POST", f"{path}/answer", {"items": items})
    stage.expect(answer, 200, "Nurlan accepts one exhibit and refuses the other: its seal number differs")
    stage.expect(nurlan.api("POST", f"{path}/answer", {"items": items}), 409, "the same answer again is a conflict")
    remember(stage, aida, "seizure", stage.things["seizure"]["id"])
    first, second = stage.things["exhibits"]
    stage.transcript.check(first["holder_id"] != second["holder_id"], "Nurlan holds one, Aida still holds the other")
    stage.transcript.check(first["status"] == "in_storage", "the accepted exhibit is in storage")
    receipt = [visitor.page(f"{path}/receipt").data.decode() for visitor in (aida, nurlan)]
    number = stage.things["handover"]["number"]
    stage.transcript.check(all(number in text for text in receipt), "both print a receipt with the same number")
