"""One case: its evidence, what happened, what it hangs together with, who works on it, and what is still to do."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts import queries as accounts
from casemgmt.accounts.rules import UNIT_KINDS
from casemgmt.cases import hints, queries, rules, timeline
from casemgmt.cases.models import CaseFile
from casemgmt.core.codes import Codes
from casemgmt.core.i18n import Text, gettext
from casemgmt.core.parts import Moment, Pager, Tab
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.desk.case_signs import signs_of
from casemgmt.desk.case_tasks import facts_of, tasks
from casemgmt.packages.queries import packages_of_case
from casemgmt.sharing import queries as sharing

Context = dict[str, Any]
Errors = dict[str, Text]


async def load(request: AnyRequest, db: AsyncSession, code: str) -> CaseFile:
    """The case behind an address, or NotFound."""
    return await queries.case(db, request.app.state.codes.decode("case", code))


async def show(
    request: AnyRequest, code: str, tab: str, values: Context | None = None, errors: Errors | None = None
) -> Template:
    """The case on one of its tabs; with ``errors`` one of the tab's forms is shown again as it was sent."""
    actor, codes = actor_of(request), request.app.state.codes
    place = f"/cases/{code}"
    async with request.app.state.database.begin(actor) as db:
        case = await load(request, db, code)
        entries = await queries.seizures(db, case)
        roles = await queries.roles_of(db, case, actor.id)
        referrals = await sharing.referrals(db, case.id)
        facts = await facts_of(db, [entry.seizure.id for entry in entries])
        packages = await packages_of_case(db, case.id)
        shown: Context = await _TABS[tab](request, db, case, place)
        agencies = {case.agency_id, *(entry.seizure.agency_id for entry in entries)}
        people = await accounts.names(db, {case.opened_by, case.unit_id, *agencies})
    return page(
        request, f"desk/case_{tab}.html", status_code=422 if errors else 200, error_title=bool(errors),
        case=case, code=code, place=place, tabs=_tabs(place, tab), seizures=entries, referrals=referrals,
        packages=packages, tasks=tasks(facts, place=place, codes=codes, referred=bool(referrals)), names=people,
        may_lead=rules.may_lead(actor, case, roles), may_work=rules.may_work(actor, case, roles),
        may_share=actor.holds("supervisor", case.unit_id), next_statuses=rules.next_statuses(case.status),
        values=values or {}, errors=errors or {}, **shown,
    )  # fmt: skip


def _tabs(place: str, current: str) -> list[Tab]:
    named = {
        "evidence": (place, gettext("Evidence")),
        "timeline": (f"{place}/timeline", gettext("Timeline")),
        "links": (f"{place}/links", gettext("Links")),
        "team": (f"{place}/team", gettext("Team")),
        "history": (f"{place}/history", gettext("History")),
    }
    return [Tab(href, words, current=name == current) for name, (href, words) in named.items()]


async def _evidence(request: AnyRequest, db: AsyncSession, case: CaseFile, place: str) -> Context:
    codes, asked = request.app.state.codes, request.query_params
    words = asked.get("q", "")[:100].replace("\x00", "")
    after = codes.decode("exhibit", asked["after"]) if asked.get("after") else 0
    exhibits, more = await queries.exhibits(db, case, words=words, after=after)
    holders = await accounts.names(db, {i for e in exhibits for i in (e.holder_id, e.offered_to)})
    following = f"{place}?after={codes.encode('exhibit', exhibits[-1].id)}" if more else None
    return {
        "q": words, "exhibits": exhibits, "people": holders, "signs": await signs_of(db, exhibits),
        "pager": Pager(1, next_href=following),
    }  # fmt: skip


async def _timeline(request: AnyRequest, db: AsyncSession, case: CaseFile, place: str) -> Context:
    return await _events(request, db, case, f"{place}/timeline", with_seizures=True)


async def _history(request: AnyRequest, db: AsyncSession, case: CaseFile, place: str) -> Context:
    return await _events(request, db, case, f"{place}/history", with_seizures=False)


async def _events(request: AnyRequest, db: AsyncSession, case: CaseFile, path: str, *, with_seizures: bool) -> Context:
    codes, asked = request.app.state.codes, request.query_params
    before = codes.decode("event", asked["before"]) if asked.get("before") else None
    entries, more = await timeline.entries(db, case, with_seizures=with_seizures, before=before)
    following = f"{path}?before={codes.encode('event', entries[-1].id)}" if more else None
    return {"moments": [_moment(entry, codes) for entry in entries], "pager": Pager(1, next_href=following)}


def _moment(entry: timeline.Entry, codes: Codes) -> Moment:
    return entry.moment(href=f"/events/{codes.encode('event', entry.id)}")


async def _links(_: AnyRequest, db: AsyncSession, case: CaseFile, __: str) -> Context:
    inside = [entry.seizure for entry in await queries.seizures(db, case)]
    return {"links": await queries.links(db, case), "hints": await hints.same_identifiers(db, case, inside)}


async def _team(_: AnyRequest, db: AsyncSession, case: CaseFile, __: str) -> Context:
    colleagues = await accounts.colleagues(db, UNIT_KINDS)
    return {
        "members": await queries.members(db, case),
        "colleagues": [c for c in colleagues if c.unit_id == case.unit_id],
    }


_TABS = {"evidence": _evidence, "timeline": _timeline, "links": _links, "team": _team, "history": _history}


@get("/cases/{code:str}")
async def case_evidence(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code, "evidence")


@get("/cases/{code:str}/timeline")
async def case_timeline(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code, "timeline")


@get("/cases/{code:str}/links")
async def case_links(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code, "links")


@get("/cases/{code:str}/team")
async def case_team(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code, "team")


@get("/cases/{code:str}/history")
async def case_history(request: AnyRequest, code: FromPath[str]) -> Template:
    return await show(request, code, "history")


handlers = [case_evidence, case_timeline, case_links, case_team, case_history]
