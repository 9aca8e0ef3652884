"""Sign-in and the directory as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post

from casemgmt.accounts import actions, key_queries, queries
from casemgmt.accounts.rules import UNIT_KINDS
from casemgmt.accounts.schemas import SignIn
from casemgmt.accounts.signin import sign_in
from casemgmt.core.clock import utcnow
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of


@post("/api/v1/sessions", opt={"public": True}, status_code=201)
async def open_session(request: AnyRequest) -> Response[dict[str, Any]]:
    """Sign in. The token goes into ``Authorization: Bearer``; it is shown this once."""
    opened = await sign_in(
        request.app.state.database,
        parse(SignIn, await read_json(request), lax=False),
        user_agent=request.headers.get("user-agent", ""),
        lifetime=request.app.state.settings.session_lifetime,
    )
    return Response({"token": opened.token, "expires_in": int(opened.lifetime.total_seconds())}, status_code=201)


@delete("/api/v1/sessions/current", status_code=204)
async def close_session(request: AnyRequest) -> None:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        await actions.sign_out(db, actor)


@get("/api/v1/me")
async def me(request: AnyRequest) -> dict[str, Any]:
    """Who is asking. ``csrf`` goes into ``X-CSRF-Token`` of what a page sends with its cookie; ``now`` is our clock;
    ``pin_keys`` are the fingerprints of my phones' keys that hold."""
    actor, home = actor_of(request), actor_of(request).home
    async with request.app.state.database.begin(actor) as db:
        place = (await queries.unit(db, home.unit_id)).place if home and home.unit_id else ""
        pin_keys = await key_queries.pin_keys_of(db, actor.id)
    return {
        "id": request.app.state.codes.encode("person", actor.id),
        "name": actor.name,
        "login": actor.login,
        "badge": actor.badge,
        "post": home.unit if home else None,
        "place": place,
        "csrf": actor.csrf,
        "now": timestamp(utcnow()),
        "pin_keys": pin_keys,
        "appointments": [{"kind": a.kind, "unit": a.unit, "agency": a.agency} for a in actor.appointments],
    }


@get("/api/v1/people")
async def people(request: AnyRequest) -> list[dict[str, Any]]:
    """Who holds which appointment: whom to hand over to, whom to grant to. ``kind`` and ``q`` narrow; at most 200."""
    actor, codes = actor_of(request), request.app.state.codes
    kind = request.query_params.get("kind")
    kinds = (kind,) if kind in UNIT_KINDS else UNIT_KINDS
    async with request.app.state.database.begin(actor) as db:
        found = await queries.colleagues(db, kinds, search=request.query_params.get("q", "")[:100])
    return [
        {
            "id": codes.encode("person", c.id), "name": c.name, "badge": c.badge, "kind": c.kind,
            "unit": c.unit, "unit_id": codes.encode("unit", c.unit_id), "agency": c.agency,
        }
        for c in found
    ]  # fmt: skip


handlers = [open_session, close_session, me, people]
