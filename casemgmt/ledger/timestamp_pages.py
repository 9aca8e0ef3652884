"""The ledger's timestamps: a page, and for each the stamped bytes and the answer, as openssl wants them."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.core.errors import NotFound
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger import timestamps

_NOTE, _REPLY = "text/plain; charset=utf-8", "application/timestamp-reply"


@get("/ledger/timestamps")
async def listed(request: AnyRequest) -> Template:
    actor, state = actor_of(request), request.app.state
    given = request.query_params.get("below", "")
    below = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
    async with state.database.begin(actor) as db:
        rows = await timestamps.newest(db, below=below, limit=timestamps.PAGE + 1)
        outage = await timestamps.outage(db)
    authorities = state.signing.authorities
    return page(
        request, "ledger/timestamps.html",
        rows=rows[: timestamps.PAGE], more=rows[timestamps.PAGE - 1].size if len(rows) > timestamps.PAGE else None,
        outage=outage, authorities=authorities.names if authorities else [],
        demonstration=authorities is not None and authorities.demonstration,
    )  # fmt: skip


@get("/ledger/timestamps/{size:int}/checkpoint", opt={"public": True})
async def stamped_note(request: AnyRequest, size: FromPath[int]) -> Response[bytes]:
    """The exact bytes of the checkpoint that was timestamped."""
    content = await _found(request, "select convert_to(note, 'UTF8') from ledger.timestamp where size = $1", size)
    return Response(content, media_type=_NOTE, headers=_file(f"checkpoint-{size}"))


@get("/ledger/timestamps/{size:int}/response", opt={"public": True})
async def response(request: AnyRequest, size: FromPath[int]) -> Response[bytes]:
    """The authority's answer (RFC 3161, DER)."""
    content = await _found(request, "select response from ledger.timestamp where size = $1", size)
    return Response(content, media_type=_REPLY, headers=_file(f"checkpoint-{size}.tsr"))


@get("/ledger/timestamp-ca.pem", opt={"public": True})
async def certificates(request: AnyRequest) -> Response[bytes]:
    """The CA certificates of the configured authorities: to be compared with what these publish themselves."""
    authorities = request.app.state.signing.authorities
    if authorities is None:
        raise NotFound
    return Response(authorities.chain_pem, media_type="application/x-pem-file", headers=_file("timestamp-ca.pem"))


async def _found(request: AnyRequest, query: str, size: int) -> bytes:
    if not 0 < size < 1 << 63:
        raise NotFound
    found: bytes | None = await request.app.state.database.call(query, size)
    if found is None:
        raise NotFound
    return found


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


handlers = [listed, stamped_note, response, certificates]
