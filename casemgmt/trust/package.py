"""Builds an evidence package for sealing, in two phases around the ledger entry that seals it.

`prepare` writes everything but the seal.  The caller puts `Prepared.seal_data` into a ledger entry, waits
for the entry's proof, and `Prepared.sealed` answers the complete list of files for `zip.Layout`.  The
result depends on nothing but the arguments: preparing again from the same values gives the same bytes.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files as resources
from string import Template

from casemgmt.trust import file_list
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import Event, chains
from casemgmt.trust.file_list import FileRow, write_files
from casemgmt.trust.manifest import (
    BAG_INFO,
    BAGIT,
    DECLARATION,
    MANIFEST,
    TAG_MANIFEST,
    check_path,
    payload_oxum,
    write_info,
    write_manifest,
)
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof
from casemgmt.trust.receipts import match_receipts
from casemgmt.trust.seal import check_seal, seal_data
from casemgmt.trust.zip import Entry

LEDGER = "ledger/"
POLICY = "ledger/trust.policy"
SEAL_EVENT = TAG_MANIFEST + ".event"
SEAL_PROOF = TAG_MANIFEST + ".tlog-proof"
GUIDE = "verify/VERIFY.md"


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """One evidence file: its line in the file list (`receipts.file_row`), its CRC-32, and its storage key."""

    row: FileRow
    crc32: int
    key: str


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """The exact bytes of one ledger entry, and its proof in the ledger."""

    body: bytes
    proof: Proof


class Prepared:
    """A package that lacks only its seal."""

    def __init__(
        self,
        name: str,
        documents: Mapping[str, bytes],
        payload: Iterable[PayloadFile],
        streams: Mapping[str, list[Event]],
        checkpoint: Checkpoint,
    ) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.tag_manifest = write_manifest({path: _sha256(data) for path, data in documents.items()})
        self._documents = documents
        self._payload = tuple(payload)
        self._streams = streams

    def seal_data(self) -> dict[str, object]:
        """The ``data`` of the `seal.SEALED` event that seals this package; everything in it is provable."""
        return seal_data(self.name, self.tag_manifest, self._streams, self.checkpoint.size)

    def unproven(self, body: bytes) -> list[Entry]:
        """As `sealed`, without `SEAL_PROOF`: all there is until the sealing event `body` is in the ledger."""
        documents = {**self._documents, TAG_MANIFEST: self.tag_manifest, SEAL_EVENT: body}
        entries = [self._entry(path, data) for path, data in documents.items()]
        for file in self._payload:
            row = file.row
            entries.append(Entry(f"{self.name}/{row.path}", row.size, file.crc32, row.sha256, file.key))
        return entries

    def sealed(self, body: bytes, proof: Proof) -> list[Entry]:
        """The files of the complete package in order.  Paths begin with the package's name.

        `proof` is that of the sealing event `body` in a later ledger; its extra data is
        `proof.pack_hashes` of the consistency proof from `checkpoint.size` to that ledger's size.
        """
        later = Checkpoint.parse(proof.checkpoint.text)
        check_seal(body, self.seal_data(), proof, self.checkpoint, later)
        entries = self.unproven(body)
        entries.insert(len(entries) - len(self._payload), self._entry(SEAL_PROOF, str(proof).encode()))
        return entries

    def _entry(self, path: str, data: bytes) -> Entry:
        return Entry(f"{self.name}/{path}", len(data), zlib.crc32(data), _sha256(data), data)


def prepare(
    name: str, *, bagged_on: date, files: Iterable[PayloadFile], events: Iterable[LedgerEvent], policy: str
) -> Prepared:
    """A package of `files`, of every event of their exhibits so far, and of the events that received them.

    All proofs must be of one checkpoint that `policy` accepts; of streams other than exhibits' an excerpt
    will do.  Raises a `TrustError` for anything the verifier would refuse later.
    """
    if "/" in check_path(name):
        raise PackageError("the name of a package is the name of one directory")
    payload = sorted(files, key=lambda file: file.row.path)
    rows = [file.row for file in payload]
    hashes = {row.path: row.sha256 for row in rows}
    if len(hashes) != len(rows):
        raise PackageError("two payload files have the same path")
    entries = sorted(events, key=lambda event: event.proof.index)
    checkpoint = _one_checkpoint(entries, Policy.parse(policy))
    streams = chains(Event.parse(entry.body) for entry in entries)
    match_receipts(rows, streams)
    documents: dict[str, bytes] = {
        BAGIT: DECLARATION,
        BAG_INFO: write_info(
            [
                ("Payload-Oxum", payload_oxum(row.size for row in rows)),
                ("External-Identifier", name),
                ("Bagging-Date", bagged_on.isoformat()),
                ("Ledger-Origin", checkpoint.origin),
                ("Ledger-Size", str(checkpoint.size)),
            ]
        ),
        MANIFEST: write_manifest(hashes),
        GUIDE: _guide(name, checkpoint),
        file_list.PATH: write_files(rows),
        POLICY: policy.encode(),
    }
    for entry in entries:
        documents[f"{LEDGER}{entry.proof.index}.event"] = entry.body
        documents[f"{LEDGER}{entry.proof.index}.tlog-proof"] = str(entry.proof).encode()
    return Prepared(name, documents, payload, streams, checkpoint)


def _one_checkpoint(entries: list[LedgerEvent], policy: Policy) -> Checkpoint:
    notes = {str(entry.proof.checkpoint) for entry in entries}
    indexes = {entry.proof.index for entry in entries}
    if len(notes) != 1 or len(indexes) != len(entries):
        raise PackageError("a package has events, each once, and all proofs are of one checkpoint")
    accepted = policy.accept(entries[0].proof.checkpoint)
    for entry in entries:
        entry.proof.verify_path(Event.parse(entry.body).hash, accepted)
    return accepted.checkpoint


def _guide(name: str, checkpoint: Checkpoint) -> bytes:
    template = Template(resources("casemgmt.trust").joinpath("VERIFY.md").read_text("utf-8"))
    return template.substitute(package=name, origin=checkpoint.origin, size=checkpoint.size).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
