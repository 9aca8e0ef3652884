"""The line between a telephone and the server: it can be taken away, and cut in the middle of an upload."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_OFFSET = re.compile(rb"^PATCH [^\r\n]+\r\n(?:[^\r\n]+\r\n)*?upload-offset: (\d+)\r\n", re.IGNORECASE | re.MULTILINE)
_BLOCK = 65536


class Line:
    """Passes bytes on as they are. ``offsets`` are those at which the phone began to send, in order."""

    def __init__(self, server: str) -> None:
        self._there = urlsplit(server)
        self._open: set[asyncio.StreamWriter] = set()
        self.address = ""
        self.up = True
        self.cut_after: int | None = None
        """Bytes of one PATCH after which the connection breaks, once."""
        self.offsets: list[int] = []

    def take_away(self) -> None:
        self.up = False
        for writer in list(self._open):
            writer.close()

    async def serve(self, phone: asyncio.StreamReader, to_phone: asyncio.StreamWriter) -> None:
        if not self.up:
            to_phone.close()
            return
        server, to_server = await asyncio.open_connection(self._there.hostname, self._there.port)
        self._open |= {to_phone, to_server}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._up(phone, to_server, to_phone))
                tasks.create_task(self._down(server, to_phone))
        except* OSError:
            pass  # one side has hung up
        finally:
            self._open -= {to_phone, to_server}
            for writer in (to_phone, to_server):
                writer.close()

    async def _up(
        self, phone: asyncio.StreamReader, to_server: asyncio.StreamWriter, to_phone: asyncio.StreamWriter
    ) -> None:
        patched = 0
        sending = False
        while block := await phone.read(_BLOCK):
            if found := _OFFSET.search(block):
                self.offsets.append(int(found[1]))
                patched, sending = 0, True
            patched += len(block) if sending else 0
            to_server.write(block)
            await to_server.drain()
            if sending and self.cut_after is not None and patched >= self.cut_after:
                self.cut_after = None
                await asyncio.sleep(0.2)  # what is on its way arrives
                to_phone.transport.abort()
                to_server.transport.abort()
                return
        with suppress(OSError):
            to_server.write_eof()

    async def _down(self, server: asyncio.StreamReader, to_phone: asyncio.StreamWriter) -> None:
        while block := await server.read(_BLOCK):
            to_phone.write(block)
            await to_phone.drain()
        to_phone.close()


@asynccontextmanager
async def line_to(server: str) -> AsyncIterator[Line]:
    line = Line(server)
    listening = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.address = f"http://localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        line.take_away()
        listening.close()
