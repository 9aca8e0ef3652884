"""Sign-in and one's own account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Template
from sqlalchemy import text

from casemgmt.accounts import actions
from casemgmt.accounts.schemas import PasswordChange, SignIn
from casemgmt.accounts.signin import sign_in
from casemgmt.core.errors import Invalid, TooManyAttempts
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page
from casemgmt.core.shell import local_path
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import COOKIE, AnyRequest, actor_of


@get("/sign-in", opt={"public": True})
async def sign_in_form(request: AnyRequest) -> Response[Any]:
    if request.state.actor is not None:
        return Redirect(local_path(request.query_params.get("next", "/")))
    return page(
        request,
        "accounts/sign_in.html",
        next=local_path(request.query_params.get("next", "/")),
        login="",
        errors={},
        notice=None,
    )


@post("/sign-in", opt={"public": True}, status_code=200)
async def sign_in_submit(request: AnyRequest) -> Response[Any]:
    fields = nested(request.state.get("form") or {})
    target = local_path(str(fields.get("next", "/")))
    settings = request.app.state.settings
    try:
        data = parse(SignIn, fields, lax=True)
        opened = await sign_in(
            request.app.state.database, data,
            user_agent=request.headers.get("user-agent", ""), lifetime=settings.session_lifetime,
        )  # fmt: skip
    except (Invalid, TooManyAttempts) as error:
        errors = error.fields if isinstance(error, Invalid) else {}
        notice = None if errors else error.message
        return page(
            request, "accounts/sign_in.html", status_code=error.status, error_title=True,
            next=target, login=str(fields.get("login", "")), errors=errors, notice=notice,
        )  # fmt: skip
    # Rotation: a session opened before (somebody else's, on a shared phone) ends here.
    if request.state.actor is not None:
        async with request.app.state.database.begin(request.state.actor) as db:
            await actions.sign_out(db, request.state.actor)
    return Redirect(target, status_code=303, cookies=[_cookie(request, opened.token, opened.lifetime)])


@post("/sign-out")
async def sign_out(request: AnyRequest) -> Redirect:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        await actions.sign_out(db, actor)
    return Redirect("/sign-in", status_code=303, cookies=[_gone(request)])


@post("/sign-out-everywhere")
async def sign_out_everywhere(request: AnyRequest) -> Redirect:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        await actions.sign_out_everywhere(db, actor)
    return Redirect("/sign-in", status_code=303, cookies=[_gone(request)])


@get("/account")
async def account(request: AnyRequest) -> Template:
    return await _account(request)


async def _account(request: AnyRequest, *, status_code: int = 200, errors: dict[str, Text] | None = None) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        sessions = (await db.execute(text("select * from accounts.my_sessions()"))).all()
    return page(
        request, "accounts/account.html", status_code=status_code, me=actor, sessions=sessions, errors=errors or {}
    )


@post("/account/password")
async def change_password(request: AnyRequest) -> Response[Any]:
    actor = actor_of(request)
    try:
        data = parse(PasswordChange, nested(request.state.get("form") or {}), lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.reset_password(db, actor, actor.id, data.password)
    except Invalid as error:
        return await _account(request, status_code=error.status, errors=error.fields)
    return Redirect("/sign-in", status_code=303, cookies=[_gone(request)])


def _cookie(request: AnyRequest, token: str, lifetime: timedelta) -> Cookie:
    secure = request.app.state.settings.public_url.startswith("https:")
    return Cookie(
        COOKIE, value=token, max_age=int(lifetime.total_seconds()), httponly=True, samesite="lax", secure=secure
    )


def _gone(request: AnyRequest) -> Cookie:
    return _cookie(request, "", timedelta())


handlers = [sign_in_form, sign_in_submit, sign_out, sign_out_everywhere, account, change_password]
