"""Which numbers were reserved for devices, and which of them no record has: a gap in the numbers is explained here."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from casemgmt.accounts.queries import names, units_of
from casemgmt.core.errors import Forbidden
from casemgmt.core.parts import Pager
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.seizures import numbering

READERS = ("officer", "supervisor", "auditor")


@get("/numbers")
async def numbers(request: AnyRequest) -> Template:
    """``?unit=``: the unit's code of four digits; without it, the first the reader may ask about."""
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    if not actor.holds(READERS):
        raise Forbidden
    before = codes.decode("number_block", asked["before"]) if asked.get("before") else None
    async with request.app.state.database.begin(actor) as db:
        units = await units_of(db, actor)
        unit = next((u for u in units if u.code == asked.get("unit")), units[0] if units else None)
        blocks, more = await numbering.explained(db, unit.id, unit.code, before=before) if unit else ([], False)
        people = await names(db, {block.person_id for block, _ in blocks})
    following = None
    if unit and more:
        following = f"/numbers?unit={unit.code}&before={codes.encode('number_block', blocks[-1][0].id)}"
    return page(
        request, "seizures/numbers.html",
        units=units, unit=unit, blocks=blocks, people=people, pager=Pager(1, next_href=following),
    )  # fmt: skip


handlers = [numbers]
