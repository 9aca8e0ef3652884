"""Act 2: two exhibits are handed over; one is accepted, one refused."""

from __future__ import annotations

import uuid
from typing import Any

from casemgmt.demo.cast import PASSWORD
from casemgmt.walkthrough.authenticator import PRESENT, VERIFIED, SoftAuthenticator
from casemgmt.walkthrough.border import remember
from casemgmt.walkthrough.stage import OTHER_SEAL, Stage
from casemgmt.walkthrough.visitor import Answer


def enrol_keys(stage: Stage) -> None:
    """Both people of the hand-over add a key of their own; here it is a device in software."""
    stage.transcript.heading("2. The evidence store")
    for login in ("aida", "nurlan"):
        visitor, device = stage.enter(login), SoftAuthenticator(stage.base)
        wrong = visitor.api("POST", "/keys/enrolments", {"password": "not the password"})
        stage.expect(wrong, 422, f"{visitor.name} adds no key without the password")
        begun = visitor.api("POST", "/keys/enrolments", {"password": PASSWORD})
        options = stage.expect(begun, 201, f"{visitor.name} gives the password")["options"]
        made = visitor.api("POST", "/keys", {"name": "phone", "credential": device.create(options)})
        key = stage.expect(
            made, 201, f"{visitor.name}'s device makes a key, and its enrolment is an entry of the ledger"
        )
        stage.keys[login] = (key["id"], device)


def signed(stage: Stage, login: str, path: str, body: dict[str, Any], words: str) -> Any:
    """Prepare, sign on the person's own device, and send; the hand-over."""
    visitor, (key, device) = stage.enter(login), stage.keys[login]
    prepared = visitor.api("POST", f"{path}/signature-requests", {**body, "sign_with": key})
    waiting = stage.expect(prepared, 201, f"{visitor.name} is shown what will be signed, and nothing is recorded yet")
    address = f"/signature-requests/{waiting['request']}/signature"
    device.flags = PRESENT
    unverified: Answer = visitor.api("POST", address, {"credential": device.get(waiting["options"])})
    stage.expect(unverified, 422, "a signature is refused whose device did not check who holds it")
    device.flags = PRESENT | VERIFIED
    return stage.expect(visitor.api("POST", address, {"credential": device.get(waiting["options"])}), 201, words)


def hand_over(stage: Stage) -> None:
    """Custody is two-sided: until the custodian accepts, the officer holds it."""
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
    handover = signed(
        stage, "aida", "/hand-overs", offer, "Aida offers both exhibits to the custodian, signed with her key"
    )
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
    words = "Nurlan accepts one exhibit and refuses the other, signed with his key: its seal number differs"
    made = signed(stage, "nurlan", f"{path}/answer", {"items": items}, words)
    means = {line[half]["means"] for line in made["exhibits"] for half in ("offer_signed", "answer_signed")}
    stage.transcript.check(means == {"passkey"}, "every event of the hand-over says that it is signed with a key")
    stage.expect(nurlan.api("POST", f"{path}/answer", {"items": items}), 409, "the same answer again is a conflict")
    remember(stage, aida, "seizure", stage.things["seizure"]["id"])
    first, second = stage.things["exhibits"]
    stage.transcript.check(first["holder_id"] != second["holder_id"], "Nurlan holds one, Aida still holds the other")
    stage.transcript.check(first["status"] == "in_storage", "the accepted exhibit is in storage")
    receipt = [visitor.page(f"{path}/receipt").data.decode() for visitor in (aida, nurlan)]
    number = stage.things["handover"]["number"]
    stage.transcript.check(all(number in text for text in receipt), "both print a receipt with the same number")
