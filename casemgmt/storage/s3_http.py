"""Signed requests to an S3 server: the minio client's signer over a connection pool of our own.

The client's own ``put_object`` pulls from a file object and would hold a thread for a slow phone's whole upload, hashes
each body again, and waits minutes for a dead server. Here a call is one request with short, known timeouts.

Bodies go unsigned (``UNSIGNED-PAYLOAD``): TLS protects them on the way and the CRC-32 in the signed headers is checked
by the server. Without TLS somebody on the wire could exchange a body; its SHA-256 in our ledger would tell.
"""

import base64
import hashlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import urllib3
from minio import time as minio_time
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3

from casemgmt.storage.contract import (
    AlreadyStored,
    Corrupted,
    Locked,
    NoSpace,
    NotStored,
    NotSupported,
    StagingLost,
    StoreError,
    StoreUnavailable,
)

UNSIGNED = "UNSIGNED-PAYLOAD"
RETRIED_STATUSES = (500, 502, 503, 504)
Query = Mapping[str, str]
Headers = Mapping[str, str]


class NoSuchUpload(NotStored, StagingLost):
    """The server knows no such multipart upload: it was completed, or it is gone with its parts."""


BY_CODE: dict[str, type[StoreError]] = {
    "NoSuchKey": NotStored,
    "NoSuchVersion": NotStored,
    "NoSuchUpload": NoSuchUpload,
    "InvalidPart": StagingLost,
    "NoSuchBucket": StoreUnavailable,
    "PreconditionFailed": AlreadyStored,
    "BadDigest": Corrupted,
    "XAmzContentChecksumMismatch": Corrupted,
    "InvalidDigest": Corrupted,
    "AccessDenied": Locked,
    "ObjectLocked": Locked,
    "NotImplemented": NotSupported,
    "MethodNotAllowed": NotSupported,
    "NoSuchObjectLockConfiguration": NotSupported,
    "ObjectLockConfigurationNotFoundError": NotSupported,
    "SlowDown": StoreUnavailable,
    "SignatureDoesNotMatch": StoreUnavailable,
    "InvalidAccessKeyId": StoreUnavailable,
    "RequestTimeTooSkewed": StoreUnavailable,
    "InsufficientStorage": NoSpace,
    "QuotaExceeded": NoSpace,
    "XMinioStorageFull": NoSpace,
}
BY_STATUS: dict[int, type[StoreError]] = {
    403: Locked,
    404: NotStored,
    405: NotSupported,
    409: StoreUnavailable,
    412: AlreadyStored,
    501: NotSupported,
    507: NoSpace,
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs. The secret stays out of ``repr`` and therefore out of logs."""

    access: str
    secret: str = field(repr=False)
    region: str = "us-east-1"


class S3Http:
    """Requests about one bucket. ``endpoint`` is ``https://host:port``; addressing is by path, as every server has."""

    def __init__(self, endpoint: str, bucket: str, account: Account, *, ca_file: str | None = None) -> None:
        self.bucket_url = f"{endpoint.rstrip('/')}/{bucket}"
        self._account = account
        self._credentials = Credentials(account.access, account.secret)
        trust = ssl.create_default_context(cafile=ca_file) if ca_file else None
        retries = urllib3.Retry(
            total=2,
            connect=1,
            read=1,
            redirect=0,
            backoff_factor=0.2,
            status_forcelist=RETRIED_STATUSES,
            allowed_methods=None,
            raise_on_status=False,
        )
        timeout = urllib3.Timeout(connect=3, read=20)
        self._calls = urllib3.PoolManager(maxsize=16, block=True, timeout=timeout, retries=retries, ssl_context=trust)
        # Readers keep a connection while their client is slow; a bounded pool would let them starve the writers.
        self._streams = urllib3.PoolManager(maxsize=16, timeout=timeout, retries=retries, ssl_context=trust)

    def call(
        self,
        method: str,
        key: str = "",
        query: Query | None = None,
        body: bytes | Sequence[bytes | memoryview] | None = None,
        headers: Headers | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """One request, answered whole. A list as body is sent part by part without being joined. Raises StoreError."""
        url, signed = self._signed(method, key, query or {}, body, headers or {})
        with named_errors(key):
            answer = self._calls.request(method, url, body=body, headers=signed)  # type: ignore[arg-type]
        _raise_for(answer.status, answer.data, key)
        return answer

    def stream(self, key: str, query: Query | None = None, headers: Headers | None = None) -> urllib3.BaseHTTPResponse:
        """A GET whose body the caller reads; it must be closed, or drained and released."""
        url, signed = self._signed("GET", key, query or {}, None, headers or {})
        with named_errors(key):
            answer = self._streams.request("GET", url, headers=signed, preload_content=False, decode_content=False)
            if answer.status >= 300:
                data = answer.read()
                answer.release_conn()
                _raise_for(answer.status, data, key)
        return answer

    def close(self) -> None:
        self._calls.clear()
        self._streams.clear()

    def _signed(
        self,
        method: str,
        key: str,
        query: Query,
        body: bytes | Sequence[bytes | memoryview] | None,
        headers: Headers,
    ) -> tuple[str, dict[str, str]]:
        # The signer splits each pair at "=": a subresource without a value must still carry one.
        words = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
        url = urlsplit(f"{self.bucket_url}{'/' if key else ''}{quote(key)}{'?' if words else ''}{words}")
        now = minio_time.utcnow()
        own: dict[str, str | list[str] | tuple[str]] = {
            **headers,
            "Host": url.netloc,
            "x-amz-content-sha256": UNSIGNED,
            "x-amz-date": minio_time.to_amz_date(now),
        }
        if body is not None and not isinstance(body, bytes):
            own["Content-Length"] = str(sum(map(len, body)))
        signed = sign_v4_s3(
            method=method,
            url=url,
            region=self._account.region,
            headers=own,
            credentials=self._credentials,
            content_sha256=UNSIGNED,
            date=now,
        )
        return url.geturl(), {name: str(value) for name, value in signed.items()}


@contextmanager
def named_errors(key: str) -> Iterator[None]:
    """Turn what urllib3 raises into the store's own family."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailable(f"{key}: {error}") from error


def content_md5(body: bytes) -> dict[str, str]:
    """The header S3 demands on requests that change a lock; protects nothing here."""
    return {"Content-MD5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}


def checksum(crc32: int) -> str:
    """A CRC-32 as S3 writes it."""
    return base64.b64encode(crc32.to_bytes(4, "big")).decode()


def elements(data: bytes) -> ElementTree.Element:
    """An XML answer with the namespaces taken off (servers disagree about them). Raises StoreError."""
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - the store itself is trusted with more than this
    except ElementTree.ParseError as error:
        raise StoreError(f"the store answered with something else than XML: {data[:200]!r}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def error_of(data: bytes) -> tuple[str, str]:
    """Code and message of an S3 error document; empty when it is none (HEAD, proxies)."""
    try:
        root = elements(data)
    except StoreError:
        return "", ""
    return root.findtext("Code", ""), root.findtext("Message", "")


def _raise_for(status: int, data: bytes, key: str) -> None:
    if status < 300:
        return
    code, message = error_of(data)
    kind = BY_CODE.get(code) or BY_STATUS.get(status) or (StoreUnavailable if status >= 500 else StoreError)
    raise kind(f"{key or 'bucket'}: {status} {code} {message}".rstrip())
