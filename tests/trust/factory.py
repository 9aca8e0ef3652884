"""Small, valid packages made of real parts: a ledger of the tests' own, signed entries, files in memory."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.contents import ORGANISATION_CA, TIMESTAMP_CA, Accompanying, LedgerEvent, PayloadFile, Why
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import COSIGNATURE, NOTE, SigningKey
from casemgmt.trust.note import Note
from casemgmt.trust.package import Prepared, prepare
from casemgmt.trust.personal import PersonalSignature
from casemgmt.trust.policy import Group, Policy, Witness
from casemgmt.trust.promise import NONE, Promise
from casemgmt.trust.proof import Proof, pack_hashes
from casemgmt.trust.receipts import RECEIVED, file_row, payload_path
from casemgmt.trust.seal import SEALED
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.zip import Entry, Extent, Layout
from tests.trust.authorities import Authorities, authorities
from tests.trust.people import AIDA, NURLAN, Person

LOG = SigningKey("ledger.customs.example/2027", NOTE, hashlib.sha256(b"test ledger").digest())
WITNESSES = tuple(
    SigningKey(f"{name}.example/witness", COSIGNATURE, hashlib.sha256(name.encode()).digest())
    for name in ("customs", "police", "prosecution")
)
NAME = "KG-2027-000123_EP-0007"
AT = "2027-02-03T04:05:06.789Z"
COSIGNED_AT = 1_801_627_506  # POSIX seconds
OFFICER = {"id": 7, "name": "Officer", "badge": "C-7"}
BESIDE = Accompanying(guides={"VERIFY.md": b"# How to check this package\n"}, graph=b"{}\n")


def event_body(
    stream: str,
    seq: int,
    prev: bytes | None,
    *,
    kind: str = "exhibits:exhibit:described",
    data: Mapping[str, Any] | None = None,
    nonce: str = "0" * 32,
    actor: Mapping[str, Any] = OFFICER,
) -> bytes:
    return canonical_json(
        {
            "v": 1,
            "type": kind,
            "stream": stream,
            "seq": seq,
            "prev": prev.hex() if prev else None,
            "at": AT,
            "actor": dict(actor),
            "nonce": nonce,
            "data": dict(data or {}),
        }
    )


@dataclass
class Ledger:
    """Entries in the order they were sequenced, and the streams they belong to."""

    key: SigningKey = LOG
    witnesses: tuple[SigningKey, ...] = ()
    quorum: int = 2
    bodies: list[bytes] = field(default_factory=list)
    tree: MerkleTree = field(default_factory=MerkleTree)
    last: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def append(self, stream: str, kind: str, data: Mapping[str, Any], *, actor: Mapping[str, Any] = OFFICER) -> int:
        seq, prev = self.last.get(stream, (0, None))
        body = event_body(stream, seq + 1, prev, kind=kind, data=data, actor=actor)
        return self.append_body(body, stream, seq + 1)

    def append_body(self, body: bytes, stream: str, seq: int) -> int:
        self.last[stream] = seq, leaf_hash(body)
        self.bodies.append(body)
        return self.tree.append(leaf_hash(body))

    def note(self, size: int) -> Note:
        """The checkpoint, cosigned by the first of the witnesses, as many as the quorum needs."""
        note = Checkpoint(self.key.name, size, self.tree.root(size)).signed(self.key)
        return note.with_signatures(key.cosign(note.text, COSIGNED_AT) for key in self.witnesses[: self.quorum])

    def proof(self, index: int, size: int, extra: bytes | None = None) -> Proof:
        return Proof(index, tuple(self.tree.inclusion(index, size)), self.note(size), extra)

    @property
    def policy(self) -> str:
        if not self.witnesses:
            return str(Policy((self.key.verifier,)))
        names = {key.name.partition(".")[0]: Witness(key.verifier) for key in self.witnesses}
        groups = {"agencies": Group(self.quorum, tuple(names))}
        return str(Policy((self.key.verifier,), names, groups, "agencies"))


@dataclass
class Draft:
    """A package before its seal, with everything a test may want to spoil first."""

    ledger: Ledger
    contents: dict[str, bytes]
    files: list[PayloadFile]
    indexes: list[int]
    size: int
    name: str = NAME
    beside: Accompanying = BESIDE
    signatures: dict[int, PersonalSignature] = field(default_factory=dict)
    withheld: dict[int, Why] = field(default_factory=dict)
    authorities: Authorities | None = None

    def event(self, index: int, size: int | None = None) -> LedgerEvent:
        proof = self.ledger.proof(index, size or self.size)
        return LedgerEvent(self.ledger.bodies[index], proof, self.signatures.get(index), self.withheld.get(index))

    def prepared(self) -> Prepared:
        events = [self.event(index) for index in self.indexes]
        prepared = prepare(
            self.name, bagged_on=date(2027, 2, 3), files=self.files, events=events, policy=self.ledger.policy,
            beside=self.beside,
        )  # fmt: skip
        if self.authorities is None:
            return prepared
        promise, made = self.beside.promise, prepared.tag_manifest
        return prepared.signed(
            self.authorities.sign(made) if promise.organisation != NONE else None,
            self.authorities.stamp(made) if promise.timestamp != NONE else None,
        )

    def seal(self, prepared: Prepared, **changes: Any) -> tuple[bytes, Proof]:
        index = self.ledger.append("package:" + self.name, SEALED, {**prepared.seal_data(), **changes})
        self.ledger.append("exhibit:elsewhere", "exhibits:exhibit:described", {})
        size = self.ledger.tree.size
        growth = pack_hashes(self.ledger.tree.consistency(self.size, size))
        return self.ledger.bodies[index], self.ledger.proof(index, size, growth)

    def entries(self) -> list[Entry]:
        prepared = self.prepared()
        return prepared.sealed(*self.seal(prepared))

    def archive(self) -> bytes:
        return archive(self.entries(), self.contents)

    def withhold_file(self, number: int, code: str = "third_party", reason: str = "A bystander's face") -> None:
        self.files[number] = replace(self.files[number], withheld=Why(code, reason))


def draft(
    *,
    exhibits: Iterable[str] = ("KG-2027-000123/1", "KG-2027-000123/2"),
    photograph: bytes = b"",
    witnesses: tuple[SigningKey, ...] = (),
) -> Draft:
    """Two exhibits with a file each and a file of the seizure, among entries about other things."""
    made = Draft(Ledger(witnesses=witnesses), {}, [], [], 0)
    for exhibit in exhibits:
        made.ledger.append("seizure:KG-2027-000999", "seizures:seizure:registered", {})
        stream = "exhibit:" + exhibit
        made.indexes.append(made.ledger.append(stream, "exhibits:exhibit:registered", {"description": "Часы, золото"}))
        receive(made, exhibit, photograph or b"\xff\xd8\xff photograph of " + exhibit.encode())
        made.ledger.append("seizure:KG-2027-000123", "seizures:seizure:viewed", {})
        made.indexes.append(made.ledger.append(stream, "custody:exhibit:moved", {"to": "custodian"}))
    receive(made, None, b"%PDF protocol")
    made.ledger.append("seizure:KG-2027-000999", "seizures:seizure:amended", {})
    made.size = made.ledger.tree.size
    return made


def full_draft(*, name: str = "DEMONSTRATION") -> Draft:
    """All that a package can have: hand-overs signed with passkeys and by a session, cosignatures, the organisation's
    signature and timestamp, reports, observations. Needs the openssl command."""
    made = draft(witnesses=WITNESSES)
    for person in (AIDA, NURLAN):
        kind, data = person.enrolment
        made.indexes.append(made.ledger.append(person.stream, kind, data, actor=person.actor))
    exhibits = ("KG-2027-000123/1", "KG-2027-000123/2")
    for person, act in ((AIDA, "offered"), (NURLAN, "accepted")):
        hand_over(made, exhibits, person, act)
    said = {"signature": {"means": "session"}}
    made.indexes.append(made.ledger.append("exhibit:" + exhibits[0], "custody:handover:offered", said))
    made.size = made.ledger.tree.size
    made.authorities = authorities(name)
    made.beside = replace(
        BESIDE,
        promise=Promise("CAdES-B-B", "PAdES-B-B", "RFC3161"),
        observations={made.files[0].row.path: b'{"exif":{}}\n'},
        reports={language: made.authorities.pdf(language.encode()) for language in ("en", "ru")},
        keys={ORGANISATION_CA: made.authorities.ca, TIMESTAMP_CA: made.authorities.ca},
    )
    return made


def hand_over(made: Draft, exhibits: Iterable[str], person: Person, act: str) -> list[int]:
    """One answer about several exhibits, signed by one touch."""
    data = {"signature": person.means}
    places = [
        made.ledger.append("exhibit:" + number, f"custody:handover:{act}", data, actor=person.actor)
        for number in exhibits
    ]
    signature = person.sign([made.ledger.bodies[place] for place in places])
    made.signatures |= dict.fromkeys(places, signature)
    made.indexes += places
    return places


def receive(made: Draft, exhibit: str | None, content: bytes, *, name: str = "=фото, 1.jpg") -> None:
    """A file of the seizure KG-2027-000123, or of one of its exhibits, is received and goes into the package."""
    key = f"store/{len(made.files)}"
    said = {
        "file": key,
        "seizure": "KG-2027-000123",
        "exhibit": exhibit,
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    index = made.ledger.append("seizure:KG-2027-000123", RECEIVED, said)
    event = Event.parse(made.ledger.bodies[index])
    made.indexes.append(index)
    made.contents[key] = content
    made.files.append(PayloadFile(file_row(payload_path(event, 1, "jpg"), event), zlib.crc32(content), key))


def archive(entries: Iterable[Entry], contents: dict[str, bytes]) -> bytes:
    """The bytes of the archive, with referenced content taken from `contents`."""
    return b"".join(piece if isinstance(piece, bytes) else cut(piece, contents) for piece in Layout(entries).pieces())


def cut(extent: Extent, contents: dict[str, bytes]) -> bytes:
    assert isinstance(extent.entry.source, str)
    return contents[extent.entry.source][extent.start : extent.stop]


def inline(path: str, data: bytes) -> Entry:
    return Entry(path, len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest(), data)
