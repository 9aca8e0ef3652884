"""What makes the site an application on a phone: its manifest, its service worker, and what it keeps offline.

The service worker stands at the root, because its scope is the folder it comes from, and is never cached: an upgrade
must reach every phone with its next visit.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from casemgmt.core.assets import STATIC_ROOT, Assets
from casemgmt.core.i18n import gettext, pgettext

PAGES = ("/phone", "/phone/new", "/phone/more", "/phone/hand-over", "/phone/receive")
"""The pages that open without a network. They hold nothing of any person and are the same for everybody."""

_KEPT = ("js/", "vendor/hash-wasm", "vendor/uqr", "app.css", "icon.svg")
_LATER = ("vendor/zxing-reader.js", "vendor/zxing_reader.wasm")
_ICONS = ((192, "any"), (512, "any"), (192, "maskable"), (512, "maskable"))
_NO_CACHE = {"Cache-Control": "no-cache"}


def kept_files(assets: Assets) -> list[str]:
    """The addresses of the static files that a phone keeps: what its offline pages need."""
    return [assets.url(name) for name in assets.names() if name.startswith(_KEPT)]


def later_files(assets: Assets) -> dict[str, Any]:
    """The reader of codes, for browsers that have none of their own: kept when a phone asks, under its own version."""
    digest = hashlib.sha256()
    for name in _LATER:
        if found := assets.find(name):
            digest.update(found.content)
    return {"version": digest.hexdigest()[:12], "files": {name: assets.url(name) for name in _LATER}}


def page_address(path: str, language: str) -> str:
    """Where the worker fetches a page it keeps; it sends no cookies, so the language stands in the address."""
    return f"{path}?lang={language}"


def installable_routes(assets: Assets) -> list[HTTPRouteHandler]:
    @get("/sw.js", opt={"public": True}, include_in_schema=False)
    async def service_worker(request: Request[Any, Any, Any]) -> Response[bytes]:
        language = request.state.lang
        shell = {
            "version": f"{assets.version}-{language}",
            "pages": {path: page_address(path, language) for path in PAGES},
            "files": kept_files(assets),
            "later": later_files(assets),
        }
        script = b"const SHELL = " + msgspec.json.encode(shell) + b";\n" + (STATIC_ROOT / "sw.js").read_bytes()
        return Response(script, media_type="text/javascript", headers=_NO_CACHE)

    @get("/manifest.webmanifest", opt={"public": True}, include_in_schema=False)
    async def manifest(request: Request[Any, Any, Any]) -> Response[bytes]:
        content = {
            "id": "/",
            "name": gettext("Evidence register"),
            "short_name": pgettext("short name of the system", "Evidence"),
            "lang": request.state.lang,
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#0b2239",
            "theme_color": "#0b2239",
            "icons": [
                {
                    "src": assets.url(f"icons/{purpose}-{size}.png"),
                    "sizes": f"{size}x{size}",
                    "type": "image/png",
                    "purpose": purpose,
                }
                for size, purpose in _ICONS
            ],
            "shortcuts": [
                {
                    "name": gettext("New seizure"),
                    "url": "/phone/new",
                    "icons": [{"src": assets.url("icons/any-192.png"), "sizes": "192x192", "type": "image/png"}],
                },
                {"name": gettext("On this phone"), "url": "/phone"},
            ],
        }
        return Response(msgspec.json.encode(content), media_type="application/manifest+json", headers=_NO_CACHE)

    return [service_worker, manifest]
