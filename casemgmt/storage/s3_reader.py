"""A range of an S3 object, read as the client takes it."""

from types import TracebackType
from typing import Self

from urllib3 import BaseHTTPResponse

from casemgmt.storage.contract import Corrupted, StoreUnavailable
from casemgmt.storage.s3_http import S3Http, named_errors


class S3Reader:
    """Servers hang up on a reader that is slow for long (a phone downloading a package); then the rest is asked for
    again, of the same version. Two failures without a byte between them raise StoreUnavailable."""

    def __init__(self, http: S3Http, name: str, version: str | None, start: int, end: int) -> None:
        self._http, self._name = http, name
        self._query = {"versionId": version} if version else {}
        self._at, self._end = start, end
        self._answer: BaseHTTPResponse | None = None

    def read(self, n: int) -> bytes:
        wanted = min(n, self._end - self._at)
        if wanted <= 0:
            return b""
        try:
            block = self._take(wanted)
        except StoreUnavailable:
            self.close()
            block = self._take(wanted)
        self._at += len(block)
        return block

    def _take(self, wanted: int) -> bytes:
        if self._answer is None:
            span = f"bytes={self._at}-{self._end - 1}"
            self._answer = self._http.stream(self._name, self._query, {"Range": span})
            # By this header and not by the status: rclone sends a part with 200.
            sent = self._answer.headers.get("Content-Range", "bytes 0-")
            if not sent.startswith(f"bytes {self._at}-"):
                self.close()
                raise Corrupted(f"{self._name}: asked for {span}, got {sent}")
        with named_errors(self._name):
            block = self._answer.read(wanted)
        if not block:
            raise StoreUnavailable(f"{self._name}: ended {self._end - self._at} bytes short")
        return block

    def close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            if self._at < self._end:
                answer.close()  # an unread body must not go back to the pool
            answer.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
