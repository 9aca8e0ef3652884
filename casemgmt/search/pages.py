"""The search page and its JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from casemgmt.accounts.queries import names
from casemgmt.core.render import page, see_other
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.search import queries

_PLACES = {
    "seizure": "/seizures", "exhibit": "/exhibits", "case": "/cases", "handover": "/hand-overs", "package": "/packages",
}  # fmt: skip


@get("/search")
async def search(request: AnyRequest) -> Response[Any]:
    """A whole number leads straight to its record."""
    actor, typed = actor_of(request), queries.clean(request.query_params.get("q", ""))
    async with request.app.state.database.begin(actor) as db:
        hit = await queries.exact(db, typed)
        if hit is not None:
            return see_other(request, f"{_PLACES[hit.kind]}/{request.app.state.codes.encode(hit.kind, hit.id)}")
        found = await queries.search(db, typed)
        people = await names(db, {row.holder_id for row in found.exhibits.rows})
        units = await names(db, {*(c.unit_id for c in found.cases.rows), *(s.unit_id for s in found.seizures.rows)})
    return page(request, "search/results.html", q=typed, found=found, people=people, units=units, most=queries.MOST)


@get("/api/v1/search")
async def search_json(request: AnyRequest) -> dict[str, Any]:
    """At most 50 of each kind, newest first; ``more`` says of which kinds there are more. There are no totals."""
    actor, codes = actor_of(request), request.app.state.codes
    typed = queries.clean(request.query_params.get("q", ""))
    async with request.app.state.database.begin(actor) as db:
        hit = await queries.exact(db, typed)
        found = await queries.search(db, typed)
    groups: dict[str, queries.Group[Any]] = {
        "case": found.cases, "seizure": found.seizures, "exhibit": found.exhibits,
    }  # fmt: skip
    return {
        "q": typed,
        "exact": {"kind": hit.kind, "id": codes.encode(hit.kind, hit.id)} if hit else None,
        **{
            f"{kind}s": [{"id": codes.encode(kind, row.id), "number": row.number} for row in group.rows]
            for kind, group in groups.items()
        },
        "more": [f"{kind}s" for kind, group in groups.items() if group.more],
    }


handlers = [search, search_json]
