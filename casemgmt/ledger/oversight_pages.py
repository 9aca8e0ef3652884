"""The page of the ledger for administrators and auditors, and the administrator's change of the witness policy."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from casemgmt.accounts.queries import names
from casemgmt.core.actor import Actor
from casemgmt.core.errors import Forbidden, Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.ledger import policy
from casemgmt.ledger.oversight import age, change_words, oversight
from casemgmt.ledger.standing import quorum_words
from casemgmt.trust.keys import VerifierKey
from casemgmt.trust.policy import Policy


@get("/ledger")
async def overview(request: AnyRequest) -> Template:
    actor = _holding(request, "administrator", "auditor")
    async with request.app.state.database.begin(actor) as db:
        seen = await oversight(db)
        people = await names(db, [version.changed_by for version in seen.versions])
    return page(
        request, "ledger/oversight.html",
        seen=seen, people=people, age=age, may_change=actor.holds("administrator"),
    )  # fmt: skip


@get("/ledger/policy")
async def policy_form(request: AnyRequest) -> Template:
    actor = _holding(request, "administrator")
    async with request.app.state.database.begin(actor) as db:
        seen = await oversight(db)
    return _form(request, {"policy": seen.pinned or str(seen.force.policy), "reason": ""})


@post("/ledger/policy", status_code=200)
async def change_policy(request: AnyRequest) -> Response[Any]:
    """Show what would change, or, with ``step`` = ``change``, put it in force."""
    actor = _holding(request, "administrator")
    fields = nested(request.state.get("form") or {})
    values = {name: str(fields.get(name, "")) for name in ("policy", "reason")}
    try:
        async with request.app.state.database.begin(actor) as db:
            if fields.get("step") == "change":
                await policy.change(db, actor, values["policy"], values["reason"])
                return see_other(request, "/ledger")
            seen = await oversight(db)
            wanted = policy.checked(values["policy"], seen.key)
            policy.check_reason(values["reason"])
    except Invalid as error:
        return _form(request, values, status_code=error.status, errors=error.fields)
    old = seen.force.policy if seen.force.version else Policy(())
    told = [change_words(type_, data) for type_, data in policy.key_events(old, wanted)]
    keys: list[tuple[str, VerifierKey]] = [(name, witness.key) for name, witness in wanted.witnesses.items()]
    return page(
        request, "ledger/policy_check.html",
        values={"policy": str(wanted), "reason": values["reason"]}, told=told, keys=keys,
        before=quorum_words(seen.force.policy), after=quorum_words(wanted),
    )  # fmt: skip


def _form(
    request: AnyRequest, values: dict[str, str], *, status_code: int = 200, errors: dict[str, Text] | None = None
) -> Template:
    return page(
        request, "ledger/policy.html", status_code=status_code, error_title=bool(errors),
        values=values, errors=errors or {},
    )  # fmt: skip


def _holding(request: AnyRequest, *kinds: str) -> Actor:
    actor = actor_of(request)
    if not actor.holds(kinds):
        raise Forbidden
    return actor


handlers = [overview, policy_form, change_policy]
