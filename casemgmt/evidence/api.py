"""Files as JSON and as raw bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post, put
from litestar.params import FromPath

from casemgmt.core.codes import Codes
from casemgmt.core.errors import DomainError, NotFound
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.evidence import queries, rules, showing
from casemgmt.evidence.actions import receive
from casemgmt.evidence.models import File, Fixity
from casemgmt.evidence.refusals import TakenForAForm
from casemgmt.evidence.schemas import NewShowing
from casemgmt.evidence.uploads import Upload, described_by_headers


@put("/api/v1/exhibits/{code:str}/files/{client_id:str}", request_max_body_size=None)
async def put_exhibit_file(
    request: AnyRequest, code: FromPath[str], client_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """Send the bytes of one file of an exhibit. 201 when it was taken, 200 when it had been before.

    ``client_id`` is a UUID of the sender's making. Headers as ``described_by_headers`` tells them.
    """
    return await _put(request, client_id, exhibit_id=request.app.state.codes.decode("exhibit", code))


@put("/api/v1/seizures/{code:str}/files/{client_id:str}", request_max_body_size=None)
async def put_seizure_file(
    request: AnyRequest, code: FromPath[str], client_id: FromPath[str]
) -> Response[dict[str, Any]]:
    """The same for a file that belongs to the seizure as a whole."""
    return await _put(request, client_id, seizure_id=request.app.state.codes.decode("seizure", code))


async def _put(
    request: AnyRequest, client_id: str, *, seizure_id: int | None = None, exhibit_id: int | None = None
) -> Response[dict[str, Any]]:
    state = request.app.state
    if request.state.get("form") is not None:
        raise TakenForAForm
    upload = Upload(request)
    try:
        data = described_by_headers(request, _uuid(client_id), seizure_id=seizure_id, exhibit_id=exhibit_id)
        file = await receive(
            state.database, state.store, actor_of(request), data, upload,
            limit=state.settings.max_upload_bytes, retention=state.settings.retention,
        )  # fmt: skip
    except DomainError:
        await upload.drain()
        raise
    repeated = not upload.started
    if repeated:
        await upload.drain()
    answer = describe(file, state.codes)
    location = f"/api/v1/files/{answer['id']}"
    return Response(answer, status_code=200 if repeated else 201, headers={"Location": location})


@get("/api/v1/files/{code:str}")
async def get_file(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """What is known of a file; its bytes are at ``/files/<code>``."""
    codes = request.app.state.codes
    async with request.app.state.database.begin(actor_of(request)) as db:
        file = await queries.file(db, codes.decode("file", code))
        checks = await queries.latest_fixity(db, [file.id])
        looks = await queries.latest_observations(db, [file.id])
        said = await showing.of_files(db, [file])
    look = looks.get(file.id)
    return {
        **describe(file, codes, checks.get(file.id)),
        "shows_claimed": said[file.id].shows,
        "claims_inside": None if look is None else look.summary,
    }


@post("/api/v1/files/{code:str}/showings", status_code=200)
async def say_what_it_shows(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """Say what a photograph shows, after it was received: ``shows`` is a photo point or null. Said again, nothing is
    written."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewShowing, await read_json(request), lax=False)
    async with state.database.begin(actor) as db:
        file = await queries.file(db, state.codes.decode("file", code))
        said = await showing.say(db, actor, file, data)
    return {"file": code, "shows_claimed": said.shows, "said_by": state.codes.encode("person", said.by)}


@get("/api/v1/files/{code:str}/observation", media_type="application/json")
async def get_observation(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """What was found inside a file, as the exact bytes whose SHA-256 the event in the ledger names: the claims of
    whoever made the file (docs/spec/observation.md). 404 for a file that was not looked into."""
    async with request.app.state.database.begin(actor_of(request)) as db:
        found = await queries.observation(db, request.app.state.codes.decode("file", code))
    return Response(found.body, media_type="application/json", headers={"ETag": f'"{found.sha256.hex()}"'})


def describe(file: File, codes: Codes, check: Fixity | None = None) -> dict[str, Any]:
    """A file for machines."""
    place = None
    if file.latitude is not None:
        place = {
            "latitude": str(file.latitude),
            "longitude": str(file.longitude),
            "accuracy_m": None if file.accuracy_m is None else str(file.accuracy_m),
        }
    return {
        "id": codes.encode("file", file.id),
        "client_id": str(file.client_id),
        "seizure": codes.encode("seizure", file.seizure_id),
        "exhibit": None if file.exhibit_id is None else codes.encode("exhibit", file.exhibit_id),
        "kind": file.kind,
        "name": file.original_name,
        "media_type": file.media_type,
        "declared_type": file.declared_type,
        "type_differs": rules.type_differs(file.declared_type, file.media_type),
        "size": file.size,
        "sha256": file.sha256.hex(),
        "crc32": f"{file.crc32:08x}",
        "hash_declared": file.hash_declared,
        "received_at": timestamp(file.received_at),
        "received_by": codes.encode("person", file.received_by),
        "device_at_claimed": None if file.device_at is None else timestamp(file.device_at),
        "place_claimed": place,
        "shows_claimed": file.shows,
        "retained_until": None if file.retained_until is None else timestamp(file.retained_until),
        "last_check": None if check is None else {"outcome": check.outcome, "at": timestamp(check.at)},
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


handlers = [put_exhibit_file, put_seizure_file, get_file, get_observation, say_what_it_shows]
