"""A resumable upload to S3: a multipart upload whose parts go up as they fill, and the bytes behind them as an object
of their own until there are enough for a part.

``write`` sends full parts; ``save`` sends the rest as a tail object under a new name, and the old one goes when the
application has kept the new progress. A cut so costs at most one part up and down again. A process that is killed
loses what was not saved: the application keeps ``progress`` whenever a part was sent.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from casemgmt.storage.contract import Corrupted, NotStored, Part, Progress, StagingLost, Stored, StoreError
from casemgmt.storage.s3_http import S3Http
from casemgmt.storage.s3_sink import S3Sink, crc32_of

TAILS = "~tails/"
"""Sorts behind every key, so that listings of objects end before it."""


class S3Resumable(S3Sink):
    """See the module. ``tails`` is what the name of a tail object begins with."""

    def __init__(
        self, http: S3Http, key: str, name: str, tails: str, length: int, lock: dict[str, str], progress: Progress
    ) -> None:
        super().__init__(http, key, name, length, lock)
        self._tails = tails
        self._mark = progress.mark or secrets.token_hex(16)
        self._upload = progress.upload
        self._done = [(part.etag, part.crc32) for part in progress.parts]
        self._progress = progress
        self._superseded: list[Progress] = []
        if progress.tail:
            self._take_tail(progress)
        self._first = (list(self._done), list(self._buffer), self._buffered)

    def _take_tail(self, progress: Progress) -> None:
        query = {"versionId": progress.tail_version} if progress.tail_version else None
        try:
            data = self._http.call("GET", progress.tail_name, query).data
        except NotStored as error:
            raise StagingLost(f"{progress.tail_name}: {progress.tail} bytes are gone") from error
        if len(data) != progress.tail:
            raise Corrupted(f"{progress.tail_name}: {len(data)} bytes of {progress.tail}")
        self._buffer, self._buffered = [data], len(data)

    @property
    def offset(self) -> int:
        return len(self._done) * self._part_size + self._buffered

    @property
    def progress(self) -> Progress:
        parts = tuple(Part(*done) for done in self._done)
        if parts != self._progress.parts or not self._progress.mark:
            # Parts went up, or were taken back, since the last save: the tail of then is not behind them any more.
            self._become(Progress(len(parts) * self._part_size, upload=self._upload, mark=self._mark, parts=parts))
        return self._progress

    def reread(self) -> Iterator[bytes] | None:
        return None if self._done else iter([bytes(piece) for piece in self._buffer])

    def rewind(self) -> None:
        done, buffer, self._buffered = self._first
        self._done, self._buffer = list(done), list(buffer)

    def save(self) -> None:
        now = self.progress
        if self.offset == now.received and self._buffered == now.tail:
            return
        name, version = f"{self._tails}{secrets.token_hex(8)}", None
        if self._buffered:
            headers = {"Content-Type": "application/octet-stream"}
            answer = self._http.call("PUT", name, None, list(self._buffer), headers)
            version = answer.headers.get("x-amz-version-id")
        self._become(
            replace(now, received=self.offset, tail=self._buffered, tail_name=name, tail_version=version),
        )

    def _become(self, progress: Progress) -> None:
        if self._progress.tail:
            self._superseded.append(self._progress)
        self._progress = progress

    def kept(self) -> None:
        for old in self._superseded:
            drop_tail(self._http, old)
        self._superseded = []

    def commit(self, sha256: str, crc32: int | None, size: int) -> Stored:
        if self.offset != size:
            raise Corrupted(f"{self._key}: {self.offset} bytes staged, {size} hashed")
        version = self._complete(crc32) if self._upload else self._put(crc32_of(self._buffer))
        self.kept()
        drop_tail(self._http, self._progress)
        return Stored(self._key, size, sha256, crc32 or 0, version)

    def abort(self) -> None:
        """Nothing: what is staged stays."""

    def close(self) -> None:
        self._buffer, self._buffered = [], 0


def drop_tail(http: S3Http, progress: Progress) -> None:
    """Remove a tail, as far as the store lets us; the sweeper finds what stays."""
    if progress.tail:
        with suppress(StoreError):
            query = {"versionId": progress.tail_version} if progress.tail_version else None
            http.call("DELETE", progress.tail_name, query)
