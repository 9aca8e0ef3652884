"""One event, shown as it was recorded."""

from __future__ import annotations

import json

from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger import proofs, queries


@get("/events/{code:str}")
async def event(request: AnyRequest, code: FromPath[str]) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await queries.entry(db, request.app.state.codes.decode("event", code))
        place = await proofs.place_of(db, found.id)
    body = json.loads(found.body)
    return page(
        request, "ledger/event.html",
        event=found, code=code, place=place, who=body["actor"].get("name", ""),
        readable=json.dumps(body, ensure_ascii=False, indent=2), leaf_hash=found.leaf_hash.hex(),
        prev=body["prev"], means=(body["data"].get("signature") or {}).get("means"),
    )  # fmt: skip


handlers = [event]
