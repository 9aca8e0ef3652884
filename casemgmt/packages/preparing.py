"""Preparing a package in the browser: choose, withhold if need be, look at the choice, seal."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.cases import queries as case_queries
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import DomainError, Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import Fields, nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger.errors import NotSequencedYet
from casemgmt.packages import choosable, gathering, ordering, rules, sealing
from casemgmt.packages.errors import LedgerBehind, NoTimestamp, NotSealable, NotSigned
from casemgmt.packages.ordering import REPORT_LANGUAGES, Order
from casemgmt.packages.schemas import NewPackage
from casemgmt.packages.workshop import Workshop

_REFUSALS = (Invalid, LedgerBehind, NotSequencedYet, NotSealable, NoTimestamp, NotSigned)

Values = dict[str, Any]


@get("/cases/{code:str}/packages/new")
async def choose(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _choose(request, code, _values({}))


@post("/cases/{code:str}/packages", status_code=200)
async def prepare(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Three pages of one form: what goes in, what of it is withheld, and what that comes to. Only the button of the
    last one seals."""
    values = _values(request.state.get("form") or {})
    try:
        order = _order(request, values)
        if values["step"] == "seal":
            return await _seal(request, code, order)
        if values["step"] == "withhold":
            return await _withhold(request, code, values, order)
        return await _check(request, code, values, order)
    except _REFUSALS as error:
        return await _refused(request, code, values, error)


async def _choose(
    request: AnyRequest, code: str, values: Values, *, status_code: int = 200, errors: dict[str, Text] | None = None
) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, state.codes.decode("case", code))
        rules.sealing_post(actor, case)
        offered = await gathering.offered(db, case)
    return page(
        request, "packages/choose.html", status_code=status_code, error_title=bool(errors),
        case=case, code=code, offered=offered, errors=errors or {}, values=values,
        report_languages=REPORT_LANGUAGES,
    )  # fmt: skip


async def _withhold(
    request: AnyRequest,
    code: str,
    values: Values,
    order: Order,
    *,
    status_code: int = 200,
    errors: dict[str, Text] | None = None,
) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, state.codes.decode("case", code))
        rules.sealing_post(actor, case)
        choices = rules.choose(await gathering.offered(db, case), order.exhibits, order.reason)
        lines, more = await choosable.lines(db, choices)
    given = {(thing.get("file"), thing.get("entry")): thing["code"] for thing in values["withhold"]}
    return page(
        request, "packages/withhold.html", status_code=status_code, error_title=bool(errors),
        case=case, code=code, values=values, lines=lines, more=more, given=given, today=_today(request),
        errors=errors or {},
    )  # fmt: skip


async def _check(request: AnyRequest, code: str, values: Values, order: Order) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, state.codes.decode("case", code))
        rules.sealing_post(actor, case)
        choices = rules.choose(await gathering.offered(db, case), order.exhibits, order.reason)
        counts = await gathering.file_counts(db, choices)
        withheld = await choosable.chosen(db, choices, order.withheld)
    signing = state.signing
    return page(
        request, "packages/check.html", case=case, code=code, choices=choices, counts=counts, values=values,
        withheld=withheld, report_languages=[REPORT_LANGUAGES[name] for name in order.languages],
        signed=signing.signer is not None, stamped=signing.authorities is not None,
    )  # fmt: skip


async def _seal(request: AnyRequest, code: str, order: Order) -> Response[Any]:
    actor, state = actor_of(request), request.app.state
    package = await sealing.seal(Workshop.of(state), actor, state.codes.decode("case", code), order)
    return see_other(request, f"/packages/{state.codes.encode('package', package.id)}")


async def _refused(request: AnyRequest, code: str, values: Values, error: DomainError) -> Template:
    """The page again on which it can be put right."""
    errors = dict(error.fields) if isinstance(error, Invalid) else {"exhibits": error.message}
    if {"withhold", "withheld_because"} & set(errors):
        plain = _order(request, {**values, "withhold": [], "withheld_because": ""})
        return await _withhold(request, code, values, plain, status_code=error.status, errors=errors)
    return await _choose(request, code, values, status_code=error.status, errors=errors)


def _order(request: AnyRequest, values: Values) -> Order:
    sent = {name: value for name, value in values.items() if name not in ("step", "fresh")}
    return ordering.order(request.app.state.codes, parse(NewPackage, sent, lax=True), _today(request))


def _today(request: AnyRequest) -> date:
    return utcnow().astimezone(request.app.state.zone).date()


def _values(form: Fields) -> Values:
    """``fresh``: nothing was chosen yet, so that everything is."""
    fields = nested(form, many=frozenset({"exhibits", "languages"}))
    rows = fields.get("withhold")
    withhold = [
        {"code": str(row["code"]), **{kind: str(row[kind]) for kind in ("file", "entry") if row.get(kind)}}
        for row in (rows if isinstance(rows, list) else [])
        if row.get("code")
    ]
    return {
        "client_id": str(fields.get("client_id") or uuid.uuid4()),
        "exhibits": [code for code in fields.get("exhibits", []) if isinstance(code, str)],
        "reason": str(fields.get("reason", "")),
        "languages": list(fields.get("languages", [])) or ([] if form else [ordering.own_language()]),
        "withhold": withhold,
        "withheld_because": str(fields.get("withheld_because", "")),
        "step": str(fields.get("step", "check")),
        "fresh": not form,
    }


handlers = [choose, prepare]
