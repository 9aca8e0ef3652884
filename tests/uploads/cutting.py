"""TCP proxies that cut connections: a border post's network in front of real servers."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_OFFSET = re.compile(rb"(?i)\r\nupload-offset: *(\d+)\r\n")


class Cutting:
    """``cuts``: after how many bytes towards the server each of the next connections ends; later ones live."""

    def __init__(self, upstream: str, cuts: Iterable[int | None]) -> None:
        self._upstream = upstream
        self._cuts = iter(cuts)
        self._open: set[asyncio.StreamWriter] = set()
        self.offsets: list[int] = []
        """Of the pieces that clients sent, in their order."""
        self.made = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = next(self._cuts, None)
        connected = await self._connected()
        if connected is None:
            writer.transport.abort()
            return
        up_reader, up_writer = connected
        self._open |= {writer, up_writer}
        back = asyncio.create_task(self._back(up_reader, writer))
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if left is not None:
                    data, left = data[:left], left - len(data)
                self.offsets += [int(found) for found in _OFFSET.findall(data)]
                up_writer.write(data)
                await up_writer.drain()
                if left is not None and left <= 0:
                    self.made += 1
                    break
        back.cancel()
        self._open -= {writer, up_writer}
        for side in (up_writer, writer):
            side.transport.abort() if side is writer else side.close()
        with suppress(asyncio.CancelledError, OSError):
            await back

    def cut_all(self) -> None:
        """End every connection there is now."""
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        return await _to(self._upstream)

    @staticmethod
    async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()


class Network(Cutting):
    """In front of several servers: each connection goes to one that answers, and one in three is cut somewhere."""

    def __init__(self, servers: Sequence[str], chance: random.Random) -> None:
        super().__init__("", self._somewhere())
        self._servers, self._random = servers, chance
        self.quiet = True
        """Until it is set to False, nothing is cut."""

    def _somewhere(self) -> Iterable[int | None]:
        while True:
            cut = not self.quiet and self._random.random() < 0.33
            yield int(math.exp(self._random.uniform(math.log(100), math.log(4e6)))) if cut else None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for server in self._random.sample(self._servers, len(self._servers)):
            with suppress(OSError):
                return await _to(server)
        return None


async def _to(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(address)
    return await asyncio.open_connection(parts.hostname, parts.port)


@asynccontextmanager
async def cutting(upstream: str, *cuts: int) -> AsyncIterator[tuple[str, Cutting]]:
    """The proxy's address, and the proxy."""
    async with _served(Cutting(upstream, cuts)) as served:
        yield served


@asynccontextmanager
async def network(servers: Sequence[str], chance: random.Random) -> AsyncIterator[tuple[str, Network]]:
    """The address of a bad network before these servers, and the proxy that is it."""
    proxy = Network(servers, chance)
    async with _served(proxy) as (address, _):
        yield address, proxy


@asynccontextmanager
async def _served(proxy: Cutting) -> AsyncIterator[tuple[str, Cutting]]:
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy
    finally:
        server.close()
