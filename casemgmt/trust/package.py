"""Builds an evidence package for sealing, around the two things only others can make: signatures and the seal.

`prepare` writes everything up to the tag manifest.  The caller has that signed and stamped as the package promises
(`Prepared.signed`), puts `Prepared.seal_data` into a ledger entry, waits for the entry's proof, and `Prepared.sealed`
answers the complete list of files for `zip.Layout`.  The result depends on nothing but the arguments: preparing
again from the same values gives the same bytes.
"""

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from casemgmt.trust import file_list, withheld
from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.contents import (
    GRAPH,
    GUIDES,
    LEDGER,
    ORGANISATION_CA,
    POLICY,
    SIGNATURES,
    TIMESTAMP_CA,
    Accompanying,
    LedgerEvent,
    PayloadFile,
    observation_path,
    report_path,
)
from casemgmt.trust.errors import PackageError
from casemgmt.trust.events import Event, Link, Unread, chains
from casemgmt.trust.file_list import write_files
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
from casemgmt.trust.personal import PersonalSignature, check_signatures
from casemgmt.trust.policy import Policy
from casemgmt.trust.promise import LAYOUT, NONE, SIGNATURE, TIMESTAMP, Promise
from casemgmt.trust.proof import Proof
from casemgmt.trust.receipts import RECEIVED, file_row, match_receipts
from casemgmt.trust.seal import check_seal, seal_data
from casemgmt.trust.withheld import ENTRY, FILE, WithheldRow, write_withheld
from casemgmt.trust.zip import Entry

SEAL_EVENT = TAG_MANIFEST + ".event"
SEAL_PROOF = TAG_MANIFEST + ".tlog-proof"


@dataclass(frozen=True)
class Prepared:
    """A package that lacks only its seal and, until `signed`, the signature and the timestamp it promises."""

    name: str
    checkpoint: Checkpoint
    tag_manifest: bytes
    promise: Promise
    documents: Mapping[str, bytes]
    payload: Sequence[Entry]
    streams: Mapping[str, list[Link]]
    signature: bytes | None = None
    timestamp: bytes | None = None

    def signed(self, signature: bytes | None, timestamp: bytes | None) -> "Prepared":
        """With what was made over `tag_manifest`; raises `PackageError` unless that is what was promised."""
        made = {SIGNATURE: signature, TIMESTAMP: timestamp}
        if {path for path, data in made.items() if data} != self.promise.files:
            raise PackageError("the signature and the timestamp are not those the package promises")
        return replace(self, signature=signature, timestamp=timestamp)

    def seal_data(self) -> dict[str, object]:
        """The ``data`` of the `seal.SEALED` event that seals this package; everything in it is provable."""
        return seal_data(
            *(self.name, self.tag_manifest, self.streams, self.checkpoint.size),
            signature=self.signature,
            timestamp=self.timestamp,
        )

    def unproven(self, body: bytes) -> list[Entry]:
        """As `sealed`, without `SEAL_PROOF`: all there is until the sealing event `body` is in the ledger."""
        last = {TAG_MANIFEST: self.tag_manifest, SIGNATURE: self.signature, TIMESTAMP: self.timestamp, SEAL_EVENT: body}
        documents = {**self.documents, **{path: data for path, data in last.items() if data is not None}}
        return [*(_entry(self.name, path, data) for path, data in documents.items()), *self.payload]

    def sealed(self, body: bytes, proof: Proof) -> list[Entry]:
        """The files of the complete package in order.  Paths begin with the package's name.

        `proof` is that of the sealing event `body` in a later ledger; its extra data is
        `proof.pack_hashes` of the consistency proof from `checkpoint.size` to that ledger's size.
        """
        self.signed(self.signature, self.timestamp)
        later = Checkpoint.parse(proof.checkpoint.text)
        check_seal(body, self.seal_data(), proof, self.checkpoint, later)
        entries = self.unproven(body)
        place = len(entries) - len(self.payload)
        entries.insert(place, _entry(self.name, SEAL_PROOF, str(proof).encode()))
        return entries


def prepare(
    name: str,
    *,
    bagged_on: date,
    files: Iterable[PayloadFile],
    events: Iterable[LedgerEvent],
    policy: str,
    beside: Accompanying,
) -> Prepared:
    """A package of `files`, of every event of their exhibits so far, of the events that received them, and of what is
    laid `beside` them.

    All proofs must be of one checkpoint that `policy` accepts; of streams other than exhibits' and signers' an excerpt
    will do.  Raises a `TrustError` for anything the verifier would refuse later.
    """
    if "/" in check_path(name):
        raise PackageError("the name of a package is the name of one directory")
    every = sorted(files, key=lambda file: file.row.path)
    if len({file.row.path for file in every}) != len(every):
        raise PackageError("two payload files have the same path")
    entries = sorted(events, key=lambda event: event.proof.index)
    read = [entry.event for entry in entries]
    checkpoint = _one_checkpoint(entries, read, Policy.parse(policy))
    streams = _streams(entries, read)
    shown = [file for file in every if file.withheld is None]
    rows = [file.row for file in shown]
    hidden = [*_hidden_files(every, entries, read), *_hidden_entries(entries, read)]
    match_receipts(rows, streams, hidden)
    _check_people(entries, read, streams)
    payload = [Entry(f"{name}/{f.row.path}", f.row.size, f.crc32, f.row.sha256, f.key) for f in shown]
    payload += [_entry(name, report_path(language), pdf) for language, pdf in sorted(beside.reports.items())]
    hashes = {entry.path.removeprefix(name + "/"): entry.sha256 for entry in payload}
    promise = replace(beside.promise, withheld=len(hidden))
    _check_promise(promise, beside)
    documents = {
        BAGIT: DECLARATION,
        BAG_INFO: _info(name, bagged_on, checkpoint, promise, [entry.size for entry in payload]),
        MANIFEST: write_manifest(hashes),
        **{GUIDES + path: data for path, data in sorted(beside.guides.items())},
        file_list.PATH: write_files(rows),
        GRAPH: beside.graph,
        **({withheld.PATH: write_withheld(hidden)} if hidden else {}),
        **{
            observation_path(row.path): beside.observations[row.path] for row in rows if row.path in beside.observations
        },
        POLICY: policy.encode(),
        **_ledger(entries, read),
        **dict(sorted(beside.keys.items())),
    }
    tags = write_manifest({path: hashlib.sha256(data).hexdigest() for path, data in documents.items()})
    return Prepared(name, checkpoint, tags, promise, documents, payload, streams)


def _check_promise(promise: Promise, beside: Accompanying) -> None:
    signed, stamped = {promise.organisation, promise.report} != {NONE}, promise.timestamp != NONE
    needed = {path for path, needs in ((ORGANISATION_CA, signed), (TIMESTAMP_CA, stamped)) if needs}
    if set(beside.keys) != needed or (promise.report != NONE and not beside.reports):
        raise PackageError("the certificates or reports are not those that the package's promise needs")


def _one_checkpoint(entries: list[LedgerEvent], read: list[Event], policy: Policy) -> Checkpoint:
    notes = {str(entry.proof.checkpoint) for entry in entries}
    indexes = {entry.proof.index for entry in entries}
    if len(notes) != 1 or len(indexes) != len(entries):
        raise PackageError("a package has events, each once, and all proofs are of one checkpoint")
    accepted = policy.accept(entries[0].proof.checkpoint)
    for entry, event in zip(entries, read, strict=True):
        entry.proof.verify_path(event.hash, accepted)
    return accepted.checkpoint


def _streams(entries: list[LedgerEvent], read: list[Event]) -> dict[str, list[Link]]:
    """As a reader of the package will have them."""
    chains(read)
    return chains(
        event if entry.withheld is None else Unread(event.stream, event.seq, event.hash)
        for entry, event in zip(entries, read, strict=True)
    )


def _hidden_files(files: list[PayloadFile], entries: list[LedgerEvent], read: list[Event]) -> Iterable[WithheldRow]:
    receipts = {
        event.data.get("file"): (entry.proof.index, event)
        for entry, event in zip(entries, read, strict=True)
        if event.type == RECEIVED
    }
    for file in files:
        if file.withheld is not None:
            row, why = file.row, file.withheld
            index, event = receipts.get(row.file, (0, None))
            if event is None or file_row(row.path, event) != row:
                raise PackageError(f"no received event says of {row.path} what the file list says")
            yield WithheldRow(
                *(FILE, row.path, row.sha256, row.size, index),
                *(event.hash.hex(), event.stream, event.seq, why.code, why.reason),
            )


def _hidden_entries(entries: list[LedgerEvent], read: list[Event]) -> Iterable[WithheldRow]:
    for entry, event in zip(entries, read, strict=True):
        if entry.withheld is not None:
            index, why = entry.proof.index, entry.withheld
            sha256 = hashlib.sha256(entry.body).hexdigest()
            yield WithheldRow(
                *(ENTRY, f"{LEDGER}{index}.event", sha256, len(entry.body), index),
                *(event.hash.hex(), event.stream, event.seq, why.code, why.reason),
            )


def _check_people(entries: list[LedgerEvent], read: list[Event], streams: Mapping[str, list[Link]]) -> None:
    bodies = {entry.proof.index: entry.body for entry in entries}
    indexes = {event.hash: entry.proof.index for entry, event in zip(entries, read, strict=True)}
    signatures: dict[int, PersonalSignature] = {
        entry.proof.index: entry.signature
        for entry in entries
        if entry.signature is not None and entry.withheld is None
    }
    check_signatures(streams, indexes, signatures, bodies.__getitem__)


def _info(name: str, bagged_on: date, checkpoint: Checkpoint, promise: Promise, sizes: list[int]) -> bytes:
    return write_info(
        [
            ("Payload-Oxum", payload_oxum(sizes)),
            ("External-Identifier", name),
            ("Bagging-Date", bagged_on.isoformat()),
            ("Package-Layout", LAYOUT),
            ("Ledger-Origin", checkpoint.origin),
            ("Ledger-Size", str(checkpoint.size)),
            *promise.signatures(),
        ]
    )


def _ledger(entries: list[LedgerEvent], read: list[Event]) -> dict[str, bytes]:
    documents: dict[str, bytes] = {}
    for entry, event in zip(entries, read, strict=True):
        index = entry.proof.index
        if entry.withheld is None:
            documents[f"{LEDGER}{index}.event"] = entry.body
        else:
            documents[f"{LEDGER}{index}.leaf"] = event.hash.hex().encode() + b"\n"
        documents[f"{LEDGER}{index}.tlog-proof"] = str(entry.proof).encode()
        if entry.signature is not None and entry.withheld is None:
            for file, data in entry.signature.files().items():
                documents[f"{SIGNATURES}{index}/{file}"] = data
    return documents


def _entry(name: str, path: str, data: bytes) -> Entry:
    return Entry(f"{name}/{check_path(path)}", len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest(), data)
