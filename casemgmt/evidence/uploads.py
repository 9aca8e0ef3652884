"""What a request says of the file it carries, and reading the request's bytes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from litestar.types import HTTPReceiveMessage, WebSocketReceiveMessage

from casemgmt.core.body import body
from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import N_
from casemgmt.core.ingest import Refused
from casemgmt.core.web.headers import UNREAD
from casemgmt.core.web.signin import AnyRequest
from casemgmt.evidence.schemas import NewFile

DRAIN_BYTES = 32 << 20
DRAIN_SECONDS = 5.0

_GEO = re.compile(r"geo:(-?\d{1,3}(?:\.\d{1,9})?),(-?\d{1,3}(?:\.\d{1,9})?)(?:;u=(\d{1,8}(?:\.\d{1,3})?))?", re.ASCII)


class Upload:
    """A request's body, read once. ``started`` tells whether anybody asked for its first byte."""

    def __init__(self, request: AnyRequest) -> None:
        self.started = False
        # A plain form was read before the handler was called: to ask for more is to wait until the sender gives up.
        self._read_before = request.state.get("form") is not None
        self._ended = False
        self._ask = request.receive
        self._chunks = body(self._receive)
        self._state = request.scope["state"]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._read_before:
            raise StopAsyncIteration
        self.started = True
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self._ended = True
            raise

    async def _receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        """Notes the last piece: to ask for more after it is to wait until the sender gives up."""
        message = await self._ask()
        if message["type"] == "http.request" and not message["more_body"]:
            self._ended = True
        return message

    async def drain(self) -> bool:
        """Read what is still coming, within limits, so that the sender reads our answer instead of a reset. True when
        its end was reached; otherwise the connection is closed after the answer, or it could drip on for ever."""
        if not self._ended and not self._read_before:
            self._chunks = body(self._receive)  # whoever stopped listening in the middle of a wait ended the first one
            self._ended = await drain(self)
            self._state[UNREAD] = not self._ended
        return self._ended or self._read_before


async def drain(chunks: AsyncIterator[bytes]) -> bool:
    """Read and forget at most 32 MiB or 5 seconds of it; True when its end was reached."""
    left = DRAIN_BYTES
    with suppress(TimeoutError, Refused):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return False
            return True
    return False


def described_by_headers(
    request: AnyRequest, client_id: UUID, *, seizure_id: int | None = None, exhibit_id: int | None = None
) -> NewFile:
    """A raw body's headers as a NewFile. Raises Invalid for a hash, time or place that cannot be read.

    ``Content-Type``, ``Content-Length``; ``X-Content-SHA256`` (hex) or ``Content-Digest``/``Repr-Digest`` (RFC 9530);
    ``X-File-Name`` (percent-encoded UTF-8); ``X-Captured-At`` (RFC 3339); ``X-Captured-Place`` (RFC 5870,
    ``geo:42.87,74.59;u=12``); ``X-Photo-Shows`` (a photo point). ``?kind=photo`` asks us to take nothing but pictures
    and films.
    """
    headers = request.headers
    length = headers.get("content-length", "")
    latitude, longitude, accuracy = captured_place(headers.get("x-captured-place"), "x-captured-place")
    return NewFile(
        client_id=client_id,
        seizure_id=seizure_id,
        exhibit_id=exhibit_id,
        kind="photo" if request.query_params.get("kind") == "photo" else "file",
        name=unquote(headers.get("x-file-name", ""), errors="replace"),
        declared_type=headers.get("content-type", ""),
        declared_sha256=_declared_hash(headers),
        size=int(length) if length.isascii() and length.isdigit() else None,
        device_at=moment(headers.get("x-captured-at"), "x-captured-at"),
        latitude=latitude,
        longitude=longitude,
        accuracy_m=accuracy,
        shows=headers.get("x-photo-shows") or None,
    )


def moment(value: str | None, name: str) -> datetime | None:
    """A claimed time, RFC 3339 with its offset; None when nothing is claimed. Raises Invalid."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1970 <= found.year <= 9998:
        raise Invalid({name: N_("This is not a date and time.")})
    return found


def number(value: str | None, name: str) -> Decimal | None:
    """A claimed number; None when nothing is claimed. Raises Invalid."""
    if not value:
        return None
    try:
        return Decimal(value.strip()[:40])
    except InvalidOperation:
        raise Invalid({name: N_("This must be a number, for example 12.5.")}) from None


def _declared_hash(headers: Any) -> str | None:
    if plain := headers.get("x-content-sha256", "").strip():
        return str(plain)
    for name in ("content-digest", "repr-digest"):
        found = re.search(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):", headers.get(name, ""))
        if found:
            with suppress(binascii.Error):
                return base64.b64decode(found.group(1), validate=True).hex()
            raise Invalid({name: N_("This is not written in the expected form.")})
    return None


def captured_place(value: str | None, name: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Latitude, longitude and accuracy out of a geo URI (RFC 5870); None when nothing is claimed. Raises Invalid."""
    if not value:
        return None, None, None
    found = _GEO.fullmatch(value.strip())
    if found is None:
        raise Invalid({name: N_("This is not written in the expected form.")})
    latitude, longitude, accuracy = found.groups()
    return Decimal(latitude), Decimal(longitude), Decimal(accuracy) if accuracy else None
