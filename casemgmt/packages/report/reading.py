"""From the exact bytes that are sealed to the report's model. Pure.

What the report says of custody is read from the events of the package itself, not from rows beside them: what stands on
the page is what the proofs are about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from casemgmt.packages.report.model import (
    Claim,
    Correction,
    Cosigner,
    Exhibit,
    File,
    Ledger,
    Person,
    Photograph,
    Present,
    Seal,
    Seizure,
    Showing,
    Signed,
    Step,
    Why,
)
from casemgmt.trust.contents import LedgerEvent, PayloadFile
from casemgmt.trust.disputes import disputes
from casemgmt.trust.events import EXHIBIT_STREAM, Event
from casemgmt.trust.policy import NO_QUORUM, Policy
from casemgmt.trust.receipts import DESCRIBED, RECEIVED

REGISTERED = "custody:exhibit:registered"
SEIZURE_STREAM, SEIZED, CORRECTED = "seizure:", "seizures:seizure:registered", "seizures:seizure:corrected"
MOST_PHOTOGRAPHS = 6  # of one exhibit: all of them are in the package, and in the list of files
NAMED = 3  # without a preview
_PICTURES = (".jpg", ".jpeg", ".png", ".heic", ".heif", ".webp", ".tif", ".tiff", ".gif")


@dataclass(frozen=True, slots=True)
class Read:
    """An entry of the package with what it says."""

    entry: LedgerEvent
    event: Event

    @property
    def index(self) -> int:
        return self.entry.proof.index

    @property
    def data(self) -> Mapping[str, Any]:
        return self.event.data


def read(entries: Iterable[LedgerEvent]) -> list[Read]:
    """In the order of the ledger. Raises EventError."""
    return sorted((Read(entry, entry.event) for entry in entries), key=lambda found: found.index)


def exhibits(found: Sequence[Read], files: Sequence[PayloadFile], previews: Mapping[str, bytes]) -> list[Exhibit]:
    """Every exhibit that has a chain here, by number. ``previews`` are JPEGs by path in the package."""
    chains: dict[str, list[Read]] = {}
    for one in found:
        if one.event.stream.startswith(EXHIBIT_STREAM):
            chains.setdefault(one.event.stream.removeprefix(EXHIBIT_STREAM), []).append(one)
    of_exhibit = _files_by_exhibit(found, files)
    devices, said = _devices(found), showings(found)
    return [
        _exhibit(number, sorted(chain, key=lambda c: c.event.seq), of_exhibit.get(number, []), previews, devices, said)
        for number, chain in sorted(chains.items(), key=lambda item: _in_order(item[0]))
    ]


def _in_order(number: str) -> tuple[str, int]:
    seizure, _, last = number.rpartition("/")
    return seizure, int(last) if last.isdecimal() else 0


def _devices(found: Sequence[Read]) -> dict[str, datetime | None]:
    """What the device claimed when a seizure was registered, its exhibits with it; by the seizure's number."""
    return {
        str(one.data["seizure"]): _moment_or_none(one.data["claimed"]["device_at"])
        for one in found
        if one.event.type == SEIZED and one.entry.withheld is None
    }


def _exhibit(
    number: str,
    chain: Sequence[Read],
    files: Sequence[PayloadFile],
    previews: Mapping[str, bytes],
    devices: Mapping[str, datetime | None],
    said: Mapping[str, Showing],
) -> Exhibit:
    told = [one for one in chain if one.entry.withheld is None]
    first = next((one.data for one in told if one.event.type == REGISTERED), {})
    moves = [one for one in told if one.event.type in {REGISTERED, "custody:handover:accepted"}]
    # of an exhibit whose last move is withheld nobody is said to hold it
    last = (
        moves[-1]
        if moves and not any(one.event.seq > moves[-1].event.seq for one in chain if one not in told)
        else None
    )
    pictures = [f for f in files if f.row.path.lower().endswith(_PICTURES) and f.withheld is None]
    photographs = _photographs(pictures, previews, said)
    steps = [_step(one, devices) for one in chain]
    return Exhibit(
        number=number, seizure=str(first.get("seizure", number.rpartition("/")[0])),
        category=str(first.get("category", "")), description=str(first.get("description", "")),
        quantity=_decimal(first.get("quantity")), unit=first.get("unit"), basis=str(first.get("basis", "")),
        seal=_seal(last) if last else Seal(number=None), holder=_holder(last), unbroken=_unbroken(chain), chain=steps,
        disputed=bool(disputes({chain[0].event.stream: [one.event for one in told]}).standing),
        photographs=photographs, more_photographs=len(pictures) - len(photographs),
    )  # fmt: skip


def showings(found: Sequence[Read]) -> dict[str, Showing]:
    """What each file is said to show, by storage key: the last word, and nothing where that is withheld."""
    said: dict[str, Showing] = {}
    for one in found:
        if one.event.type == RECEIVED:
            point = one.data.get("claimed", {}).get("shows")
        elif one.event.type == DESCRIBED:
            point = one.data["shows"]
        else:
            continue
        said.pop(str(one.data["file"]), None)
        if point and one.entry.withheld is None:
            said[str(one.data["file"])] = Showing(
                point=str(point), by=str(one.event.actor["name"]), at=moment(one.event.at)
            )
    return said


def _photographs(
    pictures: Sequence[PayloadFile], previews: Mapping[str, bytes], said: Mapping[str, Showing]
) -> list[Photograph]:
    """Those there is a preview of; where there is none at all, the first ones by name."""
    seen = [file for file in pictures if file.row.path in previews] or pictures[:NAMED]
    return [
        Photograph(
            path=file.row.path, sha256=file.row.sha256, preview=previews.get(file.row.path), shows=said.get(file.key)
        )
        for file in seen[:MOST_PHOTOGRAPHS]
    ]


def _unbroken(chain: Sequence[Read]) -> bool:
    before: str | None = None
    for seq, one in enumerate(chain, 1):
        if (one.event.seq, one.event.prev) != (seq, before):
            return False
        before = one.event.hash.hex()
    return bool(chain)


def _holder(last: Read | None) -> Person:
    if last is None:
        return Person(name="")
    return _person(last.data["holder"] if last.event.type == REGISTERED else last.data["to"])


def _step(one: Read, devices: Mapping[str, datetime | None]) -> Step:
    event, data, kind = one.event, one.data, one.event.type.rpartition(":")[2]
    if one.entry.withheld is not None:
        why = Why(code=one.entry.withheld.code, words=one.entry.withheld.reason)
        return Step(seq=event.seq, kind=kind, at=None, withheld=why, index=one.index, sha256=event.hash.hex())
    signature = data.get("signature") or {}
    device = (
        devices.get(str(data.get("seizure"))) if event.type == REGISTERED else _moment_or_none(data.get("device_at"))
    )
    return Step(
        seq=event.seq, kind=kind, at=moment(event.at), claimed_at=device,
        actor=_person(event.actor),
        giver=_person(data["from"]) if "from" in data else None, receiver=_person(data["to"]) if "to" in data else None,
        handover=str(data.get("handover") or ""), purpose=str(data.get("purpose") or ""),
        place=_claim(data["place"], "claimed") if isinstance(data.get("place"), dict) else Claim(),
        seal=_seal(one), reason=_reason(data), discrepancy=str(data.get("discrepancy") or ""),
        note=str(data.get("note") or data.get("words") or ""),
        signed=Signed(means=str(signature.get("means", "")), key=str(signature.get("key", ""))),
        index=one.index, sha256=hashlib.sha256(one.entry.body).hexdigest(),
    )  # fmt: skip


def _reason(data: Mapping[str, Any]) -> str:
    """Why it was refused; of a dispute the first thing it is about; of its end what became of it."""
    why = data.get("why")
    if isinstance(why, list) and why and isinstance(why[0], Mapping):
        return str(why[0].get("code") or "")
    return str(data.get("reason") or data.get("outcome") or "")


def _seal(one: Read) -> Seal:
    """As whoever acted saw it: the giver who offers, the receiver who answers."""
    said = one.data.get("seal")
    if not isinstance(said, Mapping):
        return Seal(number=said or None, state="intact" if said else "none")
    given = one.event.type in {"custody:handover:offered", "custody:handover:withdrawn"}
    return Seal(number=said["giver"] if given else said["receiver"], state=said["state"])


def seizures(
    found: Sequence[Read], people: Mapping[str, Sequence[Present]], left_out: Mapping[str, Sequence[str]]
) -> list[Seizure]:
    """``people`` who were there, by the seizure's number; ``left_out`` are exhibits that are not in the package."""
    made = []
    for one in found:
        if one.event.type != SEIZED or one.entry.withheld is not None:
            continue
        data, claimed = one.data, one.data["claimed"]
        number = one.event.stream.removeprefix(SEIZURE_STREAM)
        later = [o for o in found if o.event.stream == one.event.stream and o.entry.withheld is None]
        conveyances = [c for o in later for c in o.data.get("conveyances", [])]
        made.append(Seizure(
            number=number, agency=str(data["agency"]), unit=str(data["unit"]["name"]), officer=_person(one.event.actor),
            seized_at=moment(data["seized_at"]), recorded_at=moment(one.event.at),
            claimed_at=_moment_or_none(claimed["device_at"]),
            place=_claim({**claimed, "words": data["place"]}, "words"),
            ground=str(data["ground"]), circumstances=str(data["circumstances"]), present=people.get(number, ()),
            conveyances=[(str(c["kind"]), f"{c['identifier']} {c['country']}".strip()) for c in conveyances],
            corrections=[
                Correction(field=str(o.data["field"]), words=str(o.data["words"]), reason=str(o.data["reason"]),
                           by=str(o.event.actor["name"]), at=moment(o.event.at))
                for o in later if o.event.type == CORRECTED
            ],
            left_out=left_out.get(number, ()),
        ))  # fmt: skip
    return made


def files(found: Sequence[Read], payload: Sequence[PayloadFile], checked: Mapping[str, str]) -> list[File]:
    """The hash list. ``checked`` are outcomes of the last re-reading by storage key."""
    receipts = {str(o.data["file"]): o for o in found if o.event.type == RECEIVED and o.entry.withheld is None}
    made, said = [], showings(found)
    for file in payload:
        row, receipt = file.row, receipts.get(file.key)
        claimed = receipt.data["claimed"]["device_at"] if receipt else None
        why = Why(code=file.withheld.code, words=file.withheld.reason) if file.withheld else None
        made.append(File(
            path=row.path, name="" if why else row.original_name, size=row.size, sha256=row.sha256,
            received_at=moment(row.received_at), received_by=row.received_by, claimed_at=_moment_or_none(claimed),
            checked=checked.get(file.key, ""), shows=None if why else said.get(file.key), withheld=why,
        ))  # fmt: skip
    return made


def ledger(entries: Sequence[LedgerEvent], policy_text: str) -> Ledger:
    """The one checkpoint all proofs are at, and who vouches for it. Raises TrustError when the policy does not accept
    it."""
    policy = Policy.parse(policy_text)
    accepted = policy.accept(entries[0].proof.checkpoint)
    group = policy.groups.get(policy.quorum)
    quorum = f"{group.threshold} of {', '.join(group.members)}" if group else policy.quorum
    return Ledger(
        origin=accepted.checkpoint.origin, size=accepted.checkpoint.size, root=accepted.checkpoint.root.hex(),
        key=str(accepted.log), quorum="none" if policy.quorum == NO_QUORUM else quorum,
        cosigners=[Cosigner(name=name, at=datetime.fromtimestamp(time, UTC))
                   for name, time in sorted(accepted.witnessed.items())],
    )  # fmt: skip


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def _person(said: Mapping[str, Any]) -> Person:
    return Person(name=str(said.get("name", "")), badge=str(said.get("badge", "")))


def _claim(said: Mapping[str, Any], words: str) -> Claim:
    return Claim(
        words=str(said.get(words) or ""), latitude=_decimal(said.get("latitude")),
        longitude=_decimal(said.get("longitude")), accuracy_m=_decimal(said.get("accuracy_m")),
    )  # fmt: skip


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _files_by_exhibit(found: Sequence[Read], payload: Sequence[PayloadFile]) -> dict[str, list[PayloadFile]]:
    exhibit_of = {str(o.data["file"]): o.data.get("exhibit") for o in found if o.event.type == RECEIVED}
    by_exhibit: dict[str, list[PayloadFile]] = {}
    for file in payload:
        if number := exhibit_of.get(file.key):
            by_exhibit.setdefault(str(number), []).append(file)
    return by_exhibit
