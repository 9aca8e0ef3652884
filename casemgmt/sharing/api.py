"""Grants and referrals as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from casemgmt.cases import queries as case_queries
from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures import queries as seizure_queries
from casemgmt.sharing import actions, queries
from casemgmt.sharing.queries import Given
from casemgmt.sharing.receivers import receiver_of
from casemgmt.sharing.schemas import GrantEnding, NewGrant, NewReferral


def grant_json(given: Given, codes: Codes) -> dict[str, Any]:
    """``until`` null: without end. ``state``: live, early, lapsed (its time is over) or ended (withdrawn)."""
    return {
        "id": codes.encode("grant", given.id),
        "seizure": codes.encode("seizure", given.seizure_id) if given.seizure_id else None,
        "case": codes.encode("case", given.case_id) if given.case_id else None,
        "to": given.to,
        "purpose": given.purpose,
        "note": given.note,
        "with_seizures": given.with_seizures,
        "onward": given.onward,
        "by_referral": given.by_referral,
        "starts_at": timestamp(given.starts_at),
        "until": timestamp(given.until) if given.until else None,
        "given_by": given.given_by,
        "given_at": timestamp(given.given_at),
        "state": given.state,
        "ended_at": timestamp(given.ended_at) if given.ended_at else None,
        "ended_by": given.ended_by,
        "end_reason": given.end_reason,
    }


@get("/api/v1/seizures/{code:str}/grants")
async def seizure_grants(request: AnyRequest, code: FromPath[str]) -> list[dict[str, Any]]:
    """Those the reader gave or got, newest first, at most 200."""
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        seizure = await seizure_queries.seizure(db, codes.decode("seizure", code))
        found = await queries.grants_of_seizure(db, seizure.id)
    return [grant_json(given, codes) for given in found]


@post("/api/v1/seizures/{code:str}/grants", status_code=201)
async def grant_seizure(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    actor, codes, zone = actor_of(request), request.app.state.codes, request.app.state.zone
    data = parse(NewGrant, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        seizure = await seizure_queries.seizure(db, codes.decode("seizure", code))
        receiver = await receiver_of(db, codes, data)
        given = await actions.grant_seizure(db, actor, seizure, receiver, data, zone=zone)
    return grant_json(given, codes)


@get("/api/v1/cases/{code:str}/grants")
async def case_grants(request: AnyRequest, code: FromPath[str]) -> list[dict[str, Any]]:
    """Those the reader gave or got, newest first, at most 200."""
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        case = await case_queries.case(db, codes.decode("case", code))
        found = await queries.grants_of_case(db, case.id)
    return [grant_json(given, codes) for given in found]


@post("/api/v1/cases/{code:str}/grants", status_code=201)
async def grant_case(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    actor, codes, zone = actor_of(request), request.app.state.codes, request.app.state.zone
    data = parse(NewGrant, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        case = await case_queries.case(db, codes.decode("case", code))
        receiver = await receiver_of(db, codes, data)
        given = await actions.grant_case(db, actor, case, receiver, data, zone=zone)
    return grant_json(given, codes)


@post("/api/v1/grants/{code:str}/end", status_code=204)
async def end_grant(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(GrantEnding, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        given = await queries.grant(db, request.app.state.codes.decode("grant", code))
        await actions.end_grant(db, actor, given, data.reason)


@post("/api/v1/cases/{code:str}/referrals", status_code=201)
async def refer(request: AnyRequest, code: FromPath[str]) -> Response[dict[str, Any]]:
    """Answers 201 with a new referral, 200 with the one this ``client_id`` made before."""
    actor, codes = actor_of(request), request.app.state.codes
    data = parse(NewReferral, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        case = await case_queries.case(db, codes.decode("case", code))
        referral_id, new = await actions.refer(
            db, actor, case, data,
            unit_id=codes.decode("unit", data.unit), seizure_ids=[codes.decode("seizure", s) for s in data.seizures],
        )  # fmt: skip
    return Response({"id": codes.encode("referral", referral_id)}, status_code=201 if new else 200)


handlers = [seizure_grants, grant_seizure, case_grants, grant_case, end_grant, refer]
