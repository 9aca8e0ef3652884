"""Serving the application over HTTP: one uvicorn per process, stopped by an event instead of by a signal."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from casemgmt.settings import Settings, load

_GRACE = 10  # seconds running requests get when the server stops; a stuck upload would hold it for ever

Stopped = asyncio.Event


class WebServer(uvicorn.Server):
    """uvicorn that leaves signals to its owner, and says when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn's own version raises the signal again afterwards, which ends the process before it has tidied up.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def configuration(settings: Settings, app: Any, certificate: tuple[Path, Path] | None = None) -> uvicorn.Config:
    """How we run uvicorn; ``app`` is an application, or with several processes the address of its factory.

    ``certificate``: files of a certificate and its key, to serve HTTPS ourselves.
    """
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,  # what people looked at is recorded as events, not in a file without access rules
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        limit_concurrency=200,  # a stalled upload holds about 1 MiB
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow starts: a port in use is then known at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


async def serve_until(
    stop: Stopped, server: WebServer, listener: socket.socket, *beside: Coroutine[Any, Any, None]
) -> None:
    """Serve, and run the coroutines ``beside`` it, until ``stop`` is set or one of them ends; then stop all.

    The coroutines must end soon after ``stop`` is set. SIGINT and SIGTERM set it; a second one stops waiting for
    them and for running requests. The first error of any of them is raised when everything has stopped.
    """
    tasks = [asyncio.ensure_future(work) for work in (server.serve(sockets=[listener]), *beside)]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())

    def on_signal() -> None:
        if stop.is_set():
            server.force_exit = True
            for task in tasks[1:]:
                task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    await stop.wait()
    server.should_exit = True
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


def application() -> Any:
    """The application of one of several web processes, each of which reads its own settings."""
    from casemgmt.app import create_app  # noqa: PLC0415  (the other users of this module bring their application)

    return create_app(load())
