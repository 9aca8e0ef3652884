"""Writes docs/spec/vectors/pin.json: ``python -m tests.trust.pin_vectors``. Keys and signatures are always the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.encoding import to_base64
from casemgmt.trust.passkey import CONTEXT as PASSKEY_CONTEXT
from casemgmt.trust.passkey import statement
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.pin import CONTEXT, PinSignature
from tests.trust.agreed import agree
from tests.trust.factory import draft
from tests.trust.people import BOLOT, CHOLPON

FILE = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "pin.json"
EXHIBIT = "2026-0412-00137-9/1"


@dataclass(frozen=True)
class Case:
    """An entry and what is kept of its signature."""

    name: str
    event: bytes
    made: PersonalSignature
    words: str = ""

    @property
    def record(self) -> bytes | None:
        assert isinstance(self.made.made, PinSignature)
        return self.made.made.record

    def written(self) -> dict[str, Any]:
        said = {
            "name": self.name, "event": self.event.decode(), "statement": self.made.statement.decode(),
            "signature": to_base64(self.made.made.signature), "spki": to_base64(self.made.key.spki),
        }  # fmt: skip
        if self.record is not None:
            said["record"] = self.record.decode()
        return said | ({"words": self.words} if self.words else {})


def body(exhibit: int, **signature: str) -> bytes:
    number = f"2026-0412-00137-9/{exhibit}"
    return canonical_json({
        "v": 1, "type": "custody:handover:offered", "stream": f"exhibit:{number}", "seq": 2, "prev": f"{2:064x}",
        "at": "2026-11-26T01:02:03.004Z", "nonce": f"{exhibit:032x}", "actor": BOLOT.actor,
        "data": {"exhibit": number, "handover": "2026-0412-8-00003-5", "signature": {**BOLOT.means, **signature}},
    })  # fmt: skip


def signed() -> Iterator[Case]:
    one, two = body(1), body(2)
    yield Case("one entry by PIN", one, BOLOT.sign([one]))
    yield Case("the second of two entries by one PIN", two, BOLOT.sign([one, two]))
    package = draft(exhibits=[EXHIBIT])
    offered, accepted = agree(package, EXHIBIT, BOLOT, CHOLPON)
    for name, index in (("an offer", offered), ("an answer", accepted)):
        yield Case(f"agreed on two phones: {name}", package.ledger.bodies[index], package.signatures[index])


def refused() -> Iterator[Case]:
    good, _, offered, accepted = signed()
    bare = BOLOT.means | {"means": "pin"}

    def signature(case: Case, **changes: Any) -> PersonalSignature:
        return replace(case.made, **changes)

    flipped = good.made.made.signature[:-1] + bytes([good.made.made.signature[-1] ^ 1])
    yield Case("one bit of the signature", good.event, signature(good, made=PinSignature(flipped)), "not by this key")
    yield Case("another person's key", good.event, signature(good, key=CHOLPON.key), "another key")
    yield Case("another entry", body(3), good.made, "does not name this entry")
    yield Case(
        "a signature over the statement of a passkey", good.event, BOLOT.sign([good.event], context=PASSKEY_CONTEXT),
        "not by this key",
    )  # fmt: skip
    yield Case("a signature without a context", good.event, BOLOT.sign([good.event], context=b""), "not by this key")
    upper = signature(good, statement=good.made.statement.upper())
    yield Case("a statement in capitals", good.event, upper, "lower-case")
    session = canonical_json({**json.loads(good.event), "data": {"signature": {"means": "session"}}})
    yield Case("an entry that says session", session, BOLOT.sign([session]), "does not say")
    passkey = body(1, means="passkey")
    yield Case("an entry that says passkey", passkey, BOLOT.sign([passkey]), "another kind")
    more = body(1, more="x")
    yield Case("an entry that says more than it may", more, BOLOT.sign([more]), "means")
    named = body(1, record="ab" * 32)
    yield Case("a record that is not there", named, BOLOT.sign([named]), "not here")
    assert bare == BOLOT.means
    assert offered.record is not None and accepted.record is not None
    unsaid = replace(good.made, made=PinSignature(good.made.made.signature, offered.record))
    yield Case("a record that the entry does not name", good.event, unsaid, "does not name")
    yield Case("the record of the other side", offered.event, accepted.made, "another key")
    longer = statement([offered.record, good.event])
    both = PersonalSignature(longer, PinSignature(BOLOT._signed(CONTEXT + longer), offered.record), BOLOT.key)
    yield Case("a statement that names more than the record", offered.event, both, "alone")
    value = json.loads(offered.event)
    value["data"]["agreed"]["seal"] = "AB-1"
    yield Case("an entry that repeats other words", canonical_json(value), offered.made, "words")


def main() -> None:
    said = {
        "source": "keys in software; text is text, signature and spki are base64. The enrolments are Bolot's (person"
        " 9) and Cholpon's (person 10)",
        "context": CONTEXT.decode(),
        "signed": [case.written() for case in signed()],
        "refused": [case.written() for case in refused()],
    }
    FILE.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
