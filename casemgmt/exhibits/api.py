"""Exhibits as JSON."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath

from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.exhibits import queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.seizures.scopes import choose


def exhibit_json(exhibit: Exhibit, codes: Codes) -> dict[str, Any]:
    """An exhibit as it is said wherever it appears. ``custody`` is the head of its chain, which a hand-over follows."""
    return {
        "id": codes.encode("exhibit", exhibit.id),
        "number": exhibit.number,
        "seizure_id": codes.encode("seizure", exhibit.seizure_id),
        "category": exhibit.category,
        "description": exhibit.description,
        "quantity": None if exhibit.quantity is None else f"{exhibit.quantity:f}",
        "unit": exhibit.unit,
        "basis": exhibit.quantity_basis,
        "value": None if exhibit.value is None else f"{exhibit.value:f}",
        "currency": exhibit.currency,
        "seal": exhibit.seal_no,
        "seal_state": exhibit.seal_state,
        "status": exhibit.status,
        "holder_id": codes.encode("person", exhibit.holder_id),
        "offered_to": None if exhibit.offered_to is None else codes.encode("person", exhibit.offered_to),
        "registered_at": timestamp(exhibit.created_at),
        "custody": {"seq": exhibit.last_seq, "hash": exhibit.last_hash.hex()},
    }


@get("/api/v1/exhibits")
async def exhibits(request: AnyRequest) -> dict[str, Any]:
    """Newest first, 50 at a time. ``scope`` as in the page's tabs; ``after`` is the id of the last one you have."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scope = choose(queries.exhibit_scopes(actor), asked.get("scope", ""))
    after = codes.decode("exhibit", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
    return {"scope": scope.key, "exhibits": [exhibit_json(row, codes) for row in rows], "more": more}


@get("/api/v1/exhibits/{code:str}")
async def exhibit(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        return exhibit_json(await queries.exhibit(db, codes.decode("exhibit", code)), codes)


handlers = [exhibits, exhibit]
