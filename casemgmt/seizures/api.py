"""Seizures as JSON. They are registered with their exhibits, in the room of that name."""

from __future__ import annotations

from typing import Any

from litestar import get, post, put
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures import actions, numbering, queries, rules
from casemgmt.seizures.models import Conveyance, Participant, Seizure
from casemgmt.seizures.schemas import Correction, NeedToKnow, NewNumberBlock, Supplement
from casemgmt.seizures.scopes import choose, scopes_of


def seizure_json(seizure: Seizure, codes: Codes) -> dict[str, Any]:
    """What is said of a seizure wherever it appears; positions and ``device_at`` are claims of a device."""
    return {
        "id": codes.encode("seizure", seizure.id),
        "number": seizure.number,
        "unit_id": codes.encode("unit", seizure.unit_id),
        "registered_by": codes.encode("person", seizure.created_by),
        "registered_at": timestamp(seizure.created_at),
        "seized_at": timestamp(seizure.seized_at),
        "device_at": timestamp(seizure.device_at) if seizure.device_at else None,
        "place": seizure.place,
        "latitude": _text(seizure.latitude),
        "longitude": _text(seizure.longitude),
        "accuracy_m": _text(seizure.accuracy_m),
        "direction": seizure.direction,
        "detection": seizure.detection,
        "ground": seizure.ground,
        "circumstances": seizure.circumstances,
        "need_to_know": seizure.ntk,
    }


@get("/api/v1/seizures")
async def seizures(request: AnyRequest) -> dict[str, Any]:
    """Newest first, 50 at a time. ``scope`` as in the page's tabs; ``after`` is the id of the last one you have."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scope = choose(scopes_of(actor), asked.get("scope", ""))
    after = codes.decode("seizure", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
    return {"scope": scope.key, "seizures": [seizure_json(row, codes) for row in rows], "more": more}


@get("/api/v1/seizures/{code:str}")
async def seizure(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        people = await queries.participants(db, found.id)
        conveyances = await queries.conveyances(db, found.id)
    return {
        **seizure_json(found, codes),
        "participants": [_participant_json(person) for person in people],
        "conveyances": [_conveyance_json(conveyance) for conveyance in conveyances],
    }


@post("/api/v1/number-blocks", status_code=201)
async def reserve_numbers(request: AnyRequest) -> dict[str, Any]:
    """Numbers for a device to give by itself while it has no network, final from then on. At most 100 unused ones."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewNumberBlock, await read_json(request), lax=False)
    async with state.database.begin(actor) as db:
        block = await numbering.reserve(db, actor, data, state.zone)
    post_ = rules.registering_post(actor)
    return {
        "device": str(block.device), "unit": post_.code, "year": block.year, "reserved_at": timestamp(block.at),
        "numbers": numbering.block_numbers(block, post_.code),
    }  # fmt: skip


@post("/api/v1/seizures/{code:str}/corrections", status_code=204)
async def correct(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(Correction, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        await actions.correct(db, actor, await _load(request, db, code), data)


@post("/api/v1/seizures/{code:str}/people", status_code=204)
async def supplement(request: AnyRequest, code: FromPath[str]) -> None:
    """Participants and conveyances that were there but not in the registration."""
    actor, data = actor_of(request), parse(Supplement, await read_json(request), lax=False)
    async with request.app.state.database.begin(actor) as db:
        await actions.supplement(db, actor, await _load(request, db, code), data)


@put("/api/v1/seizures/{code:str}/need-to-know", status_code=204)
async def mark(request: AnyRequest, code: FromPath[str]) -> None:
    actor, data = actor_of(request), parse(NeedToKnow, await read_json(request), lax=False)
    names = {request.app.state.codes.decode("person", person) for person in data.names}
    async with request.app.state.database.begin(actor) as db:
        found = await _load(request, db, code)
        await actions.mark_need_to_know(db, actor, found, hidden=data.need_to_know, names=names)


async def _load(request: AnyRequest, db: AsyncSession, code: str) -> Seizure:
    return await queries.seizure(db, request.app.state.codes.decode("seizure", code))


def _participant_json(person: Participant) -> dict[str, Any]:
    return {
        "role": person.role, "name": person.name, "document": person.document, "address": person.address,
        "note": person.note, "refused_signature": person.refused_signature,
    }  # fmt: skip


def _conveyance_json(conveyance: Conveyance) -> dict[str, Any]:
    verdict = rules.verdict_of(conveyance.verdict)
    return {
        "kind": conveyance.kind, "identifier": conveyance.identifier, "country": conveyance.country,
        "check": verdict.status if verdict else "unknown", "check_reason": verdict.reason if verdict else None,
    }  # fmt: skip


def _text(value: object) -> str | None:
    return None if value is None else str(value)


handlers = [seizures, seizure, reserve_numbers, correct, supplement, mark]
