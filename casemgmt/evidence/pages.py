"""The files of an exhibit: seeing, adding, taking and checking them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream, Template

from casemgmt.core.errors import DomainError, Invalid
from casemgmt.core.formstream import BadForm, FilePart, Form, read_form
from casemgmt.core.i18n import N_, Text
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import first
from casemgmt.core.web.signin import AnyRequest, actor_of, check_csrf
from casemgmt.evidence import claims, queries, rules, showing
from casemgmt.evidence.actions import receive, record_reading
from casemgmt.evidence.fixity import check_now
from casemgmt.evidence.models import File
from casemgmt.evidence.schemas import NewFile, NewShowing
from casemgmt.evidence.serving import send
from casemgmt.evidence.uploads import Upload, drain, moment, number
from casemgmt.exhibits.models import Exhibit
from casemgmt.exhibits.queries import exhibit as load_exhibit

CHECK_LIMIT = 2 << 30  # bytes a person may have read again in one request: seconds, not minutes
LONGEST_REASON = 200

_FORM_WORDS: dict[str, Text] = {
    "content-type": N_("This address takes a form with files (multipart/form-data)."),
    "order": N_("A field came after a file. In a form with files, the files come last."),
    "too-many-parts": N_("The form has too many parts."),
    "field-too-large": N_("The form's fields are too large."),
    "slow": N_("The form arrived too slowly. Send it again."),
    "cut": N_("The form ended before its end. Send it again."),
}
_UNREADABLE = N_("The form could not be read.")


class FormRefused(DomainError):
    """A multipart form that is none; ``status`` as the fault says."""

    def __init__(self, error: BadForm) -> None:
        super().__init__(_FORM_WORDS.get(error.fault, _UNREADABLE))
        self.status = error.status  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file of a form. Either ``file`` or ``words`` of the refusal."""

    name: str
    file: File | None
    words: Text | None
    type_differs: bool = False


@get("/files/{code:str}")
async def get_bytes(request: AnyRequest, code: FromPath[str]) -> Response[None] | Stream:
    """The bytes, always as a download. ``?view=1`` for ``<img>`` (pictures only); ``?reason=`` why it is taken.

    Every request is recorded before the first byte.
    """
    actor, state = actor_of(request), request.app.state
    reason = request.query_params.get("reason", "")[:LONGEST_REASON]
    async with state.database.begin(actor) as db:
        file = await queries.file(db, state.codes.decode("file", code))
        viewed = request.query_params.get("view") == "1" and file.media_type in rules.VIEWABLE
        await record_reading(db, actor, file, "view" if viewed else "download", reason)
    headers = request.headers
    return await send(
        state.database, state.store, actor, file, range_=headers.get("range"), if_range=headers.get("if-range")
    )


@post("/files/{code:str}/showings")
async def say_what_it_shows(request: AnyRequest, code: FromPath[str]) -> Response[None]:
    """Say what a photograph shows, from the checklist on its seizure's page."""
    actor, state = actor_of(request), request.app.state
    said = NewShowing(shows=first(request.state.get("form") or {}, "shows") or None)
    async with state.database.begin(actor) as db:
        file = await queries.file(db, state.codes.decode("file", code))
        await showing.say(db, actor, file, said)
    return see_other(request, f"/seizures/{state.codes.encode('seizure', file.seizure_id)}#checklist")


@get("/exhibits/{code:str}/files")
async def files(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _files(request, code)


@post("/exhibits/{code:str}/check")
async def check(request: AnyRequest, code: FromPath[str]) -> Response[None]:
    """Read all files of the exhibit again, now."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        exhibit = await load_exhibit(db, state.codes.decode("exhibit", code))
        found = await queries.files_of_exhibit(db, exhibit.id)
    await check_now(state.database, state.store, actor, found, limit=CHECK_LIMIT)
    return see_other(request, f"/exhibits/{code}")


@post("/exhibits/{code:str}/files", request_max_body_size=None, status_code=200, opt={"streams_form": True})
async def upload(request: AnyRequest, code: FromPath[str]) -> Template:
    """Take the files of a form, one after the other, and say of each what became of it."""
    actor, state = actor_of(request), request.app.state
    if request.state.get("form") is not None:  # not a form with files, and its body is gone
        raise FormRefused(BadForm("content-type"))
    body = Upload(request)
    try:
        async with state.database.begin(actor) as db:
            exhibit = await load_exhibit(db, state.codes.decode("exhibit", code))
        form = await read_form(request.headers.get("content-type", ""), body)
        check_csrf(actor, form.first("csrf_token"))
        outcomes = [outcome async for outcome in _take(request, exhibit, form)]
    except BadForm as error:
        await body.drain()
        raise FormRefused(error) from error
    except DomainError:
        await body.drain()
        raise
    if not outcomes:
        return await _files(request, code, {"files": N_("Choose at least one file.")})
    refused = any(outcome.words for outcome in outcomes)
    return page(
        request,
        "evidence/outcome.html",
        status_code=422 if refused else 200,
        exhibit=exhibit,
        outcomes=outcomes,
        refused=refused,
    )


async def _files(request: AnyRequest, code: str, errors: dict[str, Text] | None = None) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        exhibit = await load_exhibit(db, state.codes.decode("exhibit", code))
        found = await queries.files_of_exhibit(db, exhibit.id)
        checks = await queries.latest_fixity(db, [file.id for file in found])
        looks = await queries.latest_observations(db, [file.id for file in found])
        said = await showing.of_files(db, found)
    told = claims.of_files(found, looks, state.zone)
    rows = [
        (file, checks.get(file.id), rules.type_differs(file.declared_type, file.media_type), told.get(file.id))
        for file in found
    ]
    return page(
        request, "evidence/files.html", status_code=422 if errors else 200, error_title=bool(errors),
        exhibit=exhibit, rows=rows, said=said, viewable=rules.VIEWABLE, form_id=uuid.uuid4(), errors=errors or {},
    )  # fmt: skip


async def _take(request: AnyRequest, exhibit: Exhibit, form: Form) -> AsyncIterator[Outcome]:
    state = request.app.state
    hashes = declared_hashes(form, "photos")
    form_id = _form_id(form)
    ordinal = 0
    async for part in form.files():
        ordinal += 1
        # The same form sent twice names its files alike, so that a second press of the button stores nothing twice.
        client_id = uuid.uuid5(form_id, f"{ordinal}/{part.name}/{part.filename}")
        data = _described(form, part, exhibit, client_id, next(hashes, None) if part.name == "photos" else None)
        try:
            file = await receive(
                state.database, state.store, actor_of(request), data, part.chunks,
                limit=state.settings.max_upload_bytes, retention=state.settings.retention,
            )  # fmt: skip
        except DomainError as error:
            yield Outcome(rules.display_name(part.filename), None, error.message)
        else:
            yield Outcome(file.original_name, file, None, rules.type_differs(file.declared_type, file.media_type))
        # What was not read of this file stands before the next one.
        if not await drain(part.chunks):
            yield Outcome("", None, N_("The rest of the form was not looked at. Send the other files again."))
            return


def declared_hashes(form: Form, name: str) -> Iterator[str | None]:
    """The SHA-256 values a page computed for the files of the input ``name``, in their order; None for one it did not.

    Raises Invalid when the field is not such a list.
    """
    text = form.first(f"{name}_sha256")
    if not text:
        return iter(())
    try:
        return iter(msgspec.json.decode(text, type=list[str | None]))
    except msgspec.DecodeError as error:
        raise Invalid({name: N_("The fingerprints of the files could not be read.")}) from error


def _described(form: Form, part: FilePart, exhibit: Exhibit, client_id: UUID, sha256: str | None) -> NewFile:
    return NewFile(
        client_id=client_id,
        seizure_id=exhibit.seizure_id,
        exhibit_id=exhibit.id,
        kind="photo" if part.name == "photos" else "file",
        name=part.filename,
        declared_type=part.content_type,
        declared_sha256=sha256,
        device_at=moment(form.first("device_time"), "device_time"),
        latitude=number(form.first("place_latitude"), "place_latitude"),
        longitude=number(form.first("place_longitude"), "place_longitude"),
        accuracy_m=number(form.first("place_accuracy"), "place_accuracy"),
        shows=(form.first("shows") or None) if part.name == "photos" else None,
    )


def _form_id(form: Form) -> UUID:
    try:
        return UUID(form.first("form_id"))
    except ValueError:
        return uuid.uuid4()


handlers = [get_bytes, say_what_it_shows, files, check, upload]
