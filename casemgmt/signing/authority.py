"""Timestamp authorities, asked one after the other until one gives a valid timestamp."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3
from cryptography import x509
from urllib3.util import make_headers

from casemgmt.signing.certificates import DEMONSTRATION, to_pem
from casemgmt.signing.errors import AuthorityError, NoTimestampError
from casemgmt.signing.tokens import Token, check_response, make_request

LONGEST_ANSWER = 64 * 1024  # bytes; a token with its whole chain has some 10 KB


@dataclass(frozen=True, slots=True)
class Stamped:
    """A verified timestamp. ``response`` is the DER to keep as ``.tsr``; ``token`` the CMS object inside."""

    response: bytes
    token: bytes
    time: datetime
    authority: str
    policy: str


class Authority(Protocol):
    """One authority. ``name`` is its host; ``trusted`` the CA certificates its timestamps must lead to."""

    name: str
    policy: str | None
    trusted: Sequence[x509.Certificate]

    def ask(self, request: bytes) -> bytes:
        """Send a DER request and return the answer, unread. Blocks, for a bounded time. Raises AuthorityError."""
        ...


class HttpAuthority:
    """RFC 3161 over HTTP. The whole exchange takes at most ``timeout`` seconds; redirects are not followed."""

    def __init__(self, url: str, trusted: Sequence[x509.Certificate], policy: str | None, timeout: float) -> None:
        parts = urlsplit(url)
        self.name = parts.hostname or ""
        self.trusted, self.policy = trusted, policy
        self._timeout = timeout
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        if parts.username is not None:
            user, password = unquote(parts.username), unquote(parts.password or "")
            self._headers |= make_headers(basic_auth=f"{user}:{password}")
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1)

    def ask(self, request: bytes) -> bytes:
        until = time.monotonic() + self._timeout
        try:
            answer = self._pool.request(
                "POST", self._url, body=request, headers=self._headers, preload_content=False, redirect=False,
                retries=False, timeout=urllib3.Timeout(total=self._timeout), decode_content=False,
            )  # fmt: skip
            try:
                if answer.status != 200:
                    raise AuthorityError(f"answered with HTTP status {answer.status}")
                return self._read(answer, until)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise AuthorityError(f"cannot be asked: {type(error).__name__}") from error

    def _read(self, answer: urllib3.BaseHTTPResponse, until: float) -> bytes:
        """A server that sends a byte now and then must not hold us longer than one that sends none."""
        content = bytearray()
        while block := answer.read1(8192):
            content += block
            if len(content) > LONGEST_ANSWER:
                raise AuthorityError(f"answered with more than {LONGEST_ANSWER} bytes")
            if time.monotonic() > until:
                raise AuthorityError(f"did not finish its answer within {self._timeout:.0f} seconds")
        return bytes(content)


class Authorities:
    """The configured authorities in their order."""

    def __init__(self, authorities: Sequence[Authority]) -> None:
        self._authorities = tuple(authorities)

    def __iter__(self) -> Iterator[Authority]:
        return iter(self._authorities)

    @property
    def names(self) -> Sequence[str]:
        return [authority.name for authority in self._authorities]

    @property
    def chain_pem(self) -> bytes:
        """The CA certificates of all of them: what a verifier passes to ``openssl ts -verify`` as ``-CAfile``."""
        return to_pem(dict.fromkeys(c for authority in self._authorities for c in authority.trusted))

    @property
    def demonstration(self) -> bool:
        return any(DEMONSTRATION in c.subject.rfc4514_string().upper() for a in self._authorities for c in a.trusted)

    async def stamp(self, content: bytes) -> Stamped:
        """A timestamp over the SHA-256 of ``content``. Raises NoTimestampError when nobody gave a valid one."""
        return await asyncio.to_thread(self.stamp_digest, hashlib.sha256(content).digest())

    def stamp_digest(self, digest: bytes, algorithm: str = "sha256") -> Stamped:
        """The same for a digest; blocks."""
        reasons = []
        for authority in self._authorities:
            request = make_request(digest, algorithm, authority.policy)
            try:
                token: Token = check_response(authority.ask(request.der), request, authority.trusted)
            except AuthorityError as error:
                reasons.append(f"{authority.name}: {error}")
            else:
                return Stamped(token.response, token.token, token.time, authority.name, token.policy)
        raise NoTimestampError(reasons)
