"""The nine checks.  Each answers one sentence for the report or raises a `TrustError` that names the fault.

Numbers and order are those of ``docs/spec/verification.md``.  What a package says about itself is
believed only after the step that proves it.
"""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from casemgmt.trust import file_list
from casemgmt.trust.encoding import from_decimal, from_utf8, shown
from casemgmt.trust.errors import ArchiveError, ManifestError, PackageError, PolicyError, ProofError
from casemgmt.trust.events import MAX_BODY, Event, chains
from casemgmt.trust.file_list import parse_files
from casemgmt.trust.manifest import (
    BAG_INFO,
    BAGIT,
    DECLARATION,
    MANIFEST,
    PAYLOAD,
    TAG_MANIFEST,
    parse_info,
    parse_manifest,
    payload_oxum,
)
from casemgmt.trust.package import LEDGER, POLICY, SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.policy import Policy
from casemgmt.trust.proof import Proof
from casemgmt.trust.receipts import match_receipts
from casemgmt.trust.seal import check_seal, seal_data
from casemgmt.trust.verify.examination import Examination
from casemgmt.trust.verify.reader import Archive

MAX_LIST = 256 * 1024 * 1024
MAX_DOCUMENT = 1024 * 1024

UNLISTED = frozenset({TAG_MANIFEST, SEAL_EVENT, SEAL_PROOF})
"""Files the tag manifest cannot list: itself, and the seal that names its hash."""

_SHOWN = 5


def check_archive(found: Examination) -> str:
    """1. Only stored files of one bag, and every other byte of the archive follows from them."""
    found.archive = Archive(found.stream)
    return f"{len(found.archive.members)} files in {found.archive.size} bytes, stored, in the agreed layout."


def check_bag(found: Examination) -> str:
    """2. BagIt 1.0; number and sum of the payload's bytes; the bag's name."""
    archive = found.archive
    if archive.read(BAGIT, MAX_DOCUMENT) != DECLARATION:
        raise ManifestError(f"{BAGIT} does not declare BagIt 1.0 in UTF-8")
    info = parse_info(archive.read(BAG_INFO, MAX_DOCUMENT))
    missing = {"Payload-Oxum", "External-Identifier", "Bagging-Date", "Ledger-Origin", "Ledger-Size"} - set(info)
    if missing:
        raise ManifestError(f"{BAG_INFO} lacks {', '.join(sorted(missing))}")
    oxum = payload_oxum(member.size for path, member in archive.members.items() if path.startswith(PAYLOAD))
    if info["Payload-Oxum"] != oxum:
        raise ManifestError(f"the payload is {oxum} (bytes.files), {BAG_INFO} declares {shown(info['Payload-Oxum'])}")
    if info["External-Identifier"] != archive.root:
        raise ManifestError(f"{BAG_INFO} belongs to {shown(info['External-Identifier'])}")
    try:
        date.fromisoformat(info["Bagging-Date"])
    except ValueError as error:
        raise ManifestError(f"not a date: {shown(info['Bagging-Date'])}") from error
    from_decimal(info["Ledger-Size"])
    found.info = info
    size, _, count = oxum.partition(".")
    return f"BagIt 1.0; {count} payload files, {size} bytes."


def check_payload(found: Examination) -> str:
    """3. SHA-256 of every payload file."""
    found.manifest = parse_manifest(found.archive.read(MANIFEST, MAX_LIST))
    stray = [path for path in found.manifest if not path.startswith(PAYLOAD)]
    if stray:
        raise ManifestError(f"{MANIFEST} lists what is not payload: {_some(stray)}")
    _check_hashes(found, found.manifest)
    return f"{len(found.manifest)} files have the SHA-256 listed in {MANIFEST}."


def check_tags(found: Examination) -> str:
    """4. SHA-256 of every other file; no file is missing and none is unlisted."""
    archive = found.archive
    tags = parse_manifest(archive.read(TAG_MANIFEST, MAX_LIST))
    listed = UNLISTED | set(tags) | set(parse_manifest(archive.read(MANIFEST, MAX_LIST)))
    missing, unlisted = sorted(listed - set(archive.members)), sorted(set(archive.members) - listed)
    if missing:
        raise PackageError(f"missing: {_some(missing)}")
    if unlisted:
        raise PackageError(f"unlisted: {_some(unlisted)}")
    wrong = [path for path in tags if path.startswith(PAYLOAD) or path in UNLISTED]
    if wrong:
        raise ManifestError(f"{TAG_MANIFEST} lists what it cannot: {_some(wrong)}")
    _check_hashes(found, tags)
    for path in UNLISTED:
        archive.read(path, MAX_LIST)
    return f"{len(tags)} files have the SHA-256 listed in {TAG_MANIFEST}; nothing is missing, nothing is unlisted."


def check_policy(found: Examination) -> str:
    """5. The key that must have signed the ledger, and whose word that is."""
    policy = Policy.parse(_text(found.archive, POLICY))
    if found.own_policy is not None:
        policy = found.own_policy
    if found.own_key is not None:
        policy = policy.pinned_to(found.own_key)
    if not policy.logs:
        raise PolicyError("the policy names no log")
    found.policy = policy
    keys = ", ".join(str(key) for key in policy.logs)
    whose = "given by you" if found.key_given else "found in the package, NOT yet compared with the published key"
    return f"Log key {whose}: {keys}. Quorum of witnesses: {policy.quorum}."


def check_inclusion(found: Examination) -> str:
    """6. Every event is in the ledger, at one checkpoint signed by the log."""
    entries = _ledger_entries(found.archive)
    note, accepted = "", None
    events = []
    for index in entries:
        proof = Proof.parse(_text(found.archive, f"{LEDGER}{index}.tlog-proof"))
        if accepted is None:
            note, accepted = str(proof.checkpoint), found.policy.accept(proof.checkpoint)
        if proof.index != index or str(proof.checkpoint) != note or proof.extra is not None:
            raise ProofError(f"the proof of event {index} is for another entry or another checkpoint")
        event = Event.parse(found.archive.read(f"{LEDGER}{index}.event", MAX_BODY))
        proof.verify_path(event.hash, accepted)
        events.append(event)
    if accepted is None:
        raise PackageError("the package has no events")
    tree = accepted.checkpoint
    if (found.info["Ledger-Origin"], found.info["Ledger-Size"]) != (tree.origin, str(tree.size)):
        raise PackageError(f"{BAG_INFO} names another ledger than the proofs")
    found.events, found.accepted = events, accepted
    witnesses = ", ".join(sorted(accepted.witnessed)) or "no witness"
    return (
        f"{len(events)} events are in the ledger {tree.origin} of {tree.size} entries; "
        f"signed by the log, cosigned by {witnesses}."
    )


def check_chains(found: Examination) -> str:
    """7. The events of every exhibit are whole: numbered from 1 without gap, each naming the one before."""
    found.streams = chains(found.events)
    whole = [len(chain) for chain in found.streams.values() if chain[0].exhibit is not None]
    rest = len(found.events) - sum(whole)
    return (
        f"{len(whole)} exhibits with {sum(whole)} events: no gap, no double, every link holds. "
        f"{rest} events of other records, as an excerpt."
    )


def check_package_seal(found: Examination) -> str:
    """8. A later ledger entry names this tag manifest and the last event of every exhibit."""
    if found.accepted is None:
        raise ProofError("no accepted checkpoint")
    tag_manifest = found.archive.read(TAG_MANIFEST, MAX_LIST)
    earlier = found.accepted.checkpoint
    expected = seal_data(found.archive.root, tag_manifest, found.streams, earlier.size)
    proof = Proof.parse(_text(found.archive, SEAL_PROOF))
    later = found.policy.accept(proof.checkpoint).checkpoint
    seal = check_seal(found.archive.read(SEAL_EVENT, MAX_BODY), expected, proof, earlier, later)
    return (
        f"Sealed at {seal.at} by entry {proof.index}; the ledger grew from {earlier.size} to {later.size} entries "
        "without a change to the earlier ones."
    )


def check_receipts(found: Examination) -> str:
    """9. Every payload file was received under an event of its own, with this hash, size, name and time."""
    rows = parse_files(found.archive.read(file_list.PATH, MAX_LIST))
    listed = {row.path: row.sha256 for row in rows}
    if len(listed) != len(rows) or listed != found.manifest:
        raise PackageError(f"{file_list.PATH} and {MANIFEST} list different files")
    sizes = {path: found.archive.members[path].size for path in listed}
    different = [row.path for row in rows if row.size != sizes[row.path]]
    if different:
        raise PackageError(f"{file_list.PATH} has another size for {_some(different)}")
    found.left_out = match_receipts(rows, found.streams)
    return f"{len(rows)} files, each received under its own event."


def _check_hashes(found: Examination, hashes: Mapping[str, str]) -> None:
    """Raises `PackageError` naming the files that are missing or do not have their hash."""

    def fault(path: str) -> str | None:
        if path not in found.archive.members:
            return f"{path} (missing)"
        digest = hashlib.sha256()
        try:
            for block in found.archive.chunks(path):
                digest.update(block)
        except ArchiveError as error:
            return str(error)
        return None if digest.hexdigest() == hashes[path] else path

    if found.threads == 1:
        faults = [fault(path) for path in hashes]
    else:
        with ThreadPoolExecutor(found.threads) as pool:
            faults = list(pool.map(fault, hashes))
    wrong = [text for text in faults if text is not None]
    if wrong:
        raise PackageError(f"not the listed SHA-256: {_some(wrong)}")


def _ledger_entries(archive: Archive) -> list[int]:
    """Indexes of the entries, ascending; each has an event and a proof, and nothing else lies beside them."""
    indexes: dict[str, set[str]] = {".event": set(), ".tlog-proof": set()}
    for path in archive.members:
        if path.startswith(LEDGER) and path != POLICY:
            stem, dot, extension = path.removeprefix(LEDGER).partition(".")
            if dot + extension not in indexes:
                raise PackageError(f"does not belong in the ledger directory: {path}")
            indexes[dot + extension].add(stem)
    if indexes[".event"] != indexes[".tlog-proof"]:
        unpaired = sorted(indexes[".event"] ^ indexes[".tlog-proof"])
        raise PackageError(f"an event without proof or a proof without event: {_some(unpaired)}")
    return sorted(from_decimal(stem) for stem in indexes[".event"])


def _text(archive: Archive, path: str) -> str:
    return from_utf8(archive.read(path, MAX_DOCUMENT))


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
