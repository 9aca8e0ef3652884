"""A bucket on any S3 server as a write-once store.

With Object Lock the *server* keeps a version from being deleted until its retention ends; without it this store is as
strong as its credentials are few. A lock holds a version, not a name: writing the key again makes a newer version and
deleting it a marker, so ``Stored.version`` must be kept and given back when reading.

Known limits: an upload of undeclared length ends at 10,000 parts of 8 MiB (78 GiB). The key is the file's id, not its
hash, so the server cannot tell a wrong file from a right one; our own SHA-256 does.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from xml.etree.ElementTree import Element

from casemgmt.storage.contract import (
    AlreadyStored,
    Capabilities,
    Leftover,
    Locked,
    NotStored,
    NotSupported,
    ObjectInfo,
    Progress,
    StoreError,
    StoreUnavailable,
    checked_key,
)
from casemgmt.storage.s3_http import Account, S3Http, content_md5, elements
from casemgmt.storage.s3_reader import S3Reader
from casemgmt.storage.s3_resumable import TAILS, S3Resumable, drop_tail
from casemgmt.storage.s3_sink import S3Sink

LockMode = Literal["GOVERNANCE", "COMPLIANCE"]
FIRST_LOCK = timedelta(days=1)
"""How long an object is locked from its first moment, until ``protect`` gives it its own period. Named in each upload:
a bucket's default retention would do the same on AWS, and lapses altogether after its period on versitygw 1.8."""


class S3Store:
    """See the module. ``mode`` is the kind of retention ``protect`` sets: GOVERNANCE can be lifted by an account with
    that special permission, COMPLIANCE by nobody before its end (a mistake lasts as long)."""

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        account: Account,
        *,
        mode: LockMode = "GOVERNANCE",
        prefix: str = "",
        ca_file: str | None = None,
    ) -> None:
        self.http = S3Http(endpoint, bucket, account, ca_file=ca_file)
        self.mode = mode
        self.prefix = prefix
        self._capabilities: Capabilities | None = None
        self.writers = ThreadPoolExecutor(8, "s3-write")
        self.readers = ThreadPoolExecutor(8, "s3-read")

    @property
    def address(self) -> str:
        return self.http.bucket_url

    @property
    def capabilities(self) -> Capabilities:
        if self._capabilities is None:
            lock = self._bucket_setting("object-lock", "ObjectLockConfiguration", "ObjectLockEnabled")
            versions = self._bucket_setting("versioning", "VersioningConfiguration", "Status")
            self._capabilities = Capabilities(versions, retention=lock, legal_hold=lock)
        return self._capabilities

    def prepare(self) -> None:
        """Make the bucket, with Object Lock where the server has it. A bucket that exists keeps its settings."""
        with suppress(NotStored):
            self.http.call("HEAD")
            return
        self.http.call("PUT", headers={"x-amz-bucket-object-lock-enabled": "true"})
        self._capabilities = None

    def name(self, key: str) -> str:
        """The object's name in the bucket."""
        return self.prefix + checked_key(key)

    def create(self, key: str, length: int | None = None) -> S3Sink:
        # Asked before any byte travels, and the only refusal on a server that ignores If-None-Match.
        with suppress(NotStored):
            self.http.call("HEAD", self.name(key))
            raise AlreadyStored(key)
        lock = self.lock_headers(datetime.now(UTC) + FIRST_LOCK) if self.capabilities.retention else {}
        return S3Sink(self.http, key, self.name(key), length, lock)

    def resume(self, key: str, length: int, progress: Progress) -> S3Resumable:
        # Also of one that has begun: its last process may have died between publishing and saying so.
        with suppress(NotStored):
            self.http.call("HEAD", self.name(key))
            raise AlreadyStored(key)
        lock = self.lock_headers(datetime.now(UTC) + FIRST_LOCK) if self.capabilities.retention else {}
        return S3Resumable(self.http, key, self.name(key), self._tails(key), length, lock, progress)

    def give_up(self, key: str, progress: Progress) -> None:
        if progress.upload:
            self.discard(Leftover(progress.upload, key, datetime.now(UTC)))
        drop_tail(self.http, progress)

    def _tails(self, key: str) -> str:
        return f"{self.prefix}{TAILS}{checked_key(key)}."

    def lock_headers(self, until: datetime) -> dict[str, str]:
        """What makes a write locked from its first moment."""
        return {"x-amz-object-lock-mode": self.mode, "x-amz-object-lock-retain-until-date": _stamp(until)}

    def open(self, key: str, start: int = 0, end: int | None = None, version: str | None = None) -> S3Reader:
        info = self._head(key, version)
        return S3Reader(
            self.http,
            self.name(key),
            # The version found now: whatever is written under the key while we read, we read one object.
            version or info.version,
            start,
            info.size if end is None else min(end, info.size),
        )

    def stat(self, key: str, version: str | None = None) -> ObjectInfo:
        info = self._head(key, version)
        if not self.capabilities.retention:
            return info
        # Asked for by themselves: HEAD leaves them out without a permission, and on some servers for older versions.
        until = self._lock_of(key, info.version, "retention", "RetainUntilDate")
        hold = self._lock_of(key, info.version, "legal-hold", "Status")
        return replace(info, retained_until=_time(until) if until else None, held=hold == "ON" if hold else None)

    def protect(self, key: str, version: str | None, until: datetime) -> None:
        if not self.capabilities.retention:
            # Not merely polite: some servers take the unknown request for a new object under this key.
            raise NotSupported(f"{self.address} has no Object Lock")
        self.set_retention(key, version, self.mode, until)

    def set_retention(
        self, key: str, version: str | None, mode: LockMode, until: datetime, *, bypass: bool = False
    ) -> None:
        """Ask the server to set this retention, whatever it is now; ``bypass`` claims the governance permission, which
        only the probe does."""
        body = f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{_stamp(until)}</RetainUntilDate></Retention>".encode()
        claim = {"x-amz-bypass-governance-retention": "true"} if bypass else {}
        query = {"retention": "", **_version(version)}
        self.http.call("PUT", self.name(key), query, body, {**content_md5(body), **claim})

    def hold(self, key: str, version: str | None, on: bool) -> None:
        if not self.capabilities.legal_hold:
            raise NotSupported(f"{self.address} has no Object Lock")
        body = f"<LegalHold><Status>{'ON' if on else 'OFF'}</Status></LegalHold>".encode()
        self.http.call("PUT", self.name(key), {"legal-hold": "", **_version(version)}, body, content_md5(body))

    def objects(self, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        query = {"list-type": "2", "prefix": self.prefix, "max-keys": str(min(limit, 1000))}
        if after:
            query["start-after"] = self.name(after)
        listing = elements(self.http.call("GET", "", query).data)
        return [
            ObjectInfo(
                item.findtext("Key", "").removeprefix(self.prefix),
                int(item.findtext("Size", "0")),
                _time(item.findtext("LastModified", "")),
            )
            for item in listing.findall("Contents")
            if not item.findtext("Key", "").startswith(self.prefix + TAILS)  # behind all others
        ]

    def leftovers(self, before: datetime) -> Iterator[Leftover]:
        query = {"uploads": "", "prefix": self.prefix}
        while True:
            listing = elements(self.http.call("GET", "", query).data)
            for upload in listing.findall("Upload"):
                leftover = self._leftover(upload)
                if leftover.started < before:
                    yield leftover
            if listing.findtext("IsTruncated") != "true":
                break
            query["key-marker"] = listing.findtext("NextKeyMarker", "")
            query["upload-id-marker"] = listing.findtext("NextUploadIdMarker", "")
        yield from self._left_tails(before)

    def _left_tails(self, before: datetime) -> Iterator[Leftover]:
        query = {"list-type": "2", "prefix": self.prefix + TAILS}
        while True:
            listing = elements(self.http.call("GET", "", query).data)
            for item in listing.findall("Contents"):
                name, started = item.findtext("Key", ""), _time(item.findtext("LastModified", ""))
                if started < before:
                    yield Leftover(name, name.removeprefix(self.prefix + TAILS).split(".")[0], started)
            if listing.findtext("IsTruncated") != "true":
                return
            query["continuation-token"] = listing.findtext("NextContinuationToken", "")

    def discard(self, leftover: Leftover) -> None:
        if leftover.name.startswith(self.prefix + TAILS):
            with suppress(NotStored):
                version = self.http.call("HEAD", leftover.name).headers.get("x-amz-version-id")
                drop_tail(self.http, Progress(tail=1, tail_name=leftover.name, tail_version=version))
            return
        with suppress(NotStored):  # finished or aborted since it was listed
            self.http.call("DELETE", self.name(leftover.key), {"uploadId": leftover.name})

    def close(self) -> None:
        self.writers.shutdown()
        self.readers.shutdown()
        self.http.close()

    def _leftover(self, upload: Element) -> Leftover:
        key = upload.findtext("Key", "").removeprefix(self.prefix)
        return Leftover(upload.findtext("UploadId", ""), key, _time(upload.findtext("Initiated", "")))

    def _head(self, key: str, version: str | None) -> ObjectInfo:
        try:
            head = self.http.call("HEAD", self.name(key), _version(version)).headers
        except NotStored:
            self._require_bucket()
            raise
        modified = parsedate_to_datetime(head["Last-Modified"])
        return ObjectInfo(key, int(head["Content-Length"]), modified, head.get("x-amz-version-id"))

    def _lock_of(self, key: str, version: str | None, query: str, element: str) -> str | None:
        """One lock setting of a version; None when it has none or we may not know."""
        try:
            answer = self.http.call("GET", self.name(key), {query: "", **_version(version)})
        except (NotStored, Locked, NotSupported):
            return None
        return elements(answer.data).findtext(element)

    def _bucket_setting(self, query: str, document: str, element: str) -> bool:
        """Whether a bucket setting is Enabled. A server without it answers an error, or something else altogether."""
        try:
            answer = elements(self.http.call("GET", "", {query: ""}).data)
        except StoreUnavailable:
            raise
        except StoreError:
            return False
        return answer.tag == document and answer.findtext(element) == "Enabled"

    def _require_bucket(self) -> None:
        try:
            self.http.call("HEAD")
        except NotStored:
            raise StoreUnavailable(f"there is no bucket {self.address}") from None


def _version(version: str | None) -> dict[str, str]:
    return {"versionId": version} if version else {}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
