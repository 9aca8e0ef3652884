"""multipart/form-data (RFC 7578) read as a stream: first the fields, then the files one after another.

No temporary file, no whole file in memory. Fields must precede files, because the token and the declared hash have to
be known before the first byte of evidence is taken in: in a page, file inputs come last.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Literal, TypeVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from casemgmt.core.ingest import IDLE

Got = TypeVar("Got")
Fault = Literal[
    "content-type", "malformed", "disposition", "encoding", "order", "too-many-parts", "field-too-large", "cut", "slow"
]
WORDS: dict[Fault, str] = {
    "content-type": "not multipart/form-data with a boundary of 1 to 70 characters",
    "malformed": "the form's bytes do not follow RFC 7578",
    "disposition": "a part does not say which field it is",
    "encoding": "a name or a field is not UTF-8 text",
    "order": "a field came after a file",
    "too-many-parts": "the form has too many parts",
    "field-too-large": "the form's fields are too large",
    "cut": "the form ended before its last boundary",
    "slow": "the form's fields arrived too slowly",
}


class BadForm(Exception):
    """The request's body is not a form we take. ``fault`` is for programs and translations."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(WORDS[fault])
        self.fault: Fault = fault

    @property
    def status(self) -> int:
        """The HTTP status that says it."""
        return {"too-many-parts": 413, "field-too-large": 413, "slow": 408, "content-type": 415}.get(self.fault, 400)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, except ``parts`` and ``headers``. Files have no limit here: whoever takes one in gives it."""

    parts: int = 200
    headers: int = 16
    header: int = 4 << 10
    field: int = 64 << 10
    fields: int = 256 << 10


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of the form. ``filename`` and ``content_type`` are the client's claims, as sent. ``chunks`` must be read
    to its end before the next file is asked for; it has no time limit of its own, as ``ingest`` brings one."""

    name: str
    filename: str
    content_type: str
    chunks: AsyncIterator[bytes]


class Form:
    """A form whose fields have been read and whose files are still on their way."""

    def __init__(self, parts: "_Parts", fields: dict[str, list[str]], first: "_Head | None", idle: float) -> None:
        self.fields = fields
        self._parts, self._next, self._idle = parts, first, idle

    def first(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return self.fields.get(name, [default])[0]

    async def files(self) -> AsyncIterator[FilePart]:
        """The files in the order sent; empty file inputs are left out. Raises BadForm, also when the last boundary
        never came, so a caller that publishes only after the end has a complete form."""
        while (head := self._next) is not None:
            self._next = None
            if head.filename is None:
                raise BadForm("order")
            if head.filename:
                yield FilePart(head.name, head.filename, head.content_type, self._parts.data())
            else:
                await self._pass_empty_input()
            self._next = await _in_time(self._parts.head(), self._idle)

    async def _pass_empty_input(self) -> None:
        async for chunk in self._parts.data():
            if chunk:
                raise BadForm("disposition")


async def read_form(
    content_type: str, chunks: AsyncIterator[bytes], limits: Limits | None = None, *, idle: float = IDLE
) -> Form:
    """Read the fields, up to the first file or the end; ``idle`` seconds for all of them. Raises BadForm."""
    parts = _Parts(content_type, chunks, limits or Limits())
    return await _in_time(_read_fields(parts, idle), idle)


async def _read_fields(parts: "_Parts", idle: float) -> Form:
    fields: dict[str, list[str]] = {}
    total = 0
    while (head := await parts.head()) is not None and head.filename is None:
        value = bytearray()
        async for chunk in parts.data():
            value += chunk
            total += len(chunk)
            if len(value) > parts.limits.field or total > parts.limits.fields:
                raise BadForm("field-too-large")
        fields.setdefault(head.name, []).append(_text(bytes(value)))
    return Form(parts, fields, head, idle)


@dataclass(frozen=True, slots=True)
class _Head:
    name: str
    filename: str | None
    content_type: str


class _End:
    """A part has ended."""


class _Parts:
    """The push parser turned round: pulls chunks and gives heads and data."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes], limits: Limits) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
            raise BadForm("content-type")
        self.limits = limits
        self._chunks = chunks
        self._events: deque[_Head | bytes | _End] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._count = 0
        self._inside = False
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": lambda: self._events.append(_End()),
                "on_end": self._end,
            },
            max_header_count=limits.headers,
            max_header_size=limits.header,
        )
        self._parser.logger = logging.Logger("form", logging.CRITICAL)  # a bad form is answered, not logged

    async def head(self) -> "_Head | None":
        """The next part's head; None after the last boundary."""
        if self._inside:
            raise RuntimeError("the file before was not read to its end")
        event = await self._event()
        if event is None:
            return None
        if not isinstance(event, _Head):
            raise BadForm("malformed")
        self._inside = True
        return event

    async def data(self) -> AsyncIterator[bytes]:
        """The data of the part whose head was given."""
        while isinstance(event := await self._event(), bytes):
            yield event
        self._inside = False

    async def _event(self) -> "_Head | bytes | _End | None":
        while not self._events:
            if self._complete:
                return None
            try:
                self._parser.write(await anext(self._chunks))
            except StopAsyncIteration:
                raise BadForm("cut") from None
            except FormParserError:
                raise BadForm("malformed") from None
        return self._events.popleft()

    def _begin(self) -> None:
        self._count += 1
        if self._count > self.limits.parts:
            raise BadForm("too-many-parts")
        self._headers = {}

    def _header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise BadForm("disposition")
        filename = options.get(b"filename")
        content_type = self._headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
        self._events.append(
            _Head(
                _text(options[b"name"]),
                None if filename is None else filename.decode("utf-8", "replace"),
                content_type,
            )
        )

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data if end - start == len(data) else data[start:end])

    def _end(self) -> None:
        self._complete = True


async def _in_time(work: Awaitable[Got], idle: float) -> Got:
    try:
        async with asyncio.timeout(idle):
            return await work
    except TimeoutError:
        raise BadForm("slow") from None


def _text(value: bytes) -> str:
    """Text as a form may hold it: UTF-8, and without the NUL that no keyboard sends and PostgreSQL does not store."""
    if b"\x00" in value:
        raise BadForm("encoding")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadForm("encoding") from None
