"""Agreements of two phones as JSON."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import agreement_queries as queries
from casemgmt.custody import agreements, resolving
from casemgmt.custody.agreement_queries import Agreed
from casemgmt.custody.agreement_rules import in_words
from casemgmt.custody.agreements import NewAgreement
from casemgmt.custody.pipeline import Party
from casemgmt.custody.resolving import Resolution


@post("/api/v1/agreements")
async def bring(request: AnyRequest) -> Response[dict[str, Any]]:
    """Bring two signed records (docs/spec/agreement.md): 201, or 200 when they were known. A conflict of custody is no
    error: it is the state ``disputed``."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewAgreement, await read_json(request), lax=False)
    brought = await agreements.bring(state.database, actor, data)
    async with state.database.begin(actor) as db:
        found = await queries.agreement(db, brought.id)
    answer = describe(found, state.codes)
    where = {"Location": f"/api/v1/agreements/{answer['id']}"}
    return Response(answer, status_code=201 if brought.made else 200, headers=where)


@get("/api/v1/agreements")
async def list_agreements(request: AnyRequest) -> dict[str, Any]:
    """What the reader sees, newest first; ``?state=open``: what waits or is disputed. ``next`` for ``?before=``."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    before = codes.decode("agreement", asked["before"]) if asked.get("before") else None
    async with request.app.state.database.begin(actor) as db:
        read = queries.still_open if asked.get("state") == "open" else queries.seen
        found = await read(db, before=before)
    following = codes.encode("agreement", found[-1].agreement.id) if len(found) == queries.PAGE else None
    return {"agreements": [describe(one, codes) for one in found], "next": following}


@get("/api/v1/agreements/{agreement:str}")
async def get_agreement(request: AnyRequest, agreement: FromPath[str]) -> dict[str, Any]:
    """By the identifier that the two phones know it by."""
    async with request.app.state.database.begin(actor_of(request)) as db:
        found = await queries.by_name(db, agreement)
    return describe(found, request.app.state.codes)


@post("/api/v1/agreements/{agreement:str}/resolution", status_code=200)
async def resolve(request: AnyRequest, agreement: FromPath[str]) -> dict[str, Any]:
    """Say what became of a dispute: a supervisor of one of the two units, in words."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        found = await queries.by_name(db, agreement)
    data = parse(Resolution, await read_json(request), lax=False)
    await resolving.resolve(state.database, actor, found.agreement.id, data)
    async with state.database.begin(actor) as db:
        return describe(await queries.agreement(db, found.agreement.id), state.codes)


def describe(found: Agreed, codes: Codes) -> dict[str, Any]:
    """An agreement for machines; ``words`` are in the reader's language."""
    row = found.agreement
    return {
        "agreement": codes.encode("agreement", row.id),
        "id": str(row.client_id),
        "state": found.state,
        "why": [{"code": w.code, "exhibit": w.exhibit, "words": str(in_words(w))} for w in found.why],
        "handover": codes.encode("handover", found.handover_id) if found.handover_id else None,
        "number": found.number,
        "from": _party(found.giver, codes),
        "to": _party(found.receiver, codes),
        "exhibits": [{"number": item.exhibit, "decision": item.decision} for item in found.items],
        "offered_at_claimed": timestamp(row.offered_at),
        "answered_at_claimed": timestamp(row.answered_at),
        "brought": [{"by": _party(who, codes), "at": timestamp(at)} for who, at in found.brought],
        "decided_at": timestamp(found.decided_at) if found.decided_at else None,
        "resolution": {"outcome": found.outcome, "words": found.words} if found.outcome else None,
        "offer_sha256": row.offer_sha256.hex(),
        "answer_sha256": row.answer_sha256.hex(),
    }


def _party(who: Party, codes: Codes) -> dict[str, str]:
    return {"id": codes.encode("person", who.id), "name": who.name, "badge": who.badge}


handlers = [bring, list_agreements, get_agreement, resolve]
