"""A TCP proxy that cuts connections: a border post's network in front of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Cutting:
    """``cuts``: after how many bytes towards the server each of the next connections ends; later ones live."""

    def __init__(self, upstream: str, cuts: Iterable[int]) -> None:
        self._upstream = urlsplit(upstream)
        self._cuts = iter(cuts)
        self.carried = 0
        self.made = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = next(self._cuts, None)
        up_reader, up_writer = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        back = asyncio.create_task(self._back(up_reader, writer))
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if left is not None:
                    data, left = data[:left], left - len(data)
                self.carried += len(data)
                up_writer.write(data)
                await up_writer.drain()
                if left is not None and left <= 0:
                    self.made += 1
                    break
        back.cancel()
        for side in (up_writer, writer):
            side.transport.abort() if side is writer else side.close()
        with suppress(asyncio.CancelledError, OSError):
            await back

    @staticmethod
    async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def cutting(upstream: str, *cuts: int) -> AsyncIterator[tuple[str, Cutting]]:
    """The proxy's address, and the proxy."""
    proxy = Cutting(upstream, cuts)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy
    finally:
        server.close()
