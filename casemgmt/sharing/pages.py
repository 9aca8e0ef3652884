"""Grants of a seizure or a case, and referring a case."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts import queries as accounts
from casemgmt.cases import queries as case_queries
from casemgmt.cases.models import CaseFile
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.models import Seizure
from casemgmt.sharing import actions, queries
from casemgmt.sharing.queries import Given
from casemgmt.sharing.receivers import receiver_of
from casemgmt.sharing.schemas import GrantEnding, NewGrant, NewReferral

Errors = dict[str, Text]


@dataclass(frozen=True, slots=True)
class Shared:
    """The record whose grants a page shows. ``place`` is its address."""

    record: Seizure | CaseFile
    place: str

    @property
    def is_case(self) -> bool:
        return isinstance(self.record, CaseFile)


async def _load(request: AnyRequest, db: AsyncSession, kind: str, code: str) -> Shared:
    record_id = request.app.state.codes.decode(kind, code)
    if kind == "case":
        return Shared(await case_queries.case(db, record_id), f"/cases/{code}")
    return Shared(await seizure_queries.seizure(db, record_id), f"/seizures/{code}")


async def _grants(db: AsyncSession, shared: Shared) -> Any:
    if shared.is_case:
        return await queries.grants_of_case(db, shared.record.id)
    return await queries.grants_of_seizure(db, shared.record.id)


async def _show(
    request: AnyRequest, kind: str, code: str, values: dict[str, Any] | None = None, errors: Errors | None = None
) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        shared = await _load(request, db, kind, code)
        may_grant = actor.holds("supervisor", shared.record.unit_id)
        grants = await _grants(db, shared)
        units = await accounts.units(db) if may_grant else []
        agencies = await accounts.agencies(db) if may_grant else []
    own = shared.record.unit_id
    receivers = [(f"unit:{codes.encode('unit', u.id)}", f"{u.name}, {agency}") for u, agency in units if u.id != own]
    receivers += [(f"agency:{codes.encode('agency', a.id)}", a.name) for a in agencies]
    return page(
        request, "sharing/grants.html", status_code=422 if errors else 200, error_title=bool(errors),
        shared=shared, grants=grants, may_grant=may_grant, me=actor.id,
        receivers=receivers, values=values or {}, errors=errors or {},
    )  # fmt: skip


async def _give(request: AnyRequest, kind: str, code: str) -> Response[Any]:
    actor, values, zone = actor_of(request), nested(request.state.get("form") or {}), request.app.state.zone
    try:
        data = parse(NewGrant, values, lax=True)
        async with request.app.state.database.begin(actor) as db:
            shared = await _load(request, db, kind, code)
            receiver = await receiver_of(db, request.app.state.codes, data)
            if isinstance(shared.record, CaseFile):
                await actions.grant_case(db, actor, shared.record, receiver, data, zone=zone)
            else:
                await actions.grant_seizure(db, actor, shared.record, receiver, data, zone=zone)
    except Invalid as error:
        return await _show(request, kind, code, values, error.fields)
    return see_other(request, f"{shared.place}/grants")


async def _load_grant(
    request: AnyRequest, db: AsyncSession, kind: str, code: str, grant_code: str
) -> tuple[Shared, Given]:
    shared = await _load(request, db, kind, code)
    given = await queries.grant(db, request.app.state.codes.decode("grant", grant_code))
    if shared.record.id != (given.case_id if shared.is_case else given.seizure_id):
        raise NotFound
    return shared, given


async def _ask_end(
    request: AnyRequest, kind: str, code: str, grant_code: str, errors: Errors | None = None
) -> Template:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        shared, given = await _load_grant(request, db, kind, code, grant_code)
    return page(
        request, "sharing/end.html", status_code=422 if errors else 200, error_title=bool(errors),
        shared=shared, grant=given, action=f"{shared.place}/grants/{grant_code}/end", errors=errors or {},
    )  # fmt: skip


async def _end(request: AnyRequest, kind: str, code: str, grant_code: str) -> Response[Any]:
    actor, values = actor_of(request), nested(request.state.get("form") or {})
    try:
        data = parse(GrantEnding, values, lax=True)
        async with request.app.state.database.begin(actor) as db:
            shared, given = await _load_grant(request, db, kind, code, grant_code)
            await actions.end_grant(db, actor, given, data.reason)
    except Invalid as error:
        return await _ask_end(request, kind, code, grant_code, error.fields)
    return see_other(request, f"{shared.place}/grants")


@get("/seizures/{code:str}/grants")
async def seizure_grants(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _show(request, "seizure", code)


@post("/seizures/{code:str}/grants")
async def grant_seizure(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    return await _give(request, "seizure", code)


@get("/seizures/{code:str}/grants/{grant:str}/end")
async def ask_end_seizure_grant(request: AnyRequest, code: FromPath[str], grant: FromPath[str]) -> Template:
    return await _ask_end(request, "seizure", code, grant)


@post("/seizures/{code:str}/grants/{grant:str}/end")
async def end_seizure_grant(request: AnyRequest, code: FromPath[str], grant: FromPath[str]) -> Response[Any]:
    return await _end(request, "seizure", code, grant)


@get("/cases/{code:str}/grants")
async def case_grants(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _show(request, "case", code)


@post("/cases/{code:str}/grants")
async def grant_case(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    return await _give(request, "case", code)


@get("/cases/{code:str}/grants/{grant:str}/end")
async def ask_end_case_grant(request: AnyRequest, code: FromPath[str], grant: FromPath[str]) -> Template:
    return await _ask_end(request, "case", code, grant)


@post("/cases/{code:str}/grants/{grant:str}/end")
async def end_case_grant(request: AnyRequest, code: FromPath[str], grant: FromPath[str]) -> Response[Any]:
    return await _end(request, "case", code, grant)


@get("/cases/{code:str}/referrals")
async def referrals(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _referrals(request, code, None, {})


async def _referrals(request: AnyRequest, code: str, values: dict[str, Any] | None, errors: Errors) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        case = await case_queries.case(db, codes.decode("case", code))
        entries = await case_queries.seizures(db, case)
        allowed = await queries.may_refer(db, case, [entry.seizure for entry in entries])
        agencies = await accounts.names(db, {entry.seizure.agency_id for entry in entries})
        made = await queries.referrals(db, case.id)
        units = await queries.prosecution_units(db)
    if values is None:  # all that may go is chosen beforehand: leaving something out is the decision
        values = {"client_id": str(uuid.uuid4()), "seizures": [codes.encode("seizure", i) for i in allowed]}
    return page(
        request, "sharing/referrals.html", status_code=422 if errors else 200, error_title=bool(errors),
        case=case, code=code, entries=entries, allowed=allowed, agencies=agencies, referrals=made,
        units=[(codes.encode("unit", u.id), f"{u.name}, {agency}") for u, agency in units],
        values=values, errors=errors,
    )  # fmt: skip


@post("/cases/{code:str}/referrals")
async def refer(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, codes = actor_of(request), request.app.state.codes
    values = {"seizures": [], **nested(request.state.get("form") or {}, many=frozenset({"seizures"}))}
    try:
        data = parse(NewReferral, values, lax=True)
        async with request.app.state.database.begin(actor) as db:
            case = await case_queries.case(db, codes.decode("case", code))
            await actions.refer(
                db, actor, case, data,
                unit_id=codes.decode("unit", data.unit),
                seizure_ids=[codes.decode("seizure", s) for s in data.seizures],
            )  # fmt: skip
    except Invalid as error:
        return await _referrals(request, code, values, error.fields)
    return see_other(request, f"/cases/{code}")


handlers = [
    seizure_grants, grant_seizure, ask_end_seizure_grant, end_seizure_grant,
    case_grants, grant_case, ask_end_case_grant, end_case_grant,
    referrals, refer,
]  # fmt: skip
