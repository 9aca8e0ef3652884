"""tus 1.0 over HTTP: docs/spec/upload.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from litestar import Response, delete, get, head, patch, post, route
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.types import Message, Scope

from casemgmt.core.codes import Codes
from casemgmt.core.errors import DomainError, Invalid, NotFound
from casemgmt.core.events import timestamp
from casemgmt.core.formats import format_filesize
from casemgmt.core.i18n import N_, gettext
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.evidence import queries as evidence_queries
from casemgmt.evidence.api import describe
from casemgmt.evidence.refusals import BY_REASON
from casemgmt.evidence.schemas import NewFile
from casemgmt.evidence.uploads import Upload as Body
from casemgmt.evidence.uploads import captured_place, moment
from casemgmt.uploads import rules
from casemgmt.uploads.refusals import BadRequest, NotAPiece, WrongVersion
from casemgmt.uploads.schemas import NewUpload, Upload

PATH = "/api/v1/uploads"
_OVERRIDE = "x-http-method-override"


@route(PATH, http_method=[HttpMethod.OPTIONS], opt={"public": True}, status_code=204)
async def options(request: AnyRequest) -> Response[None]:
    """What this server can do."""
    headers = {
        "Tus-Version": rules.VERSION,
        "Tus-Extension": rules.EXTENSIONS,
        "Tus-Max-Size": str(request.app.state.settings.max_upload_bytes),
        "Tus-Checksum-Algorithm": ",".join(rules.ALGORITHMS),
    }
    return Response(None, status_code=204, headers=headers)


@post(PATH, status_code=201)
async def begin(request: AnyRequest) -> Response[None]:
    """Begin an upload, or find the one that was begun."""
    _require_tus(request)
    header = request.headers.get("upload-metadata", "")
    said = rules.metadata(header)
    new = NewUpload(file=_described(request, said, rules.number(request.headers, "Upload-Length")), metadata=header)
    upload = await request.app.state.uploads.begin(actor_of(request), new)
    headers = {"Location": f"{PATH}/{new.file.client_id}", **_told(upload, request.app.state.codes)}
    return Response(None, status_code=201, headers=headers)


@head(PATH + "/{client_id:str}")
async def where(request: AnyRequest, client_id: FromPath[str]) -> Response[None]:
    """How many bytes are here."""
    return await _where(request, client_id)


@patch(PATH + "/{client_id:str}", request_max_body_size=None, status_code=204)
async def append(request: AnyRequest, client_id: FromPath[str]) -> Response[None]:
    """The next bytes."""
    return await _append(request, client_id)


@delete(PATH + "/{client_id:str}", status_code=204)
async def give_up(request: AnyRequest, client_id: FromPath[str]) -> Response[None]:
    """Give the upload up."""
    return await _give_up(request, client_id)


@post(PATH + "/{client_id:str}", request_max_body_size=None, status_code=204)
async def instead(request: AnyRequest, client_id: FromPath[str]) -> Response[None]:
    """For clients that can send nothing but GET and POST: ``X-HTTP-Method-Override`` says what is meant."""
    meant = request.headers.get(_OVERRIDE, "").upper()
    if meant not in _MEANT:
        await Body(request).drain()
        raise BadRequest(N_("The header %(name)s must be PATCH, DELETE or HEAD.", name="X-HTTP-Method-Override"))
    return await _MEANT[meant](request, client_id)


@get(PATH + "/{client_id:str}")
async def state(request: AnyRequest, client_id: FromPath[str]) -> dict[str, Any]:
    """The upload's state as JSON, with a sentence for the person; not part of tus."""
    actor, codes = actor_of(request), request.app.state.codes
    upload = await request.app.state.uploads.state(actor, _identifier(client_id))
    file = None
    if upload.file_id is not None:
        async with request.app.state.database.begin(actor) as db:
            file = describe(await evidence_queries.file(db, upload.file_id), codes)
    return {
        "id": str(upload.file.client_id),
        "state": upload.state,
        "reason": upload.reason,
        "offset": upload.offset,
        "length": upload.size,
        "expires_at": timestamp(upload.expires_at) if upload.state == "receiving" else None,
        "file": file,
        "words": _words(upload),
    }


async def _where(request: AnyRequest, client_id: str) -> Response[None]:
    _require_tus(request)
    upload = await request.app.state.uploads.where(actor_of(request), _identifier(client_id))
    headers = {"Upload-Length": str(upload.size), **_told(upload, request.app.state.codes)}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return Response(None, status_code=200, headers=headers)


async def _append(request: AnyRequest, client_id: str) -> Response[None]:
    body = Body(request)
    try:
        _require_tus(request)
        if request.headers.get("content-type", "").strip().lower() != "application/offset+octet-stream":
            raise NotAPiece
        length = request.headers.get("content-length", "")
        upload = await request.app.state.uploads.append(
            actor_of(request), _identifier(client_id), rules.number(request.headers, "Upload-Offset"),
            int(length) if length.isascii() and length.isdigit() else None, body,
            rules.checksum(request.headers.get("upload-checksum")),
        )  # fmt: skip
    except DomainError:
        await body.drain()  # closing on unread bytes would reset the connection, and the answer would be lost
        raise
    return Response(None, status_code=204, headers=_told(upload, request.app.state.codes))


async def _give_up(request: AnyRequest, client_id: str) -> Response[None]:
    _require_tus(request)
    await request.app.state.uploads.give_up(actor_of(request), _identifier(client_id))
    return Response(None, status_code=204)


_MEANT: Mapping[str, Callable[[AnyRequest, str], Awaitable[Response[None]]]] = {
    "HEAD": _where,
    "PATCH": _append,
    "DELETE": _give_up,
}


async def tus_headers(message: Message, scope: Scope) -> None:
    """What every answer about uploads carries, refusals included."""
    if message["type"] == "http.response.start" and scope["path"].startswith(PATH):
        MutableScopeHeaders(message).setdefault("Tus-Resumable", rules.VERSION)


def _require_tus(request: AnyRequest) -> None:
    if request.headers.get("tus-resumable") != rules.VERSION:
        raise WrongVersion


def _identifier(text: str) -> UUID:
    try:
        return rules.identifier(text)
    except Invalid:
        raise NotFound from None


def _described(request: AnyRequest, said: Mapping[str, str], size: int) -> NewFile:
    codes: Codes = request.app.state.codes
    exhibit, seizure = said.get("exhibit"), said.get("seizure")
    if not exhibit and not seizure:
        raise Invalid({"exhibit": N_("Say which exhibit or seizure the file is for.")})
    latitude, longitude, accuracy = captured_place(said.get("captured_place"), "captured_place")
    return NewFile(
        client_id=rules.identifier(said["id"]) if "id" in said else rules.new_identifier(),
        seizure_id=codes.decode("seizure", seizure) if seizure else None,
        exhibit_id=codes.decode("exhibit", exhibit) if exhibit else None,
        kind="photo" if said.get("kind") == "photo" else "file",
        name=_storable(said.get("filename") or said.get("name") or ""),
        declared_type=_storable(said.get("filetype") or said.get("type") or ""),
        declared_sha256=said.get("sha256") or None,
        size=size,
        device_at=moment(said.get("captured_at"), "captured_at"),
        latitude=latitude,
        longitude=longitude,
        accuracy_m=accuracy,
        shows=said.get("shows") or None,
    )


def _storable(claim: str) -> str:
    """A photograph is not refused for what it is called, and PostgreSQL keeps no NUL."""
    return claim.replace("\0", " ")


def _told(upload: Upload, codes: Codes) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.offset), "Cache-Control": "no-store"}
    if upload.state == "receiving":
        headers["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    if upload.file_id is not None:
        headers["X-File-Id"] = codes.encode("file", upload.file_id)
    return headers


def _words(upload: Upload) -> str:
    match upload.state:
        case "stored":
            return gettext("The file is stored and verified by the server.")
        case "receiving":
            here, of = format_filesize(upload.offset), format_filesize(upload.size)
            return gettext("%(here)s of %(all)s are here.", here=here, all=of)
        case "refused":
            refusal = BY_REASON.get(upload.reason or "")
            return str(refusal.default) if refusal else gettext("The file was refused.")
        case "expired" if upload.reason == "lost":
            return gettext("The bytes that were here of this upload are lost. Begin it again.")
        case "removed":
            return gettext("The upload was given up; nothing of it was stored.")
        case _:
            return gettext("The upload got no more bytes for too long and was given up; nothing of it was stored.")


handlers = [options, begin, where, append, give_up, instead, state]
