"""The list of cases and opening a new one. The page of one case is composed in ``desk``."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from casemgmt.accounts.queries import names
from casemgmt.cases import actions, queries, rules
from casemgmt.cases.schemas import NewCase
from casemgmt.core.actor import Appointment
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.parts import Pager
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures.scopes import choose, tabs


@get("/cases")
async def cases(request: AnyRequest) -> Template:
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scopes = queries.case_scopes(actor)
    scope = choose(scopes, asked.get("scope", ""))
    after = codes.decode("case", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
        units = await names(db, {row.unit_id for row in rows})
    following = f"/cases?scope={scope.key}&after={codes.encode('case', rows[-1].id)}" if more else None
    return page(
        request, "cases/list.html",
        cases=rows, units=units, scope=scope, tabs=tabs(scopes, scope, "/cases"),
        pager=Pager(1, next_href=following), may_open=actor.holds(rules.OPENS_CASES),
    )  # fmt: skip


@get("/cases/new")
async def new_case(request: AnyRequest) -> Template:
    return _form(request, {"client_id": str(uuid.uuid4())}, {})


def _form(request: AnyRequest, values: dict[str, Any], errors: dict[str, Text]) -> Template:
    posts = opening_posts(request)
    if not posts:
        raise Forbidden
    codes = request.app.state.codes
    return page(
        request, "cases/new.html", status_code=422 if errors else 200, error_title=bool(errors),
        units=[(codes.encode("unit", p.unit_id), p.unit) for p in posts], values=values, errors=errors,
    )  # fmt: skip


def opening_posts(request: AnyRequest) -> list[Appointment]:
    """Where the actor may open a case: one appointment for each unit."""
    held = {a.unit_id: a for a in actor_of(request).appointments if a.kind in rules.OPENS_CASES}
    return list(held.values())


@post("/cases")
async def open_case(request: AnyRequest) -> Response[Any]:
    actor, values = actor_of(request), nested(request.state.get("form") or {})
    try:
        data = parse(NewCase, values, lax=True)
        unit_id = request.app.state.codes.decode("unit", data.unit) if data.unit else None
        async with request.app.state.database.begin(actor) as db:
            case, _ = await actions.open_case(db, actor, data, request.app.state.zone, unit_id=unit_id)
    except Invalid as error:
        return _form(request, values, error.fields)
    return see_other(request, f"/cases/{request.app.state.codes.encode('case', case.id)}")


handlers = [cases, new_case, open_case]
