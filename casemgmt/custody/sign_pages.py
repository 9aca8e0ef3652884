"""The page on which a hand-over is signed with a key: what will be signed in words, and the way on without a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.accounts import key_queries
from casemgmt.accounts.key_queries import HeldKey
from casemgmt.accounts.keys import Site
from casemgmt.core.actor import Actor
from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import Text
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import signing


def rules_of(request: AnyRequest) -> signing.Rules:
    settings = request.app.state.settings
    return signing.Rules(Site.of(settings.public_url), settings.synced_passkeys)


async def my_keys(request: AnyRequest) -> list[HeldKey]:
    """The keys the actor may sign with here: passkeys, none where they cannot be had, then those of their phones' PINs;
    newest first."""
    rules, actor = rules_of(request), actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        held = [key for key in await key_queries.held_by(db, actor.id) if key.holds]
    passkeys = [key for key in held if key.row.kind == "passkey" and rules.site is not None]
    usable = [key for key in passkeys if rules.allow_synced or not key.row.backup_eligible]
    return usable + [key for key in held if key.row.kind == "pin"]


@get("/signing/{request_id:str}")
async def waiting(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """What will be signed; or, when it was, the hand-over."""
    actor, wanted = actor_of(request), request_uuid(request_id)
    async with request.app.state.database.begin(actor) as db:
        made = await signing.signed_before(db, actor, wanted)
    return await _page(request, wanted) if made is None else _to(request, made)


@post("/signing/{request_id:str}")
async def sign(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    actor, state, wanted = actor_of(request), request.app.state, request_uuid(request_id)
    fields = nested(request.state.get("form") or {})
    try:
        credential = signing.read_credential(str(fields.get("credential", "")))
        handover_id = await signing.sign(state.database, actor, wanted, credential, rules_of(request))
    except Invalid as error:
        return await _page(request, wanted, status_code=error.status, errors=error.fields)
    return _to(request, handover_id)


@post("/signing/{request_id:str}/without")
async def without(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
    """The hand-over is made all the same, signed in only."""
    actor, state = actor_of(request), request.app.state
    database: Database = state.database
    return _to(request, await signing.without(database, actor, request_uuid(request_id), state.codes))


def request_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error


def _to(request: AnyRequest, handover_id: int) -> Response[Any]:
    codes: Codes = request.app.state.codes
    return see_other(request, f"/hand-overs/{codes.encode('handover', handover_id)}")


async def _page(
    request: AnyRequest, request_id: UUID, *, status_code: int = 200, errors: Mapping[str, Text] | None = None
) -> Template:
    actor: Actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await signing.pending(db, actor, request_id)
    bodies = [msgspec.json.decode(body) for body in found.request.bodies]
    site = rules_of(request).site
    return page(
        request, "custody/sign.html", status_code=status_code, error_title=bool(errors),
        pending=found, request_id=request_id, options=json.dumps(found.options), origin=site.origin if site else "",
        statement=found.request.statement.decode(), owner=request.app.state.codes.encode("person", actor.id),
        said=[body["data"] | {"kind": body["type"].rpartition(":")[2]} for body in bodies], errors=errors or {},
    )  # fmt: skip


handlers = [waiting, sign, without]
