"""Before every handler: who is asking, and did the request come from our own pages."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
from litestar import Request
from litestar.response import Redirect

from casemgmt.core import i18n
from casemgmt.core.actor import Actor, Appointment
from casemgmt.core.db import Database
from casemgmt.core.errors import Forbidden, NotSignedIn
from casemgmt.core.masking import unmask
from casemgmt.core.shell import LANGUAGE_COOKIE, THEME_COOKIE
from casemgmt.core.web.forms import first, read_urlencoded

COOKIE = "casemgmt_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
AnyRequest = Request[Any, Any, Any]

_FORGED = i18n.N_("This form is out of date or came from another site. Open the page again and repeat.")


def token_hash(token: str) -> bytes:
    """What the database knows of a session token."""
    return hashlib.sha256(token.encode()).digest()


async def load_actor(database: Database, token: bytes) -> Actor | None:
    """The person behind a session, or None."""
    raw = await database.call("select accounts.whoami($1)", token)
    if raw is None:
        return None
    found = msgspec.json.decode(raw)
    appointments = tuple(msgspec.convert(a, Appointment) for a in found.pop("appointments"))
    return Actor(token=token, appointments=appointments, **found)


def _token(request: AnyRequest) -> tuple[str | None, bool]:
    """The session token and whether it came by cookie (then the CSRF token is asked as well)."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        return authorization.removeprefix("Bearer ").strip(), False
    return request.cookies.get(COOKIE), True


def prepare(request: AnyRequest) -> None:
    """Whose eyes the answer is for: language and colours. Also for errors before any handler was found."""
    state = request.state
    theme = request.cookies.get(THEME_COOKIE)
    state.theme = theme if theme in ("light", "dark") else "auto"
    state.actor, state.csrf, state.flash, state.nav = None, "", (), ()
    state.lang = i18n.choose_language(
        None,
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language"),
        request.app.state.settings.language,
    )
    i18n.activate(state.lang, request.app.state.zone)


async def before_request(request: AnyRequest) -> Redirect | None:
    """Fill ``request.state`` and stop strangers. Routes with ``opt={"public": True}`` let them pass."""
    prepare(request)
    state = request.state
    token, by_cookie = _token(request)
    if token:
        state.actor = await load_actor(request.app.state.database, token_hash(token))
    actor: Actor | None = state.actor
    if actor is None and not request.route_handler.opt.get("public"):
        if wants_json(request) or request.method not in SAFE:
            raise NotSignedIn
        query = f"?{request.url.query}" if request.url.query else ""
        return Redirect("/sign-in", query_params={"next": request.url.path + query})
    if actor is not None:
        state.csrf = actor.csrf
        state.person = request.app.state.codes.encode("person", actor.id)
        state.nav = request.app.state.navigation(actor)
    if request.method not in SAFE and by_cookie:
        await _refuse_forgery(request, actor)
    return None


async def _refuse_forgery(request: AnyRequest, actor: Actor | None) -> None:
    if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        raise Forbidden(_FORGED)
    origin = request.headers.get("origin")
    if origin and origin != "null" and origin.partition("://")[2] != request.headers.get("host"):
        raise Forbidden(_FORGED)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        request.state.form = await read_urlencoded(request)
    if actor is None or request.route_handler.opt.get("public"):
        return
    given = request.headers.get("x-csrf-token") or first(request.state.get("form") or {}, "csrf_token")
    if given:
        check_csrf(actor, given)
    elif kind != "multipart/form-data" or not request.route_handler.opt.get("streams_form"):
        raise Forbidden(_FORGED)
    # a streamed form carries its token in its first fields: its handler calls check_csrf


def check_csrf(actor: Actor, given: str) -> None:
    """Raises Forbidden unless the token is the session's own: as the API told it, or as a page has it, masked."""
    own = actor.csrf.encode()
    if not any(hmac.compare_digest(text.encode(), own) for text in (given, unmask(given))):
        raise Forbidden(_FORGED)


def wants_json(request: AnyRequest) -> bool:
    return request.url.path.startswith("/api/") or "application/json" in request.headers.get("accept", "")


def actor_of(request: AnyRequest) -> Actor:
    """The signed-in person. Raises NotSignedIn on a public route visited by a stranger."""
    actor: Actor | None = request.state.get("actor")
    if actor is None:
        raise NotSignedIn
    return actor
