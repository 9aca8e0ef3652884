"""What the log shows to everybody (C2SP tlog-tiles): its published checkpoint, hash tiles under it, its key.

Hashes only: entries are read by those who may see what they are about, and by nobody else. ``tile/entries`` does not
exist here.
"""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from casemgmt.core.errors import NotFound
from casemgmt.core.web.signin import AnyRequest
from casemgmt.trust.errors import TreeError
from casemgmt.trust.hashing import HASH_SIZE
from casemgmt.trust.tiles import FULL_WIDTH, TILE_HEIGHT, parse_tile_path

_TEXT = "text/plain; charset=utf-8"
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_TALLEST = 63 // TILE_HEIGHT
_LAST = 2**63 // FULL_WIDTH

# The widest form is kept; a narrower one is its beginning. What the published checkpoint does not cover is not shown.
_TILE = """
select substr(t.data, 1, $3 * $4) from ledger.newest_published() p
  join ledger.tile t on t.level = $1 and t.n = $2 and t.width >= $3
 where $2::bigint * 256 + $3 <= p.size >> (8 * $1)
 order by t.width desc limit 1"""


@get("/ledger/checkpoint", opt={"public": True})
async def checkpoint(request: AnyRequest) -> Response[str]:
    """The newest published checkpoint, with the signatures of the log and of the witnesses the policy asks for."""
    note = await request.app.state.database.call("select note from ledger.newest_published()")
    return _public(note)


@get("/ledger/tile/{path:path}", opt={"public": True}, include_in_schema=False)
async def tile(request: AnyRequest, path: FromPath[str]) -> Response[bytes]:
    """``<level>/<number>[.p/<width>]`` as the format spells it; any other spelling does not exist."""
    try:
        wanted = parse_tile_path(f"tile{path}")
    except TreeError:
        raise NotFound from None
    if wanted.level > _TALLEST or wanted.number >= _LAST:
        raise NotFound
    data = await request.app.state.database.call(_TILE, wanted.level, wanted.number, wanted.width, HASH_SIZE)
    if data is None:
        raise NotFound
    return Response(data, media_type="application/octet-stream", headers=_FOR_GOOD)


@get("/ledger/key", opt={"public": True})
async def key(request: AnyRequest) -> Response[str]:
    """The log's verifier key, to be compared with the one the agency publishes on paper."""
    vkey = await request.app.state.database.call("select vkey from ledger.log")
    return _public(f"{vkey}\n" if vkey else None)


def _public(text: str | None) -> Response[str]:
    if text is None:
        raise NotFound
    return Response(text, media_type=_TEXT, headers={"Cache-Control": "no-cache"})


handlers = [checkpoint, tile, key]
