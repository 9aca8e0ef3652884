"""The list of seizures, and one seizure with its exhibits, files, people, conveyances and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import get
from litestar.params import FromPath
from litestar.response import Template
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from casemgmt.accounts.queries import names
from casemgmt.core.actor import Actor
from casemgmt.core.i18n import gettext
from casemgmt.core.parts import Kind, Pager
from casemgmt.core.render import page
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.desk import history
from casemgmt.evidence import claims
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence import rules as evidence_rules
from casemgmt.exhibits import queries as exhibit_queries
from casemgmt.exhibits.links import hand_over, print_labels
from casemgmt.exhibits.models import Exhibit
from casemgmt.intake.examined import examined
from casemgmt.reference.identifiers import Status, verdict_text
from casemgmt.seizures import queries, rules
from casemgmt.seizures.models import Conveyance, Seizure
from casemgmt.seizures.numbers_page import READERS as NUMBER_READERS
from casemgmt.seizures.scopes import choose, scopes_of, tabs

_STATUS_KINDS: dict[Status, Kind] = {Status.OK: "ok", Status.MALFORMED: "warn", Status.UNKNOWN: "info"}


@dataclass(frozen=True, slots=True)
class Painted:
    """A conveyance with what the check of its number said, in words."""

    row: Conveyance
    words: str
    kind: Kind


@get("/seizures")
async def seizures(request: AnyRequest) -> Template:
    actor, codes, asked = actor_of(request), request.app.state.codes, request.query_params
    scopes = scopes_of(actor)
    scope = choose(scopes, asked.get("scope", ""))
    after = codes.decode("seizure", asked["after"]) if asked.get("after") else None
    async with request.app.state.database.begin(actor) as db:
        rows, more = await queries.in_scope(db, actor, scope, after=after)
        categories = await what_was_seized(db, [row.id for row in rows])
        people = await names(db, {i for row in rows for i in (row.created_by, row.unit_id)})
    following = f"/seizures?scope={scope.key}&after={codes.encode('seizure', rows[-1].id)}" if more else None
    return page(
        request, "desk/seizures.html",
        seizures=rows, categories=categories, people=people, tabs=tabs(scopes, scope, "/seizures"),
        pager=Pager(1, next_href=following), may_register=actor.holds("officer"),
        reads_numbers=actor.holds(NUMBER_READERS),
    )  # fmt: skip


async def what_was_seized(db: AsyncSession, seizure_ids: list[int]) -> dict[int, list[str]]:
    """Categories by seizure, each once, in the order of the exhibits."""
    found: dict[int, list[str]] = {i: [] for i in seizure_ids}
    query = select(Exhibit.seizure_id, Exhibit.category).where(Exhibit.seizure_id.in_(seizure_ids)).order_by(Exhibit.id)
    for row in await db.execute(query):
        if row.category not in found[row.seizure_id]:
            found[row.seizure_id].append(row.category)
    return found


@get("/seizures/{code:str}")
async def seizure(request: AnyRequest, code: FromPath[str]) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        found = await queries.seizure(db, codes.decode("seizure", code))
        exhibits = await exhibit_queries.of_seizure(db, found.id)
        files = await evidence_queries.files_of_seizure(db, found.id)
        checked = await examined(db, found, exhibits, files)
        looks = await evidence_queries.latest_observations(db, [file.id for file in files])
        refusals = await evidence_queries.refusals_of_seizure(db, found.id)
        participants = await queries.participants(db, found.id)
        conveyances = [_painted(row) for row in await queries.conveyances(db, found.id)]
        corrections = await queries.corrections(db, found)
        events, older = await history.seizure_events(db, found, codes)
        speakers = {said.by for said in checked.said.values()}
        people = await names(db, {found.created_by, found.unit_id, found.agency_id, *_people_of(exhibits), *speakers})
    return page(
        request, "desk/seizure.html", checked=checked, may_say=_may_add(actor, found, exhibits),
        seizure=found, code=code, exhibits=exhibits, files=files, viewable=evidence_rules.VIEWABLE, refusals=refusals,
        claims=claims.of_files(files, looks, request.app.state.zone),
        participants=participants, conveyances=conveyances, corrections=corrections, fields=rules.CORRECTABLE,
        events=events, older=older, people=people, hand_over=hand_over(exhibits, actor.id, codes),
        labels=print_labels(exhibits, codes),
        may_correct=actor.holds(("officer", "supervisor"), found.unit_id),
        may_mark=actor.holds("supervisor", found.unit_id),
    )  # fmt: skip


def _may_add(actor: Actor, seizure: Seizure, exhibits: Sequence[Exhibit]) -> bool:
    """Of one exhibit at least; what is said of another's photograph is refused when it is said."""
    return seizure.unit_id in actor.unit_ids or actor.id in _people_of(exhibits)


def _people_of(exhibits: Sequence[Exhibit]) -> set[int | None]:
    return {i for e in exhibits for i in (e.holder_id, e.offered_to)}


def _painted(row: Conveyance) -> Painted:
    verdict = rules.verdict_of(row.verdict)
    if verdict is None:
        return Painted(row, "", "info")
    return Painted(row, gettext(verdict_text(verdict)), _STATUS_KINDS[verdict.status])


handlers = [seizures, seizure]
