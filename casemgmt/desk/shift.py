"""My shift: what waits for me, what I hold, what I have not finished. Each list is short and leads to the whole one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from litestar import get
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import names
from casemgmt.cases import queries as case_queries
from casemgmt.cases.models import CaseFile
from casemgmt.core.actor import Actor
from casemgmt.core.codes import Codes
from casemgmt.core.i18n import gettext, ngettext
from casemgmt.core.parts import Task
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import agreement_queries
from casemgmt.custody import queries as custody_queries
from casemgmt.custody.agreement_queries import Agreed
from casemgmt.custody.queries import Row
from casemgmt.desk.seizure_page import what_was_seized
from casemgmt.evidence import queries as evidence_queries
from casemgmt.exhibits import queries as exhibit_queries
from casemgmt.exhibits.models import Exhibit
from casemgmt.intake.examined import examined
from casemgmt.intake.tasks import tasks
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.models import Seizure
from casemgmt.seizures.scopes import SHARED, scopes_of

SHORT = 5
RECENT = 20  # seizures of the unit among which one's own unfinished ones are looked for
WATCHERS = ("supervisor", "auditor")
CASE_KINDS = ("investigator", "supervisor", "prosecutor", "auditor")


@dataclass(slots=True)
class Shift:
    """The lists of one person's day; an empty one is shown as such only where the role expects it."""

    waiting: Sequence[Row] = ()
    open_offers: Sequence[Row] = ()
    held: Sequence[Exhibit] = ()
    held_more: bool = False
    unfinished: list[Task] = field(default_factory=list)
    cases: Sequence[CaseFile] = ()
    unit_seizures: Sequence[Seizure] = ()
    agreements: Sequence[Agreed] = ()
    agreements_more: bool = False
    shared_seizures: Sequence[Seizure] = ()


@get("/")
async def shift(request: AnyRequest) -> Template:
    actor = actor_of(request)
    if actor.holds("administrator"):
        return page(request, "desk/administrator.html", me=actor)
    async with request.app.state.database.begin(actor) as db:
        found = await _shift(db, actor, request.app.state.codes)
        seizures = [*found.unit_seizures, *found.shared_seizures]
        categories = await what_was_seized(db, [seizure.id for seizure in seizures])
        people = await names(
            db,
            {i for e in found.held for i in (e.holder_id, e.offered_to)} | {seizure.unit_id for seizure in seizures},
        )
    return page(
        request, "desk/shift.html",
        me=actor, shift=found, short=SHORT, people=people, categories=categories, is_officer=actor.holds("officer"),
        keeps=actor.holds(exhibit_queries.KEEPERS), works_on_cases=actor.holds(CASE_KINDS),
    )  # fmt: skip


async def _shift(db: AsyncSession, actor: Actor, codes: Codes) -> Shift:
    found = Shift()
    if actor.holds(exhibit_queries.KEEPERS):
        found.waiting = await custody_queries.waiting_for(db, actor.id, limit=SHORT + 1)
        found.open_offers = await custody_queries.open_offers(db, actor.id, limit=SHORT)
        found.held, found.held_more = await exhibit_queries.in_scope(db, actor, exhibit_queries.HELD, limit=SHORT)
    # one's own; who watches over others sees theirs
    whose = None if actor.holds(WATCHERS) else actor.id
    open_ones = await agreement_queries.still_open(db, person_id=whose, limit=SHORT + 1)
    found.agreements, found.agreements_more = open_ones[:SHORT], len(open_ones) > SHORT
    if actor.holds("officer"):
        found.unfinished = await _unfinished(db, actor, codes)
    if actor.holds(CASE_KINDS):
        found.cases, _ = await case_queries.in_scope(db, actor, case_queries.case_scopes(actor)[0], limit=SHORT)
        found.shared_seizures, _ = await seizure_queries.in_scope(db, actor, SHARED, limit=SHORT)
    if actor.holds(WATCHERS):
        found.unit_seizures, _ = await seizure_queries.in_scope(db, actor, scopes_of(actor)[0], limit=SHORT)
    return found


async def _unfinished(db: AsyncSession, actor: Actor, codes: Codes) -> list[Task]:
    """My latest seizures that still lack something, each with how much."""
    recent, _ = await seizure_queries.in_scope(db, actor, scopes_of(actor)[0], limit=RECENT)
    found = []
    for seizure in [s for s in recent if s.created_by == actor.id][:SHORT]:
        exhibits = await exhibit_queries.of_seizure(db, seizure.id)
        files = await evidence_queries.files_of_seizure(db, seizure.id)
        checked = await examined(db, seizure, exhibits, files)
        left = tasks(
            codes, seizure, exhibits,
            people=await seizure_queries.participants(db, seizure.id),
            photos=Counter(file.exhibit_id for file in files if file.exhibit_id is not None),
            corrected={c.field for c in await seizure_queries.corrections(db, seizure)},
            checklist=checked.progress,
        )  # fmt: skip
        if missing := sum(task.href is not None for task in left):
            words = ngettext("%(num)s thing to do", "%(num)s things to do", missing)
            what = gettext("Seizure %(number)s", number=seizure.number)
            found.append(Task(what, words, "warn", f"/seizures/{codes.encode('seizure', seizure.id)}/saved"))
    return found


handlers = [shift]
