"""Packages as JSON, and the archive itself for browsers and programs alike."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post, route
from litestar.params import FromPath
from litestar.response import Stream

from casemgmt.core.clock import utcnow
from casemgmt.core.errors import Forbidden, NotFound
from casemgmt.core.i18n import N_
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.packages import actions, downloading, ordering, queries, sealing
from casemgmt.packages.models import Package
from casemgmt.packages.schemas import NewDownload, NewPackage
from casemgmt.packages.workshop import Workshop

_NO_REASON = N_("Say on the package's page why you download it. A reason given more than seven days ago has expired.")


@post("/api/v1/cases/{code:str}/packages", status_code=201)
async def seal(request: AnyRequest, code: FromPath[str]) -> Response[dict[str, Any]]:
    """Seal a package. 409 when the ledger or its witnesses have not caught up, 503 when nobody signs or stamps now:
    send the same again. The same client_id seals once."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewPackage, await read_json(request), lax=False)
    wanted = ordering.order(state.codes, data, utcnow().astimezone(state.zone).date())
    package = await sealing.seal(Workshop.of(state), actor, state.codes.decode("case", code), wanted)
    return Response(await _described(request, package), status_code=201)


@get("/api/v1/packages/{code:str}")
async def show(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """``complete`` is false while the seal's own proof is missing; asking completes it as soon as it can be."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
    await sealing.complete(state.database, actor, package, patience=0)
    return await _described(request, package)


@post("/api/v1/packages/{code:str}/downloads", status_code=201)
async def download(request: AnyRequest, code: FromPath[str]) -> Response[dict[str, Any]]:
    """Give a reason and get the address of the archive, good for seven days and only for you."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewDownload, await read_json(request), lax=False)
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
        event = await actions.record_download(db, actor, package, data)
    return Response({"url": archive_path(request, package, event)}, status_code=201)


@route("/packages/{code:str}/archive/{name:str}", http_method=["GET", "HEAD"])
async def archive(request: AnyRequest, code: FromPath[str], name: FromPath[str]) -> Response[bytes] | Stream:
    """The archive: exact length, ranges, If-Range. Needs the event that recorded the reason, by the same person."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        package = await queries.package(db, state.codes.decode("package", code))
        if name != f"{package.number}.zip":
            raise NotFound
        event = request.query_params.get("download", "")
        if not event or not await queries.may_fetch(db, package, actor.id, state.codes.decode("event", event)):
            raise Forbidden(_NO_REASON)
        found = await downloading.archive(db, package)
    wanted = request.headers.get("range"), request.headers.get("if-range")
    return downloading.send(state.database, state.store, actor, found, *wanted, head=request.method == "HEAD")


def archive_path(request: AnyRequest, package: Package, event: int) -> str:
    """Where the archive is fetched, by whoever gave the reason in this event."""
    codes = request.app.state.codes
    place = f"/packages/{codes.encode('package', package.id)}/archive/{package.number}.zip"
    return f"{place}?download={codes.encode('event', event)}"


async def _described(request: AnyRequest, package: Package) -> dict[str, Any]:
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        complete = await queries.is_complete(db, package)
        files = await queries.contents(db, package)
    return {
        "id": state.codes.encode("package", package.id),
        "number": package.number,
        "case": state.codes.encode("case", package.case_id),
        "sealed_at": package.created_at.isoformat(),
        "sealed_by": state.codes.encode("person", package.sealed_by),
        "ledger_size": package.ledger_size,
        "withheld": package.withheld,
        "tagmanifest_sha256": package.tagmanifest_sha256.hex(),
        "complete": complete,
        "files": [{"path": f.path, "size": f.size, "sha256": f.sha256.hex()} for f in files],
    }


handlers = [seal, show, download, archive]
