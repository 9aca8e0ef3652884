"""Correcting and completing the record of a seizure, and deciding who needs to know of it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import colleagues
from casemgmt.accounts.rules import UNIT_KINDS
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures import actions, queries, rules
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.schemas import Correction, Supplement

Errors = dict[str, Text]


async def _load(request: AnyRequest, db: AsyncSession, code: str) -> Seizure:
    return await queries.seizure(db, request.app.state.codes.decode("seizure", code))


@get("/seizures/{code:str}/correct")
async def correct_form(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _correct_form(request, code, {"field": request.query_params.get("field", "")}, {})


async def _correct_form(request: AnyRequest, code: str, values: dict[str, Any], errors: Errors) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        seizure = await _load(request, db, code)
    rules.must_correct(actor, seizure.unit_id)
    return page(
        request, "seizures/correct.html", status_code=422 if errors else 200, error_title=bool(errors),
        seizure=seizure, code=code, fields=list(rules.CORRECTABLE.items()), values=values, errors=errors,
    )  # fmt: skip


@post("/seizures/{code:str}/correct")
async def correct(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, values = actor_of(request), nested(request.state.get("form") or {})
    try:
        data = parse(Correction, values, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.correct(db, actor, await _load(request, db, code), data)
    except Invalid as error:
        return await _correct_form(request, code, values, error.fields)
    return see_other(request, f"/seizures/{code}")


@get("/seizures/{code:str}/need-to-know")
async def mark_form(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _mark_form(request, code, {})


async def _mark_form(request: AnyRequest, code: str, errors: Errors) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        seizure = await _load(request, db, code)
        if not actor.holds("supervisor", seizure.unit_id):
            raise Forbidden
        people = await colleagues(db, UNIT_KINDS)
    return page(
        request, "seizures/need_to_know.html", status_code=422 if errors else 200, error_title=bool(errors),
        seizure=seizure, code=code, people=people, always={actor.id, seizure.created_by}, errors=errors,
    )  # fmt: skip


@post("/seizures/{code:str}/need-to-know")
async def mark(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, form = actor_of(request), request.state.get("form") or {}
    names = {request.app.state.codes.decode("person", person) for person in form.get("names", [])}
    try:
        async with request.app.state.database.begin(actor) as db:
            seizure = await _load(request, db, code)
            hidden = form.get("hidden") == ["yes"]
            await actions.mark_need_to_know(db, actor, seizure, hidden=hidden, names=names)
    except Invalid as error:
        return await _mark_form(request, code, error.fields)
    return see_other(request, f"/seizures/{code}")


@get("/seizures/{code:str}/people")
async def supplement_form(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _supplement_form(request, code, {}, {})


async def _supplement_form(request: AnyRequest, code: str, values: dict[str, Any], errors: Errors) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        seizure = await _load(request, db, code)
    rules.must_correct(actor, seizure.unit_id)
    return page(
        request, "seizures/supplement.html", status_code=422 if errors else 200, error_title=bool(errors),
        seizure=seizure, code=code, values=values, errors=dashed(errors),
    )  # fmt: skip


@post("/seizures/{code:str}/people")
async def supplement(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, values = actor_of(request), nested(request.state.get("form") or {})
    try:
        data = parse(Supplement, values, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.supplement(db, actor, await _load(request, db, code), data)
    except Invalid as error:
        return await _supplement_form(request, code, values, error.fields)
    return see_other(request, f"/seizures/{code}")


def dashed(errors: Errors) -> Errors:
    """Errors under the names the form's inputs have: ``participants-0-name`` for ``participants.0.name``."""
    return {name.replace(".", "-"): words for name, words in errors.items()}


handlers = [correct_form, correct, supplement_form, supplement, mark_form, mark]
