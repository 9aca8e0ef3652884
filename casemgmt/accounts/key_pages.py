"""One's own keys, and ending somebody's key as an administrator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from casemgmt.accounts import key_queries, keys, queries
from casemgmt.accounts.keys import Site
from casemgmt.accounts.schemas import KeyRevocation, NewKey
from casemgmt.core.errors import Conflict, Expired, Forbidden, Invalid, NotFound, TooManyAttempts
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of

Errors = Mapping[str, Text]


@get("/account/keys")
async def my_keys(request: AnyRequest) -> Template:
    return await _my_keys(request)


@post("/account/keys/new", status_code=200)
async def begin(request: AnyRequest) -> Template:
    """After the password: the page that asks the device for a key."""
    actor, state = actor_of(request), request.app.state
    fields = nested(request.state.get("form") or {})
    site = Site.of(state.settings.public_url)
    try:
        data = parse(NewKey, fields, lax=True)
        options = await keys.begin_enrolment(state.database, actor, site, password=data.password)
    except Invalid as error:
        return await _my_keys(request, status_code=error.status, values=fields, errors=error.fields)
    except (TooManyAttempts, Conflict) as error:
        return await _my_keys(request, status_code=error.status, values=fields, notice=error.message)
    return page(
        request, "accounts/key_new.html", options=json.dumps(options), name=data.name,
        origin=site.origin if site else "",
    )  # fmt: skip


@post("/account/keys")
async def enrol(request: AnyRequest) -> Response[Any]:
    actor, state = actor_of(request), request.app.state
    fields = nested(request.state.get("form") or {})
    try:
        await keys.enrol(
            state.database, actor, Site.of(state.settings.public_url), _credential(fields),
            name=str(fields.get("name", "")), allow_synced=state.settings.synced_passkeys,
        )  # fmt: skip
    except Invalid as error:
        words = next(iter(error.fields.values()))
        return await _my_keys(request, status_code=error.status, notice=words)
    except (Conflict, Expired) as error:
        return await _my_keys(request, status_code=error.status, notice=error.message)
    return Redirect("/account/keys", status_code=303)


@get("/account/keys/{key:str}/revoke")
async def revoke_form(request: AnyRequest, key: FromPath[str]) -> Template:
    return await _revoke_form(request, key)


@post("/account/keys/{key:str}/revoke")
async def revoke(request: AnyRequest, key: FromPath[str]) -> Response[Any]:
    return await _revoke(request, key)


@get("/people/{code:str}/keys/{key:str}/revoke")
async def revoke_form_of(request: AnyRequest, code: FromPath[str], key: FromPath[str]) -> Template:
    _administrator(request)
    return await _revoke_form(request, key, code)


@post("/people/{code:str}/keys/{key:str}/revoke")
async def revoke_of(request: AnyRequest, code: FromPath[str], key: FromPath[str]) -> Response[Any]:
    """The phone is lost and its holder cannot sign in: an administrator ends the key."""
    _administrator(request)
    return await _revoke(request, key, code)


def _credential(fields: Mapping[str, Any]) -> object:
    try:
        return json.loads(str(fields.get("credential", "")))
    except (ValueError, RecursionError):
        return None  # refused as unreadable


def _administrator(request: AnyRequest) -> None:
    if not actor_of(request).holds("administrator"):
        raise Forbidden


async def _my_keys(
    request: AnyRequest,
    *,
    status_code: int = 200,
    values: Mapping[str, Any] | None = None,
    errors: Errors | None = None,
    notice: Text | None = None,
) -> Template:
    actor, settings = actor_of(request), request.app.state.settings
    async with request.app.state.database.begin(actor) as db:
        held = await key_queries.held_by(db, actor.id)
    return page(
        request, "accounts/keys.html", status_code=status_code, error_title=bool(errors),
        keys=held, able=Site.of(settings.public_url) is not None, public_url=settings.public_url,
        values=values or {}, errors=errors or {}, notice=notice,
    )  # fmt: skip


async def _revoke(request: AnyRequest, key: str, person: str | None = None) -> Response[Any]:
    """``person``: the code of whose page an administrator came from; None for one's own keys."""
    actor, codes = actor_of(request), request.app.state.codes
    fields = nested(request.state.get("form") or {})
    try:
        data = parse(KeyRevocation, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            found = await key_queries.key(db, codes.decode("passkey", key))
            _check_whose(request, found, person)
            await keys.revoke(db, actor, found.row.id, data)
    except Invalid as error:
        return await _revoke_form(request, key, person, status_code=error.status, values=fields, errors=error.fields)
    return Redirect(_back(person), status_code=303)


async def _revoke_form(
    request: AnyRequest,
    key: str,
    person: str | None = None,
    *,
    status_code: int = 200,
    values: Mapping[str, Any] | None = None,
    errors: Errors | None = None,
) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await key_queries.key(db, codes.decode("passkey", key))
        if person is not None:
            await queries.person(db, codes.decode("person", person))
    _check_whose(request, found, person)
    base = f"/people/{person}/keys" if person else "/account/keys"
    return page(
        request, "accounts/key_revoke.html", status_code=status_code, error_title=bool(errors),
        key=found, action=f"{base}/{key}/revoke", back=_back(person), values=values or {}, errors=errors or {},
    )  # fmt: skip


def _check_whose(request: AnyRequest, found: key_queries.HeldKey, person: str | None) -> None:
    """The key in an address belongs to the person in it."""
    codes = request.app.state.codes
    wanted = actor_of(request).id if person is None else codes.decode("person", person)
    if found.row.person_id != wanted:
        raise NotFound


def _back(person: str | None) -> str:
    return f"/people/{person}" if person else "/account/keys"


handlers = [my_keys, begin, enrol, revoke_form, revoke, revoke_form_of, revoke_of]
