"""Preparing a package in the browser: choose, look at the choice, seal."""

from __future__ import annotations

import uuid
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.cases import queries as case_queries
from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.i18n import N_, Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import Fields, nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger.errors import QuorumNotMet
from casemgmt.packages import gathering, rules, sealing
from casemgmt.packages.errors import LedgerBehind, NotSealable
from casemgmt.packages.schemas import NewPackage


@get("/cases/{code:str}/packages/new")
async def choose(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _choose(request, code)


async def _choose(
    request: AnyRequest,
    code: str,
    *,
    status_code: int = 200,
    values: dict[str, Any] | None = None,
    errors: dict[str, Text] | None = None,
) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, state.codes.decode("case", code))
        rules.sealing_post(actor, case)
        offered = await gathering.offered(db, case)
    return page(
        request, "packages/choose.html", status_code=status_code, error_title=bool(errors),
        case=case, code=code, offered=offered, errors=errors or {},
        chosen=None if values is None else set(values["exhibits"]),
        reason=values["reason"] if values else "", client_id=values["client_id"] if values else str(uuid.uuid4()),
    )  # fmt: skip


@post("/cases/{code:str}/packages", status_code=200)
async def prepare(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The second page shows what will be sealed; its own button, and nothing else, seals it."""
    actor, state = actor_of(request), request.app.state
    values = _values(request.state.get("form") or {})
    try:
        data = parse(NewPackage, {k: v for k, v in values.items() if k != "step"}, lax=True)
        wanted = _decoded(request, values["exhibits"])
        if values["step"] == "seal":
            package = await sealing.seal(
                state.database, actor, state.codes.decode("case", code), data, wanted, state.zone
            )
            return see_other(request, f"/packages/{state.codes.encode('package', package.id)}")
        async with state.database.begin(actor) as db:
            case = await case_queries.case(db, state.codes.decode("case", code))
            rules.sealing_post(actor, case)
            choices = rules.choose(await gathering.offered(db, case), wanted, data.reason)
            counts = await gathering.file_counts(db, choices)
    except (Invalid, LedgerBehind, NotSealable, QuorumNotMet) as error:
        errors = error.fields if isinstance(error, Invalid) else {"exhibits": error.message}
        return await _choose(request, code, status_code=error.status, values=values, errors=errors)
    return page(request, "packages/check.html", case=case, code=code, choices=choices, counts=counts, values=values)


def _values(form: Fields) -> dict[str, Any]:
    fields = nested(form, many=frozenset({"exhibits"}))
    exhibits = fields.get("exhibits", [])
    return {
        "client_id": str(fields.get("client_id", "")),
        "exhibits": [code for code in exhibits if isinstance(code, str)],
        "reason": str(fields.get("reason", "")),
        "step": str(fields.get("step", "check")),
    }


def _decoded(request: AnyRequest, codes: list[str]) -> set[int]:
    try:
        return {request.app.state.codes.decode("exhibit", code) for code in codes}
    except NotFound:
        raise Invalid({"exhibits": N_("Choose among the exhibits of this case.")}) from None


handlers = [choose, prepare]
