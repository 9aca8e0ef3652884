"""Agencies, units and people, for the administrator."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from casemgmt.accounts import actions, key_queries, queries
from casemgmt.accounts.rules import KINDS
from casemgmt.accounts.schemas import NewAgency, NewAppointment, NewPerson, NewUnit, PasswordChange
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of

Errors = dict[str, Text]


def _administrator(request: AnyRequest) -> Any:
    actor = actor_of(request)
    if not actor.holds("administrator"):
        raise Forbidden
    return actor


def _form(request: AnyRequest) -> dict[str, Any]:
    return nested(request.state.get("form") or {})


@get("/units")
async def units(request: AnyRequest) -> Template:
    return await _units(request)


async def _units(
    request: AnyRequest, *, status_code: int = 200, values: dict[str, Any] | None = None, errors: Errors | None = None
) -> Template:
    actor = _administrator(request)
    async with request.app.state.database.begin(actor) as db:
        agencies = await queries.agencies(db)
        rows = await queries.units(db)
    return page(
        request, "accounts/units.html", status_code=status_code,
        agencies=agencies, units=rows, values=values or {}, errors=errors or {},
    )  # fmt: skip


@post("/units")
async def add_unit(request: AnyRequest) -> Response[Any]:
    actor, fields = _administrator(request), _form(request)
    try:
        data = parse(NewUnit, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.add_unit(db, actor, data)
    except Invalid as error:
        return await _units(request, status_code=error.status, values=fields, errors=error.fields)
    return Redirect("/units", status_code=303)


@post("/agencies")
async def add_agency(request: AnyRequest) -> Response[Any]:
    actor, fields = _administrator(request), _form(request)
    try:
        data = parse(NewAgency, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.add_agency(db, actor, data)
    except Invalid as error:
        prefixed = {f"agency_{name}": words for name, words in error.fields.items()}
        return await _units(request, status_code=error.status, values=fields, errors=prefixed)
    return Redirect("/units", status_code=303)


@get("/people")
async def people(request: AnyRequest) -> Template:
    return await _people(request)


async def _people(
    request: AnyRequest, *, status_code: int = 200, values: dict[str, Any] | None = None, errors: Errors | None = None
) -> Template:
    actor = _administrator(request)
    search = request.query_params.get("q", "")[:100]
    after = request.query_params.get("after", "0")
    async with request.app.state.database.begin(actor) as db:
        rows = await queries.people(
            db, search=search, after=int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
        )
    more = rows[-1].id if len(rows) == queries.PAGE else None
    return page(
        request, "accounts/people.html", status_code=status_code,
        people=rows, search=search, more=more, values=values or {}, errors=errors or {},
    )  # fmt: skip


@post("/people")
async def add_person(request: AnyRequest) -> Response[Any]:
    actor, fields = _administrator(request), _form(request)
    try:
        data = parse(NewPerson, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            person = await actions.add_person(db, actor, data)
    except Invalid as error:
        return await _people(request, status_code=error.status, values=fields, errors=error.fields)
    return Redirect(f"/people/{request.app.state.codes.encode('person', person.id)}", status_code=303)


@get("/people/{code:str}")
async def person(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _person(request, code)


async def _person(
    request: AnyRequest,
    code: str,
    *,
    status_code: int = 200,
    values: dict[str, Any] | None = None,
    errors: Errors | None = None,
) -> Template:
    actor = _administrator(request)
    async with request.app.state.database.begin(actor) as db:
        found = await queries.person(db, request.app.state.codes.decode("person", code))
        held = await queries.appointments(db, found.id)
        keys = await key_queries.held_by(db, found.id)
        unit_rows = await queries.units(db)
        agencies = await queries.agencies(db)
    return page(
        request, "accounts/person.html", status_code=status_code,
        person=found, code=code, held=held, keys=keys, units=unit_rows, agencies=agencies, kinds=KINDS,
        values=values or {}, errors=errors or {},
    )  # fmt: skip


@post("/people/{code:str}/appointments")
async def appoint(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, fields = _administrator(request), _form(request)
    try:
        data = parse(NewAppointment, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.appoint(db, actor, request.app.state.codes.decode("person", code), data)
    except Invalid as error:
        return await _person(request, code, status_code=error.status, values=fields, errors=error.fields)
    return Redirect(f"/people/{code}", status_code=303)


@post("/people/{code:str}/appointments/{appointment:int}/end")
async def end_appointment(request: AnyRequest, code: FromPath[str], appointment: FromPath[int]) -> Redirect:
    actor = _administrator(request)
    async with request.app.state.database.begin(actor) as db:
        await actions.end_appointment(db, actor, request.app.state.codes.decode("person", code), appointment)
    return Redirect(f"/people/{code}", status_code=303)


@post("/people/{code:str}/password")
async def reset_password(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, fields = _administrator(request), _form(request)
    try:
        data = parse(PasswordChange, fields, lax=True)
        async with request.app.state.database.begin(actor) as db:
            await actions.reset_password(db, actor, request.app.state.codes.decode("person", code), data.password)
    except Invalid as error:
        return await _person(request, code, status_code=error.status, values=fields, errors=error.fields)
    return Redirect(f"/people/{code}", status_code=303)


handlers = [units, add_unit, add_agency, people, add_person, person, appoint, end_appointment, reset_password]
