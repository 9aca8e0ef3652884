"""Writes docs/spec/vectors/agreement.json: ``python -m tests.trust.agreement_vectors``.

ECDSA signs the same thing differently every time, so this is run when the format changes and not otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rfc8785

from casemgmt.trust.agreement import SEAL_STATES
from casemgmt.trust.passkey import to_base64url as b64u
from tests.trust.phones import Phone, SignedRecord, offer_of, qr_lines

FILE = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "agreement.json"
AIDA = Phone("aida", "Аида Асанова", "04412", device="0f3c6d1e-5a77-4a0e-8a51-6f0f1d9f0b11")
NURLAN = Phone("nurlan", "Nurlan Satybaldiev", "03977", device="91d7a2c4-1f0b-4c53-9a53-0a5f2cf3c7d2")
IDS = {"aida": 17, "nurlan": 18}
ID = "7b1f0a52-3d7e-4f0c-9a4b-2f6f5f1f9c01"
NUMBER = "2026-0412-00137-9"
HANDOVER = "2026-0412-8-00003-5"

OFFERED = [
    {"exhibit": f"{NUMBER}/1", "what": "DRUG", "seal": "А-1234567"},
    {"exhibit": f"{NUMBER}/2", "what": "CASH", "after": "c0ffee00-3d7e-4f0c-9a4b-2f6f5f1f9c01"},
]
ANSWERED: list[dict[str, Any]] = [
    {"exhibit": f"{NUMBER}/1", "decision": "accepted", "seal": "A1234567", "seal_state": "damaged",
     "discrepancy": "Corner torn, \u00ab}\u00bb\n{inside} is whole.", "photos": ["ab" * 32]},
    {"exhibit": f"{NUMBER}/2", "decision": "refused", "reason": "item_differs", "note": "10 notes, not 12"},
]  # fmt: skip


def offer(**more: Any) -> SignedRecord:
    said = {"at": "2026-11-26T03:20:15+06:00", "agreement": ID, "place": "Post 7, жол", "note": "by torchlight"}
    return AIDA.offer(**({"items": OFFERED} | said | more))


def answer(to: SignedRecord, **more: Any) -> SignedRecord:
    return NURLAN.answer(to, **({"items": ANSWERED, "at": "2026-11-26T03:24:59.5+06:00"} | more))


def entry(half: str, record: SignedRecord, place: int, **changed: Any) -> dict[str, Any]:
    """An entry as the server makes it of this record; ``changed`` replaces members of its data."""
    said = offer_of(record)
    item, who = said["items"][place], AIDA if half == "offer" else NURLAN
    people = {p.login: {"id": IDS[p.login], "name": p.name, "badge": p.badge} for p in (AIDA, NURLAN)}
    given = "A1234567" if place == 0 else None
    kind = "offered" if half == "offer" else item["decision"]
    data = {
        "exhibit": item["exhibit"], "handover": HANDOVER, "from": people["aida"], "to": people["nurlan"],
        "purpose": "storage", "agreement": ID, "agreed": item, "note": said.get("note", item.get("note", "")),
        "place": {"claimed": "Post 7, жол", "latitude": None, "longitude": None, "accuracy_m": None},
        "signature": {"means": "pin", "key": who.key.fingerprint, "record": record.sha256},
        "seal": {"giver": given, "receiver": given if half == "answer" else None,
                 "state": item.get("seal_state", "intact" if given and half == "offer" else None)},
        "reason": item.get("reason"), "discrepancy": item.get("discrepancy"),
        "device_at": "2026-11-25T21:20:15.000Z" if half == "offer" else "2026-11-25T21:24:59.500Z",
    }  # fmt: skip
    return {
        "v": 1, "type": f"custody:handover:{kind}", "stream": f"exhibit:{item['exhibit']}",
        "seq": 2 if half == "offer" else 3, "prev": "00" * 32, "at": "2026-11-26T05:00:00.000Z",
        "nonce": "00" * 16, "actor": people[who.login], "data": data | changed,
    }  # fmt: skip


def case(name: str, first: SignedRecord, second: SignedRecord, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        **{
            half: {"record": r.body.decode(), "sha256": r.sha256, "signature": b64u(r.signature), "spki": b64u(r.spki)}
            for half, r in (("offer", first), ("answer", second))
        },
        **more,
    }


def refused() -> Iterator[dict[str, Any]]:
    """Named bad cases: what is said of each begins where the format is broken."""
    one = offer()
    two = answer(one)
    no_seal = [OFFERED[0] | {"seal": ""}, OFFERED[1]]

    def bad(words: str, name: str, first: SignedRecord = one, second: SignedRecord = two) -> dict[str, Any]:
        return case(name, first, second, words=words)

    def offered(words: str, name: str, **more: Any) -> dict[str, Any]:
        return bad(words, name, offer(**more))

    def answered(words: str, name: str, **more: Any) -> dict[str, Any]:
        return bad(words, name, one, answer(one, **more))

    def item(words: str, name: str, place: int = 0, **more: Any) -> dict[str, Any]:
        items = [dict(i) for i in ANSWERED]
        items[place] = {k: v for k, v in (items[place] | more).items() if v is not None}
        return answered(words, name, items=items)

    spaced = AIDA.sign(one.body.replace(b'"v":1', b'"v": 1'))
    yield bad("canonical", "a space in the offer", spaced, answer(spaced))
    unordered = json.dumps(offer_of(one), ensure_ascii=False, separators=(",", ":")).replace('"v":1', '"v":1,"a":1')
    yield bad("canonical", "members in another order", AIDA.sign(unordered.encode()))
    yield bad("same name twice", "a member twice", AIDA.sign(one.body.replace(b'"v":1', b'"v":1,"v":1')))
    yield offered("version 1", "a later version", v=2)
    yield bad("no handover-offer", "an answer in place of the offer", two)
    yield bad("no handover-answer", "an offer in place of the answer", one, one)
    yield offered("does not belong", "a member of its own", to="nurlan")
    yield offered("lacks 'purpose'", "no purpose", purpose=None)
    yield offered("'purpose'", "a purpose that is no code", purpose="to the store")
    yield offered("'place'", "an empty place", place="")
    yield offered("control character", "a line end in the place", place="a\nb")
    yield offered("'seal'", "an empty seal", items=no_seal)
    yield offered("twice", "an exhibit twice", items=[OFFERED[0], OFFERED[0]])
    yield offered("1 to 50", "no exhibit", items=[])
    yield offered("'exhibit'", "an exhibit that is no number", items=[OFFERED[0] | {"exhibit": "1"}])
    yield offered("'at'", "a time without an offset", at="2026-11-26T03:20:15")
    yield offered("not a time", "a day that is none", at="2026-02-30T03:20:15Z")
    yield offered("no place on Earth", "an offset that no place has", at="2026-11-26T03:20:15+15:00")
    yield offered("'id'", "an id in capitals", agreement=ID.upper())
    yield offered("who made it", "nobody", by="aida")
    yield offered("'name'", "somebody without a name", by={"badge": "1", "login": "aida", "name": ""})
    long = [{"exhibit": f"{NUMBER}/{n}", "what": "other", "seal": "\U00010348" * 60} for n in range(1, 51)]
    yield offered("16384", "too long a record", items=long, note="Ж" * 1000)
    yield item("accepted or refused", "neither accepted nor refused", decision="kept")
    yield item("says why", "a refusal without a reason", 1, reason=None)
    yield item("says why", "an acceptance with a reason to refuse", reason="other")
    yield item("intact, damaged or missing", "another state of a seal", seal_state="differs")
    yield item("photographs", "a photograph that is no hash", photos=["ab"])
    yield answered("another offer", "an answer to another offer", offer="00" * 32)
    yield answered("two agreements", "an answer of another agreement", agreement="c0ffee00-3d7e-4f0c-9a4b-2f6f5f1f9c02")
    yield answered("same exhibits", "an exhibit left unanswered", items=ANSWERED[:1])
    yield bad("to themselves", "one person on both sides", one, AIDA.answer(one, ANSWERED, at="2026-11-26T03:24:59Z"))
    borrowed = Phone("nurlan", NURLAN.name, NURLAN.badge, device=NURLAN.device)
    borrowed.__dict__.update(private=AIDA.private, key=AIDA.key)
    yield bad("one key", "two people with one key", one, borrowed.answer(one, ANSWERED, at="2026-11-26T03:24:59Z"))
    yield bad("another key", "signed with a key the record does not name", SignedRecord(
        one.body, one.signature, NURLAN.key.spki))  # fmt: skip
    yield bad("not by this key", "a signature over another record", SignedRecord(
        one.body, AIDA.sign(two.body).signature, one.spki))  # fmt: skip
    flipped = bytearray(one.signature)
    flipped[-1] ^= 1
    yield bad("not by this key", "one bit of the signature", SignedRecord(one.body, bytes(flipped), one.spki))


def contradicted() -> Iterator[dict[str, Any]]:
    """Entries that say something else than their record."""
    one = offer()
    two = answer(one)

    def bad(words: str, name: str, half: str = "answer", place: int = 0, **changed: Any) -> dict[str, Any]:
        record = one if half == "offer" else two
        made = entry(half, record, place)
        made["data"] |= changed.pop("data", {})
        return {"name": name, "words": words, "record": record.body.decode(), "entry": made | changed}

    other = {"id": 99, "name": "Other", "badge": "1"}
    yield bad("this record", "signed by other means", data={"signature": {"means": "session"}})
    yield bad("this record", "another record's hash", data={
        "signature": {"means": "pin", "key": NURLAN.key.fingerprint, "record": one.sha256}})  # fmt: skip
    yield bad("not about the exhibit", "another exhibit", data={"exhibit": f"{NUMBER}/3"})
    yield bad("not about the exhibit", "in another exhibit's stream", stream=f"exhibit:{NUMBER}/2")
    yield bad("says accepted", "a refusal of what was accepted", type="custody:handover:refused")
    yield bad("says offered", "an acceptance of what was offered", half="offer", type="custody:handover:accepted")
    yield bad("agreement", "another agreement", data={"agreement": "c0ffee00-3d7e-4f0c-9a4b-2f6f5f1f9c01"})
    yield bad("words", "the item in other words", data={"agreed": ANSWERED[0] | {"note": "x"}})
    yield bad("time", "another time of the device", data={"device_at": "2026-11-25T21:24:59.000Z"})
    yield bad("person", "another actor", actor=other)
    yield bad("name", "another person, as actor and receiver", actor=other, data={"to": other})
    yield bad("another seal", "another seal", data={"seal": {"giver": None, "receiver": "B1", "state": "damaged"}})
    state = {"giver": "A1234567", "receiver": "A1234567", "state": "intact"}
    yield bad("state of the seal", "a damaged seal called intact", data={"seal": state})
    yield bad("discrepancy", "without what the receiver wrote", data={"discrepancy": None})
    yield bad("purpose", "another purpose", half="offer", data={"purpose": "court"})
    yield bad("place", "another place", half="offer", data={"place": {"claimed": "Post 8"}})
    yield bad("note", "another note", half="offer", data={"note": ""})


def main() -> None:
    one = offer()
    two = answer(one)
    lines = {"offer_lines": qr_lines("O", one), "answer_lines": qr_lines("A", two, part=200)}
    entries = {
        f"{half}_entries": [rfc8785.dumps(entry(half, record, place)).decode() for place in (0, 1)]
        for half, record in (("offer", one), ("answer", two))
    }
    found = {
        "source": "keys in software. Records and entries are text; signature and spki are base64url",
        "context": "evidence-custody-pin-v1\0",
        "seal_states": list(SEAL_STATES),
        "signed": [case("two exhibits, one accepted and one refused", one, two, **lines, **entries)],
        "refused": list(refused()),
        "contradicted": [c | {"entry": rfc8785.dumps(c["entry"]).decode()} for c in contradicted()],
    }
    FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
