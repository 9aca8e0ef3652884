"""``casemgmt serve``: web processes over a configured database and store."""

import argparse
import asyncio
import socket
from collections.abc import Sequence

import uvloop
from uvicorn.supervisors import Multiprocess

from casemgmt.app import create_app
from casemgmt.server import WebServer, configuration, listen, serve_until
from casemgmt.settings import Settings, load


def main(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="casemgmt serve",
        description="Serves the application. All it needs to know comes from CASEMGMT_* variables; "
        "see the administrator's guide.",
    ).parse_args(argv)
    settings = load()
    with listen(settings.host, settings.port) as listener:
        if settings.workers > 1:
            config = configuration(settings, "casemgmt.server:application")
            Multiprocess(config, sockets=[listener]).run()
        else:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, listener))
    return 0


async def _serve(settings: Settings, listener: socket.socket) -> None:
    server = WebServer(configuration(settings, create_app(settings)), lambda: print(f"Serving {settings.public_url}"))
    await serve_until(asyncio.Event(), server, listener)
