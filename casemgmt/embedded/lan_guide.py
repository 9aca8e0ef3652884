"""The one page served without HTTPS: how a telephone comes to trust this machine. It shows no records."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import segno
import uvicorn
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.response import Template

from casemgmt.core import i18n
from casemgmt.core.assets import Assets, asset_route
from casemgmt.core.render import page, template_config
from casemgmt.core.web.headers import security_headers
from casemgmt.embedded.lan import LanFiles
from casemgmt.server import WebServer

AUTHORITY = "casemgmt-local-network.crt"


@get("/")
async def guide(request: Request[Any, Any, Any]) -> Template:
    state = request.app.state
    language = i18n.choose_language(None, None, request.headers.get("accept-language"), state.language)
    i18n.activate(language)
    request.state.lang = language
    return page(request, "embedded/lan.html", url=state.url, authority=AUTHORITY, fingerprint=state.files.fingerprint)


@get(f"/{AUTHORITY}")
async def authority(request: Request[Any, Any, Any]) -> Response[bytes]:
    return Response(request.app.state.files.authority, media_type="application/x-x509-ca-cert")


def guide_app(url: str, files: LanFiles, language: str) -> Litestar:
    assets = Assets()
    return Litestar(
        route_handlers=[guide, authority, asset_route(assets)],
        state=State({"url": url, "files": files, "language": language}),
        template_config=template_config(assets),
        before_send=[security_headers],
        openapi_config=None,
        logging_config=None,
    )


async def serve_guide(app: Litestar, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve the page until ``stop`` is set."""
    config = uvicorn.Config(app, http="httptools", ws="none", log_config=None, access_log=False, server_header=False)
    server = WebServer(config, lambda: None)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    await stop.wait()
    server.should_exit = True
    await serving


def invitation(url: str, guide_url: str, files: LanFiles) -> str:
    """What the terminal shows: two codes to scan, and the fingerprint to compare."""
    return "\n".join(
        [
            "",
            f"1. Once on each telephone, open {guide_url} and install the certificate.",
            "   Its SHA-256 fingerprint must be:",
            f"   {files.fingerprint[:47]}",
            f"   {files.fingerprint[48:]}",
            _code(guide_url),
            f"2. Then open {url}",
            _code(url),
        ]
    )


def _code(address: str) -> str:
    modules = [list(row) for row in segno.make_qr(address, error="m").matrix_iter(border=2)]
    if len(modules) % 2:
        modules.append([0] * len(modules[0]))
    halves = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    rows = zip(modules[::2], modules[1::2], strict=True)
    return "\n".join("   " + "".join(halves[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in rows)
