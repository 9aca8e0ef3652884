"""Steps 11 and 12: the organisation's signature and the timestamp, which the ``openssl`` command checks."""

from datetime import UTC, datetime

from casemgmt.trust.contents import ORGANISATION_CA, TIMESTAMP_CA, is_report
from casemgmt.trust.errors import SignatureInvalidError, TrustError
from casemgmt.trust.manifest import TAG_MANIFEST
from casemgmt.trust.promise import NONE, SIGNATURE, TIMESTAMP
from casemgmt.trust.verify.examination import MAX_DOCUMENT, MAX_LIST, Examination
from casemgmt.trust.verify.findings import Finding, Outcome
from casemgmt.trust.verify.openssl import OpenSsl, Signer, Stamp
from casemgmt.trust.verify.pdf import signed_pdf

_NO_OPENSSL = Finding("Needs the openssl command, version 3 or later, which is not here.", Outcome.NOT_CHECKED)


def check_organisation(found: Examination) -> Finding:
    """11. CAdES over the tag manifest, PAdES over every report."""
    promise = found.promise
    if promise.organisation == promise.report == NONE:
        return Finding("The package says that the organisation has not signed it.", Outcome.NONE)
    if found.openssl is None:
        return _NO_OPENSSL
    ca = _ca(found, found.brought.ca, ORGANISATION_CA, "organisation")
    signers: dict[Signer, None] = {}
    later: list[str] = []
    parts = 0
    for what, content, signature in _signed_parts(found):
        signer, note = _verify(found, found.openssl, what, content, signature, ca)
        signers[signer] = None
        later += note
        parts += 1
    mark = ""
    if any(signer.demonstration for signer in signers):
        found.demonstration.add("organisation")
        mark = "DEMONSTRATION signature, worth nothing outside a demonstration. "
    kinds = " and ".join(kind for kind in (promise.organisation, promise.report) if kind != NONE)
    whose = "given by you" if found.brought.ca else "found in the package, NOT yet compared with the published one"
    by = "; ".join(map(str, signers))
    inside = " Timestamps inside them are not checked here." if "-B-T" in kinds else ""
    return Finding(f"{mark}{kinds}: {parts} signatures hold, by {by}. CA {whose}.{inside}" + "".join(later[:1]))


def check_timestamp(found: Examination) -> Finding:
    """12. RFC 3161 over the tag manifest."""
    if found.promise.timestamp == NONE:
        return Finding("The package says that it has no timestamp.", Outcome.NONE)
    if found.openssl is None:
        return _NO_OPENSSL
    stamp = _stamp(found, found.openssl)
    mark = ""
    if stamp.authority.demonstration:
        found.demonstration.add("timestamp")
        mark = "DEMONSTRATION authority, worth nothing outside a demonstration. "
    whose = (
        "given by you"
        if found.brought.timestamp_ca
        else "found in the package, NOT yet compared with the published one"
    )
    since = " Its certificate has expired since; it held at that time." if stamp.expired else ""
    return Finding(
        f"{mark}The tag manifest existed at {_shown(stamp.time)}, says {stamp.authority}. CA {whose}.{since}"
    )


def _signed_parts(found: Examination) -> list[tuple[str, bytes, bytes]]:
    """What is signed, the bytes it covers, the signature."""
    archive = found.archive
    parts = []
    if found.promise.organisation != NONE:
        parts.append((SIGNATURE, archive.read(TAG_MANIFEST, MAX_LIST), archive.read(SIGNATURE, MAX_DOCUMENT)))
    if found.promise.report != NONE:
        reports = filter(is_report, archive.members)
        parts += [(path, *signed_pdf(archive.read(path, MAX_LIST))) for path in reports]
    return parts


def _verify(
    found: Examination, openssl: OpenSsl, what: str, content: bytes, signature: bytes, ca: bytes
) -> tuple[Signer, list[str]]:
    """Now, or else at the time of the package's own timestamp: certificates expire, what they signed does not."""
    try:
        return openssl.verify_signature(content, signature, ca), []
    except SignatureInvalidError as now:
        if found.promise.timestamp == NONE:
            raise SignatureInvalidError(f"{what}: {now}") from now
        try:
            stamp = _stamp(found, openssl)
            signer = openssl.verify_signature(content, signature, ca, at=stamp.time)
        except TrustError:
            raise SignatureInvalidError(f"{what}: {now}") from now
        whose = "" if found.brought.timestamp_ca else ", whose authority you have NOT yet compared"
        return signer, [
            f" Its certificate has expired since; it held at the time of the timestamp, {_shown(stamp.time)}{whose}."
        ]


def _stamp(found: Examination, openssl: OpenSsl) -> Stamp:
    if found.stamp is None:
        ca = _ca(found, found.brought.timestamp_ca, TIMESTAMP_CA, "timestamp")
        content = found.archive.read(TAG_MANIFEST, MAX_LIST)
        found.stamp = openssl.verify_timestamp(content, found.archive.read(TIMESTAMP, MAX_DOCUMENT), ca)
    return found.stamp


def _ca(found: Examination, brought: bytes | None, path: str, what: str) -> bytes:
    if brought is not None:
        return brought
    found.package_keys.add(what)
    return found.archive.read(path, MAX_DOCUMENT)


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
