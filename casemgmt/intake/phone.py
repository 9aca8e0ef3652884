"""The pages a phone keeps and opens without a network: a new seizure, a hand-over, and what waits to be sent.

They are the same for everybody who reads the same language: no name, no token and nothing of any record is in them,
because they lie in the cache of a phone that several people may use. Their scripts work on the phone's own store and
talk to the JSON API.
"""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Template

from casemgmt.core import i18n
from casemgmt.core.i18n import N_
from casemgmt.core.parts import NavItem
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest
from casemgmt.intake import form
from casemgmt.reference.lists import REFUSAL_REASONS

MOST_PHOTOS = 40  # as records.js has it
_PLACES = (
    NavItem("/", N_("My shift")),
    NavItem("/phone/new", N_("New seizure")),
    NavItem("/phone", N_("On this phone")),
)


@get("/phone", opt={"public": True})
async def phone(request: AnyRequest) -> Template:
    return _page(request, "intake/phone.html")


@get("/phone/new", opt={"public": True})
async def phone_new(request: AnyRequest) -> Template:
    empty = {**form.choices({}, ()), "zone": ""}
    return _page(request, "intake/phone_new.html", values={}, errors={}, me=None, post=None, limit=MOST_PHOTOS, **empty)


@get("/phone/hand-over", opt={"public": True})
async def phone_hand_over(request: AnyRequest) -> Template:
    return _page(request, "intake/phone_hand_over.html", errors={})


@get("/phone/receive", opt={"public": True})
async def phone_receive(request: AnyRequest) -> Template:
    needs_note = [item.code for item in REFUSAL_REASONS.items().values() if item.needs_note]
    return _page(request, "intake/phone_receive.html", needs_note=needs_note)


@get("/phone/more", opt={"public": True})
async def phone_more(request: AnyRequest) -> Template:
    """The rarer fields of the form: apart, so that the first screen comes sooner on a slow line."""
    return _page(request, "intake/phone_more.html", values={}, errors={}, **form.choices({}, ()))


def _page(request: AnyRequest, template: str, **context: Any) -> Template:
    """As a stranger sees it, whoever asks; ``?lang=`` speaks for a service worker, which sends no cookies."""
    state = request.state
    if (language := request.query_params.get("lang")) in i18n.LANGUAGES:
        state.lang = language
        i18n.activate(language, request.app.state.zone)
    state.actor, state.csrf, state.person, state.theme, state.nav = None, "", "", "auto", _PLACES
    return page(request, template, **context)


handlers = [phone, phone_new, phone_more, phone_hand_over, phone_receive]
