"""The list of exhibits."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from casemgmt.accounts.queries import names
from casemgmt.core.parts import Pager
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.exhibits import queries
from casemgmt.seizures.scopes import choose, tabs


@get("/exhibits")
async def exhibits(request: AnyRequest) -> Template:
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scopes = queries.exhibit_scopes(actor)
    scope = choose(scopes, asked.get("scope", ""))
    after = codes.decode("exhibit", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
        people = await names(db, {row.holder_id for row in rows} | {row.offered_to for row in rows})
    following = f"/exhibits?scope={scope.key}&after={codes.encode('exhibit', rows[-1].id)}" if more else None
    return page(
        request, "exhibits/list.html",
        exhibits=rows, people=people, scope=scope, tabs=tabs(scopes, scope, "/exhibits"),
        pager=Pager(1, next_href=following),
    )  # fmt: skip


handlers = [exhibits]
