"""One upload to S3: a single conditional PUT when it is small, a multipart upload when it is not.

A thread is busy for one part at a time, never for a whole upload. Memory: one part.
"""

import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress

from casemgmt.storage.contract import (
    AlreadyStored,
    NotStored,
    Stored,
    StoreError,
    StoreUnavailable,
)
from casemgmt.storage.s3_http import S3Http, checksum, elements, error_of

MIB = 1 << 20
PART = 8 * MIB
MAX_PARTS = 10_000
MARK = "x-amz-meta-upload"


class S3Sink:
    """Every object carries the random mark of its upload, so that a commit whose answer was lost can be told from
    somebody else's object under the same key."""

    def __init__(self, http: S3Http, key: str, name: str, length: int | None, lock: dict[str, str]) -> None:
        self._http, self._key, self._name, self._lock = http, key, name, lock
        self._part_size = part_size(length)
        self._mark = secrets.token_hex(16)
        self._upload = ""
        self._done: list[tuple[str, str]] = []  # ETag and CRC-32 of each part sent
        self._buffer: list[bytes | memoryview] = []
        self._buffered = 0

    def write(self, parts: Sequence[bytes]) -> None:
        for part in parts:
            rest = memoryview(part)
            while self._buffered + len(rest) >= self._part_size:
                room = self._part_size - self._buffered
                self._buffer.append(rest[:room])
                self._send_part()
                rest = rest[room:]
            if rest:
                self._buffer.append(rest)
                self._buffered += len(rest)

    def commit(self, sha256: str, crc32: int, size: int) -> Stored:
        try:
            version = self._complete(crc32) if self._upload else self._put(crc32)
        except BaseException:
            self.abort()
            raise
        self._upload = ""
        return Stored(self._key, size, sha256, crc32, version)

    def abort(self) -> None:
        self._buffer, self._buffered = [], 0
        if self._upload:
            with suppress(StoreError):
                self._http.call("DELETE", self._name, {"uploadId": self._upload})
            self._upload = ""

    def _send_part(self) -> None:
        if not self._upload:
            self._upload = self._start()
        if len(self._done) == MAX_PARTS:
            raise StoreError(f"{self._key}: more than {MAX_PARTS} parts of {self._part_size} bytes")
        crc = checksum(crc32_of(self._buffer))
        query = {"partNumber": str(len(self._done) + 1), "uploadId": self._upload}
        answer = self._http.call("PUT", self._name, query, self._buffer, {"x-amz-checksum-crc32": crc})
        self._done.append((answer.headers["ETag"], crc))
        self._buffer, self._buffered = [], 0

    def _start(self) -> str:
        headers = {
            "Content-Type": "application/octet-stream",
            MARK: self._mark,
            **self._lock,
            # The server checks the CRC-32 of the whole against what commit names; older ones ignore both headers.
            "x-amz-checksum-algorithm": "CRC32",
            "x-amz-checksum-type": "FULL_OBJECT",
        }
        started = elements(self._http.call("POST", self._name, {"uploads": ""}, headers=headers).data)
        if not (upload := started.findtext("UploadId")):
            raise StoreError(f"{self._key}: the store began an upload without an id")
        return upload

    def _put(self, crc32: int) -> str | None:
        headers = {
            "Content-Type": "application/octet-stream",
            "If-None-Match": "*",
            "x-amz-checksum-crc32": checksum(crc32),
            MARK: self._mark,
            **self._lock,
        }
        try:
            return self._http.call("PUT", self._name, None, self._buffer, headers).headers.get("x-amz-version-id")
        except AlreadyStored:
            return self._settled()

    def _complete(self, crc32: int | None) -> str | None:
        if self._buffered:
            self._send_part()
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><ChecksumCRC32>{crc}</ChecksumCRC32></Part>"
            for number, (etag, crc) in enumerate(self._done, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        headers = {"If-None-Match": "*", "x-amz-checksum-type": "FULL_OBJECT"}
        if crc32 is not None:
            headers["x-amz-checksum-crc32"] = checksum(crc32)
        try:
            answer = self._http.call("POST", self._name, {"uploadId": self._upload}, body, headers)
        except AlreadyStored:
            return self._settled()
        except NotStored as gone:  # it was completed by an attempt before, or it is nowhere
            try:
                return self._settled()
            except NotStored:
                raise gone from None
        if elements(answer.data).tag == "Error":  # S3 sends 200 to keep the connection alive and then changes its mind
            code, message = error_of(answer.data)
            kind = AlreadyStored if code == "PreconditionFailed" else StoreUnavailable
            raise kind(f"{self._key}: {code} {message}")
        return answer.headers.get("x-amz-version-id")

    def _settled(self) -> str | None:
        """The version, when the object that is there is ours: the first answer was lost and the request repeated."""
        head = self._http.call("HEAD", self._name).headers
        if head.get(MARK) != self._mark:
            raise AlreadyStored(self._key)
        return head.get("x-amz-version-id")


def part_size(length: int | None) -> int:
    """8 MiB, or as many whole MiB as keep an upload of that length under 10,000 parts."""
    needed = -(-(length or 0) // MAX_PARTS)
    return max(PART, -(-needed // MIB) * MIB)


def crc32_of(pieces: Sequence[bytes | memoryview]) -> int:
    crc = 0
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
    return crc
