"""Pages of hand-overs: choosing, offering, receiving, and the receipt both sides keep."""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import segno
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import colleagues
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Conflict, Invalid, NotFound
from casemgmt.core.i18n import PN_, Text
from casemgmt.core.parse import parse
from casemgmt.core.parts import Pager, Tab
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import actions, agreement_queries, queries, signing
from casemgmt.custody.agreement_models import Agreement
from casemgmt.custody.live import version_of
from casemgmt.custody.rules import RECEIVERS
from casemgmt.custody.schemas import MOST, Answer, NewOffer
from casemgmt.custody.sign_pages import my_keys, rules_of
from casemgmt.evidence.models import File
from casemgmt.evidence.queries import files_of_exhibits
from casemgmt.evidence.rules import VIEWABLE
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.queries import by_ids

Errors = Mapping[str, Text]

SHOWN = 10  # agreements that are not settled, above the list

_LISTS = {
    "waiting": (PN_("hand-overs", "Waiting for me"), queries.waiting_for),
    "given": (PN_("hand-overs", "I gave"), queries.given_by),
    "received": (PN_("hand-overs", "Offered to me"), queries.received_by),
}


@get("/hand-overs")
async def handovers(request: AnyRequest) -> Template:
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    chosen = asked.get("list", "waiting") if asked.get("list") in _LISTS else "waiting"
    before = codes.decode("handover", asked["before"]) if asked.get("before") else None
    async with request.app.state.database.begin(actor) as db:
        rows = await _LISTS[chosen][1](db, actor.id, before=before)
        agreements = await agreement_queries.still_open(db, limit=SHOWN) if before is None else []
    tabs = [Tab(f"/hand-overs?list={key}", words, key == chosen) for key, (words, _) in _LISTS.items()]
    more = None
    if len(rows) == queries.PAGE:
        more = f"/hand-overs?list={chosen}&before={codes.encode('handover', rows[-1].handover.id)}"
    return page(
        request,
        "custody/list.html",
        rows=rows,
        tabs=tabs,
        chosen=chosen,
        pager=Pager(1, next_href=more),
        agreements=agreements,
    )


@get("/hand-overs/new")
async def new(request: AnyRequest) -> Template:
    """Without ``?exhibit=``: what I hold, to tick. With it: the offer to fill in."""
    actor, codes = actor_of(request), request.app.state.codes
    wanted = request.query_params.getall("exhibit", [])[:MOST]
    if wanted:
        return await _offer_form(request, wanted, {"client_id": str(uuid.uuid4())})
    asked = request.query_params.get("before")
    before = codes.decode("exhibit", asked) if asked else None
    async with request.app.state.database.begin(actor) as db:
        held = await queries.holding(db, actor.id, before=before)
    more = f"/hand-overs/new?before={codes.encode('exhibit', held[-1].id)}" if len(held) == queries.PAGE else None
    return page(request, "custody/choose.html", exhibits=held, pager=Pager(1, next_href=more))


@post("/hand-overs")
async def offer(request: AnyRequest) -> Response[Any]:
    fields = nested(request.state.get("form") or {})
    rows = [row for row in fields.get("exhibits", []) if isinstance(row, dict)]
    try:
        data = parse(NewOffer, fields, lax=True)
        made = await _offered(request, data, str(fields.get("sign_with", "")))
    except Invalid as error:
        wanted = [str(row.get("exhibit", "")) for row in rows][:MOST]
        return await _offer_form(request, wanted, fields, errors=by_input(error.fields))
    if isinstance(made, uuid.UUID):
        return see_other(request, f"/signing/{made}")
    return see_other(request, f"/hand-overs/{request.app.state.codes.encode('handover', made)}")


async def _offered(request: AnyRequest, data: NewOffer, key: str) -> int | uuid.UUID:
    """The hand-over; or, where a key was chosen, what now waits for it."""
    actor, state = actor_of(request), request.app.state
    if key:
        return await signing.prepare_offer(state.database, actor, data, key, state.codes, rules_of(request))
    return await actions.offer(state.database, actor, data, state.codes)


@get("/hand-overs/{code:str}")
async def handover(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _handover(request, code)


@post("/hand-overs/{code:str}/answer")
async def answer(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    actor, state = actor_of(request), request.app.state
    fields = nested(request.state.get("form") or {})
    try:
        data = read_answer(fields)
        handover_id = state.codes.decode("handover", code)
        if key := str(fields.get("sign_with", "")):
            made = await signing.prepare_answer(
                state.database, actor, handover_id, data, key, state.codes, rules_of(request)
            )
            return see_other(request, f"/signing/{made}")
        await actions.answer(state.database, actor, handover_id, data, state.codes)
    except Invalid as error:
        return await _handover(request, code, values=fields, errors=by_input(error.fields), status_code=error.status)
    except Conflict as error:
        return await _handover(request, code, notice=error.message, status_code=error.status)
    return see_other(request, f"/hand-overs/{code}")


def read_answer(fields: Mapping[str, Any]) -> Answer:
    """The answer in a form. The photographs of an item stand in one field, with spaces between their hashes."""
    rows = [row for row in fields.get("items", []) if isinstance(row, dict)]
    items = [row | {"photos": str(row.get("photos", "")).split()} for row in rows]
    return parse(Answer, dict(fields) | {"items": items}, lax=True)


@get("/hand-overs/{code:str}/receipt")
async def receipt(request: AnyRequest, code: FromPath[str]) -> Template:
    """The act of transfer, to print: the same number on both sides' copies."""
    async with request.app.state.database.begin(actor_of(request)) as db:
        full = await queries.handover(db, request.app.state.codes.decode("handover", code))
    return page(request, "custody/receipt.html", full=full, code=code, printed_at=utcnow())


@get("/hand-overs/{code:str}/qr.svg")
async def qr(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """The address of the hand-over as a QR code for the receipt. Holds nothing but that address."""
    state = request.app.state
    async with state.database.begin(actor_of(request)) as db:
        await queries.handover(db, state.codes.decode("handover", code))
    picture = io.BytesIO()
    segno.make_qr(f"{state.settings.public_url}/hand-overs/{code}", error="q").save(
        picture, kind="svg", scale=4, border=4, light="#fff"
    )
    return Response(picture.getvalue(), media_type="image/svg+xml")


async def _offer_form(
    request: AnyRequest, wanted: Sequence[str], values: Mapping[str, Any], *, errors: Errors | None = None
) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    search = request.query_params.get("q", "")[:100]
    async with request.app.state.database.begin(actor) as db:
        found = {e.id: e for e in await by_ids(db, {codes.decode("exhibit", c) for c in wanted})}
        exhibits = [found[i] for c in wanted if (i := codes.decode("exhibit", c)) in found]
        if len(exhibits) != len(wanted) or not exhibits:
            raise NotFound
        people = await colleagues(db, RECEIVERS, besides=actor.id, search=search)
        photos = await first_pictures(db, [e.id for e in exhibits])
    held = [e for e in exhibits if e.holder_id == actor.id and e.offered_to is None]
    return page(
        request, "custody/offer.html", status_code=422 if errors else 200, error_title=bool(errors),
        exhibits=held, left_out=[e for e in exhibits if e not in held], people=people, photos=photos,
        values=values, rows=_seals(held, values), errors=errors or {}, search=search,
        keys=await my_keys(request), sign_with=values.get("sign_with"),
    )  # fmt: skip


def _seals(exhibits: Sequence[Exhibit], values: Mapping[str, Any]) -> list[str]:
    """The seal to show in each exhibit's field: what was typed, otherwise what is on record."""
    typed = [row for row in values.get("exhibits", []) if isinstance(row, dict)]
    if len(typed) == len(exhibits):
        return [str(row.get("seal", "")) for row in typed]
    return [e.seal_no or "" for e in exhibits]


async def _handover(
    request: AnyRequest,
    code: str,
    *,
    status_code: int = 200,
    values: Mapping[str, Any] | None = None,
    errors: Errors | None = None,
    notice: Text | None = None,
) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        full = await queries.handover(db, codes.decode("handover", code))
        photos = await first_pictures(db, [line.item.exhibit_id for line in full.lines])
        agreed = full.handover.agreement_id
        agreement_seen = agreed is not None and await db.get(Agreement, agreed) is not None
    rows = [row for row in (values or {}).get("items", []) if isinstance(row, dict)]
    given = {str(row.get("exhibit", "")): row for row in rows}
    return page(
        request, "custody/handover.html", status_code=status_code, error_title=bool(errors),
        full=full, code=code, version=version_of(line.item for line in full.lines),
        photos=photos, given=given, errors=errors or {}, notice=notice,
        receives=actor.id == full.handover.to_id, gives=actor.id == full.handover.from_id,
        agreement_seen=agreement_seen,
        keys=await my_keys(request) if full.open_lines else [], sign_with=(values or {}).get("sign_with"),
    )  # fmt: skip


async def first_pictures(db: AsyncSession, exhibit_ids: Sequence[int]) -> dict[int, File]:
    """The first picture of each exhibit that a page can show."""
    files = await files_of_exhibits(db, exhibit_ids)
    first = {i: next((f for f in found if f.media_type in VIEWABLE), None) for i, found in files.items()}
    return {i: file for i, file in first.items() if file is not None}


def by_input(errors: Errors) -> dict[str, Text]:
    """Errors by the name of the input: ``items.0.seal`` of the struct is ``items-0-seal`` in the form."""
    return {name.replace(".", "-"): words for name, words in errors.items()}


handlers = [handovers, new, offer, handover, answer, receipt, qr]
