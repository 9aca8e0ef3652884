"""Small, valid packages made of real parts: a ledger of the tests' own, signed events, files in memory."""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from casemgmt.trust.canonical import canonical_json
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.events import Event
from casemgmt.trust.hashing import leaf_hash
from casemgmt.trust.keys import SigningKey
from casemgmt.trust.package import LedgerEvent, PayloadFile, Prepared, prepare
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof, pack_hashes
from casemgmt.trust.receipts import RECEIVED, file_row, payload_path
from casemgmt.trust.seal import SEALED
from casemgmt.trust.tree import MerkleTree
from casemgmt.trust.zip import Entry, Extent, Layout

LOG = SigningKey("ledger.customs.example/2027", 1, hashlib.sha256(b"test ledger").digest())
NAME = "KG-2027-000123_EP-0007"
AT = "2027-02-03T04:05:06.789Z"


def event_body(
    stream: str,
    seq: int,
    prev: bytes | None,
    *,
    kind: str = "exhibits:exhibit:described",
    data: dict[str, Any] | None = None,
    nonce: str = "0" * 32,
) -> bytes:
    return canonical_json(
        {
            "v": 1,
            "type": kind,
            "stream": stream,
            "seq": seq,
            "prev": prev.hex() if prev else None,
            "at": AT,
            "actor": {"id": 7, "name": "Officer", "badge": "C-7"},
            "nonce": nonce,
            "data": data or {},
        }
    )


@dataclass
class Ledger:
    """Entries in the order they were sequenced, and the streams they belong to."""

    key: SigningKey = LOG
    bodies: list[bytes] = field(default_factory=list)
    tree: MerkleTree = field(default_factory=MerkleTree)
    last: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def append(self, stream: str, kind: str, data: dict[str, Any]) -> int:
        seq, prev = self.last.get(stream, (0, None))
        return self.append_body(event_body(stream, seq + 1, prev, kind=kind, data=data), stream, seq + 1)

    def append_body(self, body: bytes, stream: str, seq: int) -> int:
        self.last[stream] = seq, leaf_hash(body)
        self.bodies.append(body)
        return self.tree.append(leaf_hash(body))

    def proof(self, index: int, size: int, extra: bytes | None = None) -> Proof:
        note = Checkpoint(self.key.name, size, self.tree.root(size)).signed(self.key)
        return Proof(index, tuple(self.tree.inclusion(index, size)), note, extra)

    def event(self, index: int, size: int) -> LedgerEvent:
        return LedgerEvent(self.bodies[index], self.proof(index, size))

    @property
    def policy(self) -> str:
        return str(Policy((self.key.verifier,)))


@dataclass
class Draft:
    """A package before its seal, with everything a test may want to spoil first."""

    ledger: Ledger
    contents: dict[str, bytes]
    files: list[PayloadFile]
    indexes: list[int]
    size: int
    name: str = NAME

    def prepared(self) -> Prepared:
        events = [self.ledger.event(index, self.size) for index in self.indexes]
        policy = self.ledger.policy
        return prepare(self.name, bagged_on=date(2027, 2, 3), files=self.files, events=events, policy=policy)

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


def draft(*, exhibits: Iterable[str] = ("KG-2027-000123/1", "KG-2027-000123/2"), photograph: bytes = b"") -> Draft:
    """Two exhibits with a file each and a file of the seizure, among entries about other things."""
    made = Draft(Ledger(), {}, [], [], 0)
    for exhibit in exhibits:
        made.ledger.append("seizure:KG-2027-000999", "seizures:seizure:registered", {})
        stream = "exhibit:" + exhibit
        made.indexes.append(made.ledger.append(stream, "exhibits:exhibit:registered", {"description": "Часы, золото"}))
        receive(made, exhibit, photograph or b"\xff\xd8\xff photograph of " + exhibit.encode())
        made.ledger.append("seizure:KG-2027-000123", "seizures:seizure:viewed", {})
        made.indexes.append(made.ledger.append(stream, "custody:handover:offered", {"to": "custodian"}))
    receive(made, None, b"%PDF protocol")
    made.ledger.append("seizure:KG-2027-000999", "seizures:seizure:amended", {})
    made.size = made.ledger.tree.size
    return made


def receive(made: Draft, exhibit: str | None, content: bytes) -> None:
    """A file of the seizure KG-2027-000123, or of one of its exhibits, is received and goes into the package."""
    key = f"store/{len(made.files)}"
    said = {
        "file": key,
        "seizure": "KG-2027-000123",
        "exhibit": exhibit,
        "name": "=фото, 1.jpg",
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
