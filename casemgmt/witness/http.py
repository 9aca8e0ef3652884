"""A small HTTP/1.1 server for small requests: one thread, bounded bodies, bounded time, bounded connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h11

from casemgmt.trust.witness import MAX_REQUEST
from casemgmt.witness.answering import Answer

PATIENCE = 15.0  # seconds for a whole request, waiting on a kept connection included
CONNECTIONS = 64
_HEAD = 8_192  # bytes of request line and headers

Handler = Callable[[str, str, bytes], Answer]


class TooLargeError(Exception):
    """The body is larger than any request of the protocol."""


class Server:
    """Answers requests below ``prefix`` (no slash at its end). ``handler`` gets method, path below it, and body."""

    def __init__(self, handler: Handler, prefix: str = "") -> None:
        self._handler, self._prefix, self._open = handler, prefix, 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for ``asyncio.start_server``."""
        self._open += 1
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD)
        try:
            while self._open <= CONNECTIONS and await self._exchange(connection, reader, writer):
                connection.start_next_cycle()
        except (ConnectionError, TimeoutError, h11.LocalProtocolError):
            pass  # the other side is gone, or too slow to be waited for
        finally:
            self._open -= 1
            writer.close()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Read one request and answer it; says whether another may follow on this connection."""
        async with asyncio.timeout(PATIENCE):
            head_only = False
            try:
                request = await _next(connection, reader, writer)
                if not isinstance(request, h11.Request):
                    return False
                head_only = request.method == b"HEAD"
                body = await _body(connection, reader, writer)
                answer = self._answer(request, body)
            except h11.RemoteProtocolError as error:
                answer = Answer(error.error_status_hint, "this is not HTTP as it should be\n")
            except TooLargeError:
                answer = Answer(413, f"a request has at most {MAX_REQUEST} bytes\n")
            content = answer.body.encode()
            headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(content)))]
            if connection.their_state is not h11.DONE:
                headers.append(("Connection", "close"))
            writer.write(connection.send(h11.Response(status_code=answer.status, headers=headers)) or b"")
            if not head_only:
                writer.write(connection.send(h11.Data(content)) or b"")
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    def _answer(self, request: h11.Request, body: bytes) -> Answer:
        path = request.target.decode("ascii", "replace").partition("?")[0]
        if not path.startswith(self._prefix + "/"):
            return Answer(404, "there is nothing here\n")
        return self._handler(request.method.decode("ascii", "replace"), path.removeprefix(self._prefix), body)


async def _next(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        connection.receive_data(await reader.read(16_384))
    return event


async def _body(connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    body = bytearray()
    while isinstance(event := await _next(connection, reader, writer), h11.Data):
        body += event.data
        if len(body) > MAX_REQUEST:
            raise TooLargeError
    return bytes(body)
