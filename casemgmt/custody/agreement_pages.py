"""Pages of what two phones agreed without a network: how it stands, both records, and a dispute's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy import select

from casemgmt.core.errors import Conflict, Invalid, NotFound
from casemgmt.core.i18n import PN_, Text
from casemgmt.core.parse import parse
from casemgmt.core.parts import Pager, Tab
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import agreement_queries as queries
from casemgmt.custody import resolving
from casemgmt.custody.agreement_queries import Agreed
from casemgmt.custody.resolving import Resolution
from casemgmt.exhibits.models import Exhibit
from casemgmt.trust.agreement import parse_answer, parse_offer
from casemgmt.trust.errors import TrustError
from casemgmt.trust.passkey import PublicKey

_LISTS = {"open": PN_("agreements", "Not settled"), "all": PN_("agreements", "All")}
_PARTS = ("record.json", "statement.txt", "sig.der", "pub.pem")


@get("/agreements")
async def agreements(request: AnyRequest) -> Template:
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    chosen = "all" if asked.get("list") == "all" else "open"
    before = codes.decode("agreement", asked["before"]) if asked.get("before") else None
    async with request.app.state.database.begin(actor) as db:
        read = queries.seen if chosen == "all" else queries.still_open
        rows = await read(db, before=before)
    tabs = [Tab(f"/agreements?list={key}", words, key == chosen) for key, words in _LISTS.items()]
    more = None
    if len(rows) == queries.PAGE:
        more = f"/agreements?list={chosen}&before={codes.encode('agreement', rows[-1].agreement.id)}"
    return page(request, "custody/agreements.html", rows=rows, tabs=tabs, chosen=chosen, pager=Pager(1, next_href=more))


@get("/agreements/{code:str}")
async def agreement(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _agreement(request, code)


@post("/agreements/{code:str}/resolution")
async def resolve(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """A supervisor says what became of the dispute."""
    actor, state = actor_of(request), request.app.state
    fields = nested(request.state.get("form") or {})
    agreement_id = state.codes.decode("agreement", code)
    try:
        await resolving.resolve(state.database, actor, agreement_id, parse(Resolution, fields, lax=True))
    except Invalid as error:
        return await _agreement(request, code, values=fields, errors=error.fields, status_code=error.status)
    except Conflict as error:
        return await _agreement(request, code, notice=error.message, status_code=error.status)
    return see_other(request, f"/agreements/{code}")


@get("/agreements/{code:str}/files/{name:str}")
async def file(request: AnyRequest, code: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file with which anybody checks a record with openssl: ``offer-record.json``, ``answer-sig.der``, ..."""
    half, _, part = name.partition("-")
    async with request.app.state.database.begin(actor_of(request)) as db:
        found = await queries.agreement(db, request.app.state.codes.decode("agreement", code))
    if half not in ("offer", "answer") or part not in _PARTS:
        raise NotFound
    row = found.agreement
    record, signature, spki = (
        (row.offer, row.offer_signature, row.offer_spki)
        if half == "offer"
        else (row.answer, row.answer_signature, row.answer_spki)
    )
    digest = row.offer_sha256 if half == "offer" else row.answer_sha256
    made = {
        "record.json": record, "statement.txt": f"{digest.hex()}\n".encode(), "sig.der": signature,
        "pub.pem": PublicKey(spki).pem,
    }  # fmt: skip
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(made[part], media_type="application/octet-stream", headers=headers)


async def _agreement(
    request: AnyRequest,
    code: str,
    *,
    status_code: int = 200,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, Text] | None = None,
    notice: Text | None = None,
) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await queries.agreement(db, codes.decode("agreement", code))
        wanted = select(Exhibit.number, Exhibit.id).where(Exhibit.number.in_([item.exhibit for item in found.items]))
        exhibits = {row.number: row.id for row in await db.execute(wanted)}
    offer, answer = _read(found)
    return page(
        request, "custody/agreement.html", status_code=status_code, error_title=bool(errors),
        found=found, code=code, offer=offer, answer=answer, exhibits=exhibits, notice=notice, values=values or {},
        errors=errors or {}, files=[f"{half}-{part}" for half in ("offer", "answer") for part in _PARTS],
        may_resolve=found.state == "disputed" and resolving.may_resolve(actor, found),
    )  # fmt: skip


def _read(found: Agreed) -> tuple[Any, Any]:
    """Both records; None for one that somebody has damaged since it was kept."""
    read: list[Any] = []
    for parse_record, data in ((parse_offer, found.agreement.offer), (parse_answer, found.agreement.answer)):
        try:
            read.append(parse_record(data))
        except TrustError:
            read.append(None)
    return read[0], read[1]


handlers = [agreements, agreement, resolve, file]
