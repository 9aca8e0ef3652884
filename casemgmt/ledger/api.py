"""Proofs and exact bytes of single events, for programs. What everybody may see is in ``monitor``."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger import proofs, queries
from casemgmt.ledger.models import Entry

_TEXT = "text/plain; charset=utf-8"


@get("/api/v1/events/{code:str}/proof")
async def event_proof(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """The event's inclusion proof at the newest published checkpoint (c2sp.org/tlog-proof); 409 while there is none."""
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await queries.entry(db, request.app.state.codes.decode("event", code))
        proof = await proofs.proof_of_entry(db, found.id)
    return Response(str(proof), media_type=_TEXT, headers=_attachment(found, "tlog-proof"))


@get("/api/v1/events/{code:str}/body")
async def event_body(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """The exact bytes of the event: its leaf in the tree is the hash of a zero byte and these."""
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await queries.entry(db, request.app.state.codes.decode("event", code))
    return Response(found.body, media_type="application/json", headers=_attachment(found, "event"))


def _attachment(entry: Entry, extension: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{entry.event_id}.{extension}"'}


handlers = [event_proof, event_body]
