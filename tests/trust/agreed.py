"""Hand-overs agreed on two phones without a network, as a package holds them (docs/spec/agreement.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from casemgmt.trust.canonical import canonical_json
from tests.trust.factory import Draft
from tests.trust.people import PinPerson

ID = "7b1f0a52-5d0c-4f0e-9a53-4b8a8f0f3c11"
AT, AT_UTC = "2027-02-03T10:04:05+06:00", "2027-02-03T04:04:05.000Z"
SEAL = "АВ 00451879"  # typed in Cyrillic; the register has it in Latin
ON_RECORD = "AB-00451879"

Change = Mapping[str, Any]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def record_of(person: PinPerson, kind: str, item: Mapping[str, Any], **more: Any) -> bytes:
    by = {"badge": person.actor["badge"], "login": person.login, "name": person.name}
    return canonical_json({
        "v": 1, "type": f"handover-{kind}", "id": ID, "at": AT, "by": by, "device": person.device,
        "key": person.key.fingerprint, "items": [dict(item)], **more,
    })  # fmt: skip


def agree(
    made: Draft, exhibit: str, giver: PinPerson, receiver: PinPerson, *, item: Change | None = None,
    said: Change | None = None, record: Change | None = None,
) -> list[int]:  # fmt: skip
    """Offer and acceptance of one exhibit as entries that repeat two signed records; their indexes.

    Spoilt on the receiver's side: ``item`` and ``record`` change what was signed and what the entry repeats of it,
    ``said`` what the entry says.
    """
    offered = {"exhibit": exhibit, "seal": SEAL, "what": "drugs"}
    offer = record_of(giver, "offer", offered, purpose="storage", place="Post 7")
    taken = {"exhibit": exhibit, "decision": "accepted", "seal": SEAL, "seal_state": "intact", **(item or {})}
    answer = record_of(receiver, "answer", taken, offer=_digest(offer), **(record or {}))
    both = {
        "exhibit": exhibit, "agreement": ID, "handover": "2027-0412-00001-1", "from": giver.actor, "to": receiver.actor,
        "purpose": "storage", "place": {"claimed": "Post 7"}, "device_at": AT_UTC,
        "reason": None, "discrepancy": None, "note": "",
    }  # fmt: skip
    seal = {"giver": ON_RECORD, "receiver": None, "state": "intact"}
    first = {**both, "seal": seal, "agreed": offered, "signature": {**giver.means, "record": _digest(offer)}}
    second = {
        **both, "seal": {**seal, "receiver": ON_RECORD}, "agreed": taken,
        "signature": {**receiver.means, "record": _digest(answer)}, **(said or {}),
    }  # fmt: skip
    places = [
        made.ledger.append(f"exhibit:{exhibit}", "custody:handover:offered", first, actor=giver.actor),
        made.ledger.append(f"exhibit:{exhibit}", "custody:handover:accepted", second, actor=receiver.actor),
    ]
    made.signatures |= {places[0]: giver.agree(offer), places[1]: receiver.agree(answer)}
    made.indexes += places
    return places
