"""Cases as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.finding import appointed_person
from casemgmt.cases import actions, queries, rules, timeline
from casemgmt.cases.finding import case_named, seizure_named
from casemgmt.cases.models import CaseFile
from casemgmt.cases.schemas import AddedSeizure, NewCase, NewLink, NewMember, StatusChange
from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures.scopes import choose


def case_json(case: CaseFile, codes: Codes) -> dict[str, Any]:
    """What is said of a case wherever it appears."""
    return {
        "id": codes.encode("case", case.id),
        "number": case.number,
        "title": case.title,
        "summary": case.summary,
        "status": case.status,
        "unit_id": codes.encode("unit", case.unit_id),
        "opened_by": codes.encode("person", case.opened_by),
        "opened_at": timestamp(case.opened_at),
    }


@get("/api/v1/cases")
async def cases(request: AnyRequest) -> dict[str, Any]:
    """Newest first, 50 at a time. ``scope`` as in the page's tabs; ``after`` is the id of the last one you have."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scope = choose(queries.case_scopes(actor), asked.get("scope", ""))
    after = codes.decode("case", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
    return {"scope": scope.key, "cases": [case_json(row, codes) for row in rows], "more": more}


@post("/api/v1/cases", status_code=201)
async def open_case(request: AnyRequest) -> Response[dict[str, Any]]:
    """Answers 201 with a new case, 200 with the one this ``client_id`` opened before."""
    actor, codes = actor_of(request), request.app.state.codes
    data = parse(NewCase, await read_json(request), lax=False)
    unit_id = codes.decode("unit", data.unit) if data.unit else None
    async with request.app.state.database.begin(actor) as db:
        case, new = await actions.open_case(db, actor, data, request.app.state.zone, unit_id=unit_id)
    return Response(case_json(case, codes), status_code=201 if new else 200)


@get("/api/v1/cases/{code:str}")
async def case(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """The case with what of it the reader may see: seizures and links they may not see are left out."""
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        team = await queries.members(db, found)
        seizures = await queries.seizures(db, found)
        links = await queries.links(db, found)
    return {
        **case_json(found, codes),
        "next_statuses": list(rules.next_statuses(found.status)),
        "members": [
            {"id": codes.encode("person", m.person_id), "name": m.name, "badge": m.badge, "role": m.role} for m in team
        ],
        "seizures": [
            {
                "id": codes.encode("seizure", s.seizure.id), "number": s.seizure.number, "reason": s.reason,
                "since": timestamp(s.since),
            }
            for s in seizures
        ],
        "links": [
            {
                "id": codes.encode("link", item.link.id), "case": codes.encode("case", item.other.id),
                "number": item.other.number, "reason": item.link.reason, "note": item.link.note,
            }
            for item in links
        ],
    }  # fmt: skip


@get("/api/v1/cases/{code:str}/timeline")
async def events(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """What happened in the case and to its seizures, newest first, 50 at a time; ``before`` is the last id you have."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    before = codes.decode("event", asked["before"]) if asked.get("before") else None
    async with request.app.state.database.begin(actor) as db:
        entries, more = await timeline.entries(db, await _load(request, db, code), before=before)
    return {
        "events": [
            {
                "id": codes.encode("event", e.id), "type": e.type, "at": timestamp(e.at), "actor": e.actor,
                "data": e.data,
            }
            for e in entries
        ],
        "more": more,
    }  # fmt: skip


@post("/api/v1/cases/{code:str}/members", status_code=204)
async def add_member(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(NewMember, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        person = await appointed_person(db, request.app.state.codes, data.person)
        await actions.add_member(db, actor, found, person, data.role)


@post("/api/v1/cases/{code:str}/seizures", status_code=204)
async def add_seizure(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(AddedSeizure, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        seizure = await seizure_named(db, request.app.state.codes, data.seizure)
        await actions.add_seizure(db, actor, found, seizure, data.reason)


@post("/api/v1/cases/{code:str}/links", status_code=201)
async def link(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    actor, codes = actor_of(request), request.app.state.codes
    data = parse(NewLink, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        other = await case_named(db, codes, data.case)
        made = await actions.link(db, actor, found, other, data.reason, note=data.note)
    return {"id": codes.encode("link", made.id)}


@post("/api/v1/cases/{code:str}/status", status_code=204)
async def change_status(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(StatusChange, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        await actions.change_status(db, actor, await _load(request, db, code), data.status, data.note)


async def _load(request: AnyRequest, db: AsyncSession, code: str) -> CaseFile:
    return await queries.case(db, request.app.state.codes.decode("case", code))


handlers = [cases, open_case, case, events, add_member, add_seizure, link, change_status]
