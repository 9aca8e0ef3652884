"""One phone for two people: the receiver answers on the giver's, under their own name and password.

The session that this opens lasts for the one answer. The events say that it was given on the giver's phone; no key
signs it, because no key of the receiver's is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.accounts import actions as account_actions
from casemgmt.accounts.schemas import SignIn
from casemgmt.accounts.signin import sign_in
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Conflict, DomainError, Forbidden, Invalid, TooManyAttempts
from casemgmt.core.i18n import N_, Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of, load_actor, token_hash
from casemgmt.custody import actions, queries
from casemgmt.custody.pages import by_input, first_pictures, read_answer
from casemgmt.custody.schemas import Answer

LIFETIME = timedelta(minutes=2)

_OTHER = N_("This hand-over is offered to another person. Only the receiver answers it.")
_GIVER = N_("Only the giver's phone can be used so.")


@get("/hand-overs/{code:str}/here")
async def here(request: AnyRequest, code: FromPath[str]) -> Template | Response[Any]:
    return await _page(request, code)


@post("/hand-overs/{code:str}/here")
async def answer_here(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    fields = nested(request.state.get("form") or {})
    await _check_giver(request, code)
    try:
        data = read_answer(fields)
        await _answer(request, code, data, parse(SignIn, fields, lax=True))
    except (Invalid, TooManyAttempts, Conflict) as error:
        errors = by_input(error.fields) if isinstance(error, Invalid) else {"": error.message}
        return await _page(request, code, status_code=error.status, values=fields, errors=errors)
    return see_other(request, f"/hand-overs/{code}/receipt")


async def _answer(request: AnyRequest, code: str, data: Answer, who: SignIn) -> None:
    state = request.app.state
    agent = request.headers.get("user-agent", "")
    opened = await sign_in(state.database, who, user_agent=agent, lifetime=LIFETIME)
    receiver = await load_actor(state.database, token_hash(opened.token))
    if receiver is None:
        raise Forbidden
    try:
        await _as_receiver(request, receiver, state.codes.decode("handover", code), data)
    finally:
        async with state.database.begin(receiver) as db:
            await account_actions.sign_out(db, receiver)


async def _as_receiver(request: AnyRequest, receiver: Actor, handover_id: int, data: Answer) -> None:
    state = request.app.state
    try:
        async with state.database.begin(receiver) as db:
            full = await queries.handover(db, handover_id)
    except DomainError as error:
        raise Invalid({"login": _OTHER}) from error
    if full.receiver.id != receiver.id:
        raise Invalid({"login": _OTHER})
    await actions.answer(state.database, receiver, handover_id, data, state.codes, one_phone=True)


async def _check_giver(request: AnyRequest, code: str) -> queries.Full:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        full = await queries.handover(db, request.app.state.codes.decode("handover", code))
    if full.giver.id != actor.id:
        raise Forbidden(_GIVER)
    return full


async def _page(
    request: AnyRequest,
    code: str,
    *,
    status_code: int = 200,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, Text] | None = None,
) -> Template | Response[Any]:
    full = await _check_giver(request, code)
    if not full.open_lines:
        return see_other(request, f"/hand-overs/{code}")
    async with request.app.state.database.begin(actor_of(request)) as db:
        photos = await first_pictures(db, [line.item.exhibit_id for line in full.lines])
    rows = [row for row in (values or {}).get("items", []) if isinstance(row, dict)]
    return page(
        request, "custody/here.html", status_code=status_code, error_title=bool(errors),
        full=full, code=code, photos=photos, given={str(row.get("exhibit", "")): row for row in rows},
        errors=errors or {}, login=str((values or {}).get("login", "")),
    )  # fmt: skip


handlers = [here, answer_here]
