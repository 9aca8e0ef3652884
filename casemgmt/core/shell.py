"""The routes every page's frame needs: static files, the reader's preferences, help."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from casemgmt.core.assets import Assets, asset_route
from casemgmt.core.i18n import LANGUAGES
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import Fields, first

LANGUAGE_COOKIE = "lang"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")

_YEAR = 365 * 24 * 3600


@post("/preferences", opt={"public": True}, include_in_schema=False)
async def keep_preferences(request: Request[Any, Any, Any]) -> Response[None]:
    """Keep the language and the colours of this device in cookies and go back to the page.

    An unknown value changes nothing and is not an error.
    """
    fields: Fields = request.state.get("form") or {}
    language, theme = first(fields, "language"), first(fields, "theme")
    response = see_other(request, local_path(first(fields, "back", "/")))
    secure = request.url.scheme == "https"
    if language in LANGUAGES:
        response.set_cookie(_lasting(LANGUAGE_COOKIE, language, secure, httponly=True))
    if theme in THEMES:
        # The page's own script switches the colours at once, so it must be able to write it.
        response.set_cookie(_lasting(THEME_COOKIE, theme, secure, httponly=False))
    return response


def _lasting(name: str, value: str, secure: bool, *, httponly: bool) -> Cookie:
    return Cookie(key=name, value=value, max_age=_YEAR, secure=secure, httponly=httponly, samesite="lax")


def local_path(address: str) -> str:
    """The address when it is a path of this site, else ``/``: never a way to another host."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half an IPv6 address
        return "/"
    hostile = parts.scheme or parts.netloc or "\\" in address or not address.isprintable()
    if hostile or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address


@get("/help", opt={"public": True}, include_in_schema=False)
async def help_page(request: Request[Any, Any, Any]) -> Template:
    return page(request, "help.html")


def shell_routes(assets: Assets) -> list[HTTPRouteHandler]:
    return [asset_route(assets), keep_preferences, help_page]
