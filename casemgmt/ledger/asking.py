"""One question to one witness over HTTP/1.1: bounded in time and in what is read, whatever the other side does."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from casemgmt.trust.witness import MAX_ANSWER

_CHUNK = 16_384


class NoAnswerError(Exception):
    """The witness was not reached, or what it sent is not an answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    body: bytes


async def post(prefix: str, body: bytes, patience: float) -> Reply:
    """POST ``body`` to ``<prefix>/add-checkpoint``. No redirect is followed.

    Raises TimeoutError after ``patience`` seconds, NoAnswerError.
    """
    where = urlsplit(prefix)
    tls = ssl.create_default_context() if where.scheme == "https" else None
    port = where.port or (443 if tls else 80)
    host = where.hostname or ""
    headers = [
        ("Host", where.netloc.rpartition("@")[2]), ("User-Agent", "casemgmt"), ("Connection", "close"),
        ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))),
    ]  # fmt: skip
    async with asyncio.timeout(patience):
        try:
            reader, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host if tls else None)
        except (OSError, ssl.SSLError, UnicodeError) as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        try:
            connection = h11.Connection(h11.CLIENT)
            target = where.path.rstrip("/") + "/add-checkpoint"
            for event in (h11.Request(method="POST", target=target, headers=headers), h11.Data(body)):
                writer.write(connection.send(event) or b"")
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            return await _reply(connection, reader)
        except (OSError, ssl.SSLError, h11.ProtocolError) as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        finally:
            writer.close()


async def _reply(connection: h11.Connection, reader: asyncio.StreamReader) -> Reply:
    status, content_type, body = 0, "", bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            content_type = next((v.decode("latin-1") for k, v in event.headers if k == b"content-type"), "")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_ANSWER:
                raise NoAnswerError(f"its answer is longer than {MAX_ANSWER} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return Reply(status, content_type, bytes(body))
        elif isinstance(event, h11.ConnectionClosed):
            raise NoAnswerError("it closed the connection without an answer")
