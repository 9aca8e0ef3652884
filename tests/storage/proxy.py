"""A TCP proxy in front of a real server that swallows answers on demand: the request is carried out, nobody is told."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Proxy:
    """``swallow`` counts how many more answers to requests that begin with one of ``methods`` are cut off."""

    def __init__(self, upstream: str) -> None:
        target = urlsplit(upstream)
        self._target = (target.hostname or "", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.swallow = 0
        self.marker = b"PUT "
        self.after = 0
        """Bytes of the answer that still get through."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        doomed = False
        sent = 0
        with client, socket.create_connection(self._target) as server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            with suppress(OSError):
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                        if not data:
                            return
                        if key.fileobj is client and self.swallow and self._asks(data):
                            self.swallow -= 1
                            doomed, sent = True, 0
                        if key.fileobj is server and doomed:
                            client.sendall(data[: self.after - sent])
                            sent += len(data)
                            if sent >= self.after:
                                return
                            continue
                        key.data.sendall(data)

    def _asks(self, data: bytes) -> bool:
        return self.marker in data[:2048]


@contextmanager
def swallowing_proxy(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    yield proxy
    proxy.close()
