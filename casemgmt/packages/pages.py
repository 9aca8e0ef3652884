"""A package's page: what it holds, what was checked, what to be careful about, who took it, and how to check it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from casemgmt.accounts.queries import names
from casemgmt.cases import queries as case_queries
from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Invalid
from casemgmt.core.i18n import Text
from casemgmt.core.parse import parse
from casemgmt.core.render import page, see_other
from casemgmt.core.web.forms import nested
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.evidence.fixity import check_now
from casemgmt.packages import actions, downloading, queries, sealing
from casemgmt.packages.api import archive_path
from casemgmt.packages.attested import attested
from casemgmt.packages.errors import NotComplete
from casemgmt.packages.facts import facts
from casemgmt.packages.schemas import NewDownload
from casemgmt.trust.seal import SEALED

LOOK_AGAIN_BYTES = 512 << 20  # what one click may read from the store


@get("/packages/{code:str}")
async def show(request: AnyRequest, code: FromPath[str]) -> Template:
    return await _show(request, code)


async def _show(
    request: AnyRequest, code: str, *, status_code: int = 200, reason: str = "", errors: dict[str, Text] | None = None
) -> Template:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
    complete = await sealing.complete(state.database, actor, package, patience=0)
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, package.case_id)
        files = await queries.contents(db, package)
        known = await facts(db, package, files)
        size = await downloading.archive_size(db, package) if complete else None
        told = await queries.told(db, package)
        people = await names(db, [package.sealed_by])
        stands = await attested(db, package)
        vkey = await state.database.call("select vkey from ledger.log")
    return page(
        request, "packages/show.html", status_code=status_code, error_title=bool(errors),
        package=package, code=code, case=case, sealed_by=people[package.sealed_by], complete=complete,
        size=size, files=files, facts=known, reason=reason, errors=errors or {},
        downloads=[t for t in told if t.type == queries.DOWNLOADED],
        seal=next((t for t in told if t.type == SEALED), None), vkey=vkey, stands=stands,
    )  # fmt: skip


@get("/packages/{code:str}/letter")
async def letter(request: AnyRequest, code: FromPath[str]) -> Template:
    """What goes with the package on another way, to print and sign: the numbers it is checked against."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
    if not await sealing.complete(state.database, actor, package, patience=0):
        raise NotComplete
    async with state.database.begin(actor) as db:
        case = await case_queries.case(db, package.case_id)
        files = await queries.contents(db, package)
        size = await downloading.archive_size(db, package)
        people = await names(db, [package.sealed_by])
        stands = await attested(db, package)
    return page(
        request, "packages/letter.html", package=package, code=code, case=case, files=len(files),
        size=size, sealed_by=people[package.sealed_by], stands=stands, printed_at=utcnow(),
    )  # fmt: skip


@post("/packages/{code:str}/download")
async def download(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Record the reason, then send the browser to the archive."""
    actor, state = actor_of(request), request.app.state
    fields = nested(request.state.get("form") or {})
    try:
        data = parse(NewDownload, fields, lax=True)
        async with state.database.begin(actor) as db:
            package = await queries.package(db, state.codes.decode("package", code))
            event = await actions.record_download(db, actor, package, data)
    except (Invalid, NotComplete) as error:
        errors = error.fields if isinstance(error, Invalid) else {"reason": error.message}
        return await _show(request, code, status_code=error.status, reason=str(fields.get("reason", "")), errors=errors)
    return see_other(request, archive_path(request, package, event))


@post("/packages/{code:str}/check")
async def check_again(request: AnyRequest, code: FromPath[str]) -> Response[None]:
    """Read the package's stored files again now, as far as one request may, and record what was found."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
        files = await queries.contents(db, package)
    await check_now(state.database, state.store, actor, [entry.file for entry in files], limit=LOOK_AGAIN_BYTES)
    return see_other(request, f"/packages/{code}")


handlers = [show, letter, download, check_again]
