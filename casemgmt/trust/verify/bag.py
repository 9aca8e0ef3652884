"""Steps 1 to 4: the archive, the bag, and the hash of every file.

Numbers and order are those of ``docs/spec/verification.md``.  Each check answers what it found or raises a
`TrustError` that names the fault.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from casemgmt.trust import withheld
from casemgmt.trust.contents import is_report
from casemgmt.trust.encoding import from_decimal, shown
from casemgmt.trust.errors import ArchiveError, ManifestError, PackageError
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
from casemgmt.trust.package import SEAL_EVENT, SEAL_PROOF
from casemgmt.trust.promise import NONE, SIGNATURE, TIMESTAMP, Promise
from casemgmt.trust.verify.examination import MAX_DOCUMENT, MAX_LIST, Examination
from casemgmt.trust.verify.findings import Finding, some
from casemgmt.trust.verify.reader import Archive

SEAL = frozenset({TAG_MANIFEST, SEAL_EVENT, SEAL_PROOF})
"""Files the tag manifest cannot list: itself, and the seal that names its hash."""

_LABELS = {"Payload-Oxum", "External-Identifier", "Bagging-Date", "Ledger-Origin", "Ledger-Size"}


def check_archive(found: Examination) -> Finding:
    """1. Only stored files of one bag, and every other byte of the archive follows from them."""
    found.archive = Archive(found.stream)
    return Finding(f"{len(found.archive.members)} files in {found.archive.size} bytes, stored, in the agreed layout.")


def check_bag(found: Examination) -> Finding:
    """2. BagIt 1.0; number and sum of the payload's bytes; the bag's name; what it promises."""
    archive = found.archive
    if archive.read(BAGIT, MAX_DOCUMENT) != DECLARATION:
        raise ManifestError(f"{BAGIT} does not declare BagIt 1.0 in UTF-8")
    info = parse_info(archive.read(BAG_INFO, MAX_DOCUMENT))
    promise = Promise.parse(info)
    missing = _LABELS - set(info)
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
    found.promise, found.info = promise, info
    size, _, count = oxum.partition(".")
    return Finding(f"BagIt 1.0; {count} payload files, {size} bytes.")


def check_payload(found: Examination) -> Finding:
    """3. SHA-256 of every payload file."""
    found.manifest = parse_manifest(found.archive.read(MANIFEST, MAX_LIST))
    stray = [path for path in found.manifest if not path.startswith(PAYLOAD)]
    if stray:
        raise ManifestError(f"{MANIFEST} lists what is not payload: {some(stray)}")
    _check_hashes(found, found.manifest)
    return Finding(f"{len(found.manifest)} files have the SHA-256 listed in {MANIFEST}.")


def check_tags(found: Examination) -> Finding:
    """4. SHA-256 of every other file; no file is missing and none is unlisted or was not promised."""
    archive = found.archive
    promise = Promise.parse(parse_info(archive.read(BAG_INFO, MAX_DOCUMENT)))
    unlisted = SEAL | promise.files
    tags = parse_manifest(archive.read(TAG_MANIFEST, MAX_LIST))
    payload = parse_manifest(archive.read(MANIFEST, MAX_LIST))
    listed = unlisted | set(tags) | set(payload)
    missing, more = sorted(listed - set(archive.members)), sorted(set(archive.members) - listed)
    if missing:
        raise PackageError(f"missing: {some(missing)}")
    if more:
        raise PackageError(f"unlisted: {some(more)}")
    wrong = [path for path in tags if path.startswith(PAYLOAD) or path in SEAL | {SIGNATURE, TIMESTAMP}]
    if wrong:
        raise ManifestError(f"{TAG_MANIFEST} lists what it cannot: {some(wrong)}")
    _check_hashes(found, tags)
    for path in unlisted:
        archive.read(path, MAX_LIST)
    if (withheld.PATH in tags) != bool(promise.withheld):
        raise PackageError(f"{BAG_INFO} and {withheld.PATH} do not agree on whether anything is withheld")
    if promise.report != NONE and not any(is_report(path) for path in payload):
        raise PackageError(f"{BAG_INFO} promises a signed report, and there is none")
    return Finding(
        f"{len(tags)} files have the SHA-256 listed in {TAG_MANIFEST}; nothing is missing, nothing is unlisted."
    )


def _check_hashes(found: Examination, hashes: Mapping[str, str]) -> None:
    """Raises `PackageError` naming the files that are missing or do not have their hash.

    Their CRC-32 is not computed: the SHA-256 says more, and both places of the CRC were compared in step 1.
    """

    def fault(path: str) -> str | None:
        if path not in found.archive.members:
            return f"{path} (missing)"
        try:
            digest = found.archive.sha256(path)
        except ArchiveError as error:
            return str(error)
        return None if digest == hashes[path] else path

    if found.threads == 1:
        faults = [fault(path) for path in hashes]
    else:
        # the largest first, so that no thread is left alone with one at the end
        order = sorted(hashes, key=lambda path: -found.archive.size_of(path))
        with ThreadPoolExecutor(found.threads) as pool:
            by_path = dict(zip(order, pool.map(fault, order), strict=True))
        faults = [by_path[path] for path in hashes]
    wrong = [text for text in faults if text is not None]
    if wrong:
        raise PackageError(f"not the listed SHA-256: {some(wrong)}")
