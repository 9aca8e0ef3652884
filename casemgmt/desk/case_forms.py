"""The forms on the page of a case. A refusal shows the tab again, with the words beside the field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.finding import appointed_person
from casemgmt.accounts.queries import person as load_person
from casemgmt.cases import actions, queries
from casemgmt.cases.finding import case_named, seizure_named
from casemgmt.cases.models import CaseFile
from casemgmt.cases.schemas import AddedSeizure, Leaving, NewLink, NewMember, StatusChange
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.desk.case_page import load, show
from casemgmt.seizures.queries import seizure as load_seizure

Values = dict[str, Any]
Change = Callable[[AsyncSession, CaseFile, Values], Awaitable[None]]


async def _apply(request: AnyRequest, code: str, tab: str, change: Change, prefix: str = "") -> Response[Any]:
    """Run one change of the case. ``prefix`` begins the form's names, which keeps them apart from others on the tab."""
    actor, sent = actor_of(request), nested(request.state.get("form") or {})
    values = {name.removeprefix(prefix): value for name, value in sent.items()}
    try:
        async with request.app.state.database.begin(actor) as db:
            await change(db, await load(request, db, code), values)
    except Invalid as error:
        return await show(request, code, tab, sent, {f"{prefix}{name}": words for name, words in error.fields.items()})
    path = f"/cases/{code}" if tab == "evidence" else f"/cases/{code}/{tab}"
    return see_other(request, path)


@post("/cases/{code:str}/seizures")
async def add_seizure(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    async def change(db: AsyncSession, case: CaseFile, values: Values) -> None:
        data = parse(AddedSeizure, values, lax=True)
        seizure = await seizure_named(db, request.app.state.codes, data.seizure)
        await actions.add_seizure(db, actor_of(request), case, seizure, data.reason)

    return await _apply(request, code, "evidence", change)


@post("/cases/{code:str}/status")
async def change_status(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    async def change(db: AsyncSession, case: CaseFile, values: Values) -> None:
        data = parse(StatusChange, values, lax=True)
        await actions.change_status(db, actor_of(request), case, data.status, data.note)

    return await _apply(request, code, "evidence", change, prefix="new-")


@post("/cases/{code:str}/links")
async def add_link(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    async def change(db: AsyncSession, case: CaseFile, values: Values) -> None:
        data = parse(NewLink, values, lax=True)
        other = await case_named(db, request.app.state.codes, data.case)
        await actions.link(db, actor_of(request), case, other, data.reason, note=data.note)

    return await _apply(request, code, "links", change)


@post("/cases/{code:str}/members")
async def add_member(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    async def change(db: AsyncSession, case: CaseFile, values: Values) -> None:
        data = parse(NewMember, values, lax=True)
        person = await appointed_person(db, request.app.state.codes, data.person)
        await actions.add_member(db, actor_of(request), case, person, data.role)

    return await _apply(request, code, "team", change)


async def _ask(request: AnyRequest, code: str, kind: str, left: str, errors: dict[str, Text] | None = None) -> Template:
    """The check before a person or a seizure leaves the case."""
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        case = await load(request, db, code)
        what = await _leaving(request, db, case, kind, left)
    return page(
        request, "cases/leave.html", status_code=422 if errors else 200, error_title=bool(errors),
        case=case, place=f"/cases/{code}", kind=kind, left=left, what=what, errors=errors or {},
    )  # fmt: skip


async def _leaving(request: AnyRequest, db: AsyncSession, case: CaseFile, kind: str, left: str) -> str:
    """The name or the number of what is to leave; NotFound when it is not in the case."""
    codes = request.app.state.codes
    if kind == "members":
        found = {m.person_id: m.name for m in await queries.members(db, case)}.get(codes.decode("person", left))
    else:
        inside = {s.seizure.id: s.seizure.number for s in await queries.seizures(db, case)}
        found = inside.get(codes.decode("seizure", left))
    if found is None:
        raise NotFound
    return found


@get("/cases/{code:str}/members/{person:str}/leave")
async def ask_member(request: AnyRequest, code: FromPath[str], person: FromPath[str]) -> Template:
    return await _ask(request, code, "members", person)


@post("/cases/{code:str}/members/{person:str}/leave")
async def remove_member(request: AnyRequest, code: FromPath[str], person: FromPath[str]) -> Response[Any]:
    actor, codes = actor_of(request), request.app.state.codes
    try:
        data = parse(Leaving, nested(request.state.get("form") or {}), lax=True)
        async with request.app.state.database.begin(actor) as db:
            leaving = await load_person(db, codes.decode("person", person))
            await actions.remove_member(db, actor, await load(request, db, code), leaving, data.reason)
    except Invalid as error:
        return await _ask(request, code, "members", person, error.fields)
    return see_other(request, f"/cases/{code}/team" if leaving.id != actor.id else "/cases")


@get("/cases/{code:str}/seizures/{seizure:str}/leave")
async def ask_seizure(request: AnyRequest, code: FromPath[str], seizure: FromPath[str]) -> Template:
    return await _ask(request, code, "seizures", seizure)


@post("/cases/{code:str}/seizures/{seizure:str}/leave")
async def remove_seizure(request: AnyRequest, code: FromPath[str], seizure: FromPath[str]) -> Response[Any]:
    actor, codes = actor_of(request), request.app.state.codes
    try:
        data = parse(Leaving, nested(request.state.get("form") or {}), lax=True)
        async with request.app.state.database.begin(actor) as db:
            leaving = await load_seizure(db, codes.decode("seizure", seizure))
            await actions.remove_seizure(db, actor, await load(request, db, code), leaving, data.reason)
    except Invalid as error:
        return await _ask(request, code, "seizures", seizure, error.fields)
    return see_other(request, f"/cases/{code}")


handlers = [
    add_seizure, change_status, add_link, add_member, ask_member, remove_member, ask_seizure, remove_seizure,
]  # fmt: skip
