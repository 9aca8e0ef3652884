"""Hand-overs as JSON."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath

from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import actions, queries
from casemgmt.custody.pipeline import Party
from casemgmt.custody.queries import Full, Line, Row
from casemgmt.custody.schemas import Answer, NewOffer
from casemgmt.custody.signatures import described

LISTS = {
    "waiting": queries.waiting_for,
    "open": queries.open_offers,
    "given": queries.given_by,
    "received": queries.received_by,
}


@post("/api/v1/hand-overs", status_code=201)
async def offer(request: AnyRequest) -> dict[str, Any]:
    """Offer exhibits to one person. The same ``client_id`` again answers with the first hand-over."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewOffer, await read_json(request), lax=False)
    handover_id = await actions.offer(state.database, actor, data, state.codes)
    return await _full(request, handover_id)


@get("/api/v1/hand-overs")
async def list_handovers(request: AnyRequest) -> dict[str, Any]:
    """``?state=waiting`` (for me to answer), ``open`` (mine, unanswered), ``given`` or ``received``; newest first.

    ``next`` is the code to give as ``?before=`` for the following page, null at the end.
    """
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    before = codes.decode("handover", asked["before"]) if asked.get("before") else None
    read = LISTS.get(asked.get("state", "waiting"), queries.waiting_for)
    async with request.app.state.database.begin(actor) as db:
        rows = await read(db, actor.id, before=before)
    following = codes.encode("handover", rows[-1].handover.id) if len(rows) == queries.PAGE else None
    return {"handovers": [_row(row, codes) for row in rows], "next": following}


@get("/api/v1/hand-overs/{code:str}")
async def get_handover(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    return await _full(request, request.app.state.codes.decode("handover", code))


@post("/api/v1/hand-overs/{code:str}/answer", status_code=200)
async def answer(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """Accept or refuse each exhibit as the receiver, or withdraw as the giver. All of it or nothing."""
    actor, state = actor_of(request), request.app.state
    handover_id = state.codes.decode("handover", code)
    data = parse(Answer, await read_json(request), lax=False)
    await actions.answer(state.database, actor, handover_id, data, state.codes)
    return await _full(request, handover_id)


async def _full(request: AnyRequest, handover_id: int) -> dict[str, Any]:
    async with request.app.state.database.begin(actor_of(request)) as db:
        full = await queries.handover(db, handover_id)
    return describe(full, request.app.state.codes)


def describe(full: Full, codes: Codes) -> dict[str, Any]:
    """A hand-over for machines."""
    h = full.handover
    place = None
    if h.latitude is not None:
        place = {"latitude": str(h.latitude), "longitude": str(h.longitude), "accuracy_m": _text(h.accuracy_m)}
    return {
        "id": codes.encode("handover", h.id),
        "number": h.number,
        "state": full.result,
        "from": _party(full.giver, codes),
        "to": _party(full.receiver, codes),
        "purpose": h.purpose,
        "place": h.place,
        "place_claimed": place,
        "note": h.note,
        "offered_at": timestamp(h.created_at),
        "device_at_claimed": timestamp(h.device_at) if h.device_at else None,
        "exhibits": [_line(line, codes) for line in full.lines],
    }


def _line(line: Line, codes: Codes) -> dict[str, Any]:
    given, answered, exhibit = line.offered, line.answered, line.exhibit
    return {
        "exhibit": codes.encode("exhibit", line.item.exhibit_id),
        "number": exhibit.number if exhibit else None,
        "state": line.item.state,
        "seal_on_record": exhibit.seal_no if exhibit else None,
        "seal_seen_by_giver": given.seal_no if given else None,
        "seal_seen_by_receiver": answered.seal_no if answered else None,
        "seal_state": answered.seal_state if answered else None,
        "discrepancy": answered.discrepancy if answered else None,
        "reason": answered.reason if answered else None,
        "note": answered.note if answered else None,
        "offer_signed": described(line.offer_signed),
        "answer_signed": described(line.answer_signed) if answered else None,
        "answered_at": timestamp(line.item.answered_at) if line.item.answered_at else None,
        "device_at_claimed": timestamp(answered.device_at) if answered and answered.device_at else None,
        "seq": exhibit.last_seq if exhibit else None,
        "prev": exhibit.last_hash.hex() if exhibit else None,
    }


def _row(row: Row, codes: Codes) -> dict[str, Any]:
    return {
        "id": codes.encode("handover", row.handover.id),
        "number": row.handover.number,
        "state": row.result,
        "from": row.giver,
        "to": row.receiver,
        "purpose": row.handover.purpose,
        "exhibits": row.exhibits,
        "offered_at": timestamp(row.handover.created_at),
    }


def _party(party: Party, codes: Codes) -> dict[str, Any]:
    return {"id": codes.encode("person", party.id), "name": party.name, "badge": party.badge}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


handlers = [offer, list_handovers, get_handover, answer]
