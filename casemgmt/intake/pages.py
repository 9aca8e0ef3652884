"""Registration on one screen, and the page that says what is saved."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.accounts.queries import unit
from casemgmt.core.errors import DomainError, Invalid
from casemgmt.core.formstream import BadForm, Form, read_form
from casemgmt.core.i18n import Text
from casemgmt.core.render import page, see_other
from casemgmt.core.web.signin import AnyRequest, actor_of, check_csrf
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence import rules as evidence_rules
from casemgmt.evidence.pages import FormRefused
from casemgmt.evidence.uploads import Upload
from casemgmt.exhibits import queries as exhibit_queries
from casemgmt.exhibits.links import hand_over, print_labels
from casemgmt.intake import actions, form, photos
from casemgmt.intake.examined import examined
from casemgmt.intake.tasks import tasks
from casemgmt.seizures import queries as seizure_queries
from casemgmt.seizures.rules import registering_post

DRAINS = 12  # of at most 32 MiB: ten photographs are forgotten before a refusal is answered


@get("/seizures/new")
async def new(request: AnyRequest) -> Template:
    actor, state = actor_of(request), request.app.state
    post_ = registering_post(actor)
    async with state.database.begin(actor) as db:
        values = form.first_values(post_, (await unit(db, post_.unit_id)).place, state.zone)
        if like := request.query_params.get("like"):
            seizure = await seizure_queries.seizure(db, state.codes.decode("seizure", like))
            values |= form.values_like(
                seizure,
                await exhibit_queries.of_seizure(db, seizure.id),
                await seizure_queries.participants(db, seizure.id),
                await seizure_queries.conveyances(db, seizure.id),
            )
    return _form(request, values, {})


@post("/seizures/new", request_max_body_size=None, status_code=200, opt={"streams_form": True})
async def submit(request: AnyRequest) -> Response[Any]:
    """Fields are judged before the first photograph is read; the registration stands whatever becomes of those."""
    actor, state = actor_of(request), request.app.state
    body, values = Upload(request), {}
    try:
        sent = await _fields(request, body)
        values = form.values_of(sent.fields if sent else request.state.form)
        data = form.read(values, state.zone)
        async with state.database.begin(actor) as db:
            registered = await actions.register(db, actor, data, state.zone)
        refused = await photos.take(request, data, registered, sent) if sent else []
    except Invalid as error:
        await _forget(body)
        return _form(request, form.shown_again(values), form.shown_errors(error.fields), photos_lost=body.started)
    except BadForm as error:
        await _forget(body)
        raise FormRefused(error) from error
    except DomainError:
        await _forget(body)
        raise
    code = state.codes.encode("seizure", registered.seizure.id)
    return await _saved(request, code, refused) if refused else see_other(request, f"/seizures/{code}/saved")


@get("/seizures/{code:str}/saved")
async def saved(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _saved(request, code, None)


async def _fields(request: AnyRequest, body: Upload) -> Form | None:
    """The fields of a form with files; None for a plain form, which was read and checked before."""
    if request.state.get("form") is not None:
        return None
    sent = await read_form(request.headers.get("content-type", ""), body)
    check_csrf(actor_of(request), sent.first("csrf_token"))
    return sent


async def _forget(body: Upload) -> None:
    """Read what is still coming, so that the browser sees our answer and not a broken connection."""
    for _ in range(DRAINS):
        if await body.drain():
            return


def _form(request: AnyRequest, values: form.Values, errors: dict[str, Text], *, photos_lost: bool = False) -> Template:
    actor = actor_of(request)
    return page(
        request, "intake/new.html", status_code=422 if errors else 200, error_title=bool(errors),
        values=values, errors=errors, photos_lost=photos_lost and bool(errors), post=registering_post(actor), me=actor,
        **form.choices(values, errors),
    )  # fmt: skip


async def _saved(request: AnyRequest, code: str, refused: list[photos.Refused] | None) -> Template:
    actor, codes = actor_of(request), request.app.state.codes
    async with request.app.state.database.begin(actor) as db:
        seizure = await seizure_queries.seizure(db, codes.decode("seizure", code))
        exhibits = await exhibit_queries.of_seizure(db, seizure.id)
        files = await evidence_queries.files_of_seizure(db, seizure.id)
        if refused is None:
            refused = photos.from_record(await evidence_queries.refusals_of_seizure(db, seizure.id))
        people = await seizure_queries.participants(db, seizure.id)
        corrected = {c.field for c in await seizure_queries.corrections(db, seizure)}
        checked = await examined(db, seizure, exhibits, files)
    counts = {e.id: sum(f.exhibit_id == e.id for f in files) for e in exhibits}
    return page(
        request, "intake/saved.html",
        seizure=seizure, code=code, exhibits=exhibits, files=files, refused=refused, viewable=evidence_rules.VIEWABLE,
        hand_over=hand_over(exhibits, actor.id, codes), labels=print_labels(exhibits, codes),
        said=checked.said,
        tasks=list(tasks(
            codes, seizure, exhibits, people=people, photos=counts, corrected=corrected, checklist=checked.progress,
        )),
    )  # fmt: skip


handlers = [new, submit, saved]
