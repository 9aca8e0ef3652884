"""The files under ``static/``, held in memory and addressed by their content; modules of ours without comments.

Every address carries one version, the hash of the whole folder:
``/static/3f9c1b2a7d40/js/app.js``. The modules import each other by relative addresses, so
the version has to be a folder: a query string would be lost at the first import, and an old
module would outlive an upgrade in the browser's cache. A browser may keep a versioned answer
for ever; an address with an old version is answered with the present file, not kept.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, HeaderParameter

STATIC_ROOT = Path(__file__).resolve().parent.parent / "static"

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
_FOREVER = "public, max-age=31536000, immutable"
_COMMENT = re.compile(rb"^[ \t]*//.*$", re.MULTILINE)
_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"(\.[^"]+)";', re.MULTILINE)

# The scripts that may compile WebAssembly: they work apart from any page, and reach nothing but their own module.
_WASM = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
_POLICIES = {"js/scan-worker.js": f"{_WASM}; connect-src 'self'", "js/phone/hash-worker.js": _WASM}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    gzipped: bytes | None


class Assets:
    """All servable files of one folder, read once. Files of other types are not served."""

    def __init__(self, root: Path = STATIC_ROOT) -> None:
        self._files: dict[str, Asset] = {}
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            media_type = _MEDIA_TYPES.get(path.suffix)
            if media_type is None:
                continue
            name = path.relative_to(root).as_posix()
            content = _on_the_line(name, path.read_bytes())
            self._files[name] = Asset(content, media_type, _smaller(content))
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file. An unknown name is a ``KeyError``: a template is wrong."""
        if name not in self._files:
            raise KeyError(f"no such static file: {name}")
        return f"/static/{self.version}/{name}"

    def find(self, name: str) -> Asset | None:
        return self._files.get(name)

    def modules(self, *names: str) -> list[str]:
        """The addresses of these modules and of all they import before they run, for a page that names them at once.

        Otherwise a browser learns of one module only from another, and waits a whole journey for every link of a chain.
        """
        found: dict[str, None] = {}
        queue = list(names)
        while queue:
            name = queue.pop(0)
            if name not in found:
                found[name] = None
                others = _IMPORT.findall(self._files[name].content.decode())
                queue += [posixpath.normpath(posixpath.join(posixpath.dirname(name), other)) for other in others]
        return [self.url(name) for name in found]

    def names(self) -> list[str]:
        """All names, in order."""
        return list(self._files)


def _on_the_line(name: str, content: bytes) -> bytes:
    """Our own modules without their comments, line for line: these are for us, and a fifth of what a phone would load.

    A comment that does not stand on lines of its own stays. The modules have no text of several lines that could look
    like one; a test holds that.
    """
    return _COMMENT.sub(b"", content) if name.startswith("js/") else content


def _smaller(content: bytes) -> bytes | None:
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    return packed if len(packed) < len(content) else None


def asset_route(assets: Assets) -> HTTPRouteHandler:
    """``GET /static/<version>/<path>``, open to everybody: it holds nothing of any case."""

    @get("/static/{version:str}/{name:path}", opt={"public": True}, include_in_schema=False)
    async def static_file(
        version: FromPath[str],
        name: FromPath[str],
        accept_encoding: Annotated[str, HeaderParameter(name="accept-encoding")] = "",
    ) -> Response[bytes]:
        asset = assets.find(name.lstrip("/"))
        if asset is None:
            raise NotFoundException
        headers = {
            "Cache-Control": _FOREVER if version == assets.version else "no-cache",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if policy := _POLICIES.get(name.lstrip("/")):
            headers["Content-Security-Policy"] = policy
        content = asset.content
        if asset.gzipped is not None and "gzip" in accept_encoding:
            content = asset.gzipped
            headers["Content-Encoding"] = "gzip"
        return Response(content, media_type=asset.media_type, headers=headers)

    return static_file
