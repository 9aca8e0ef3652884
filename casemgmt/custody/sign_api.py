"""Signed hand-overs as JSON, in two steps: prepare what will be signed, then send what the key said.

A client with keys of its own does the same as the page: it passes ``options`` to the authenticator. The first step may
be repeated with the same ``client_id``; the second with the same request: both answer with the hand-over once made.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from casemgmt.core.errors import Invalid, NotFound
from casemgmt.core.events import timestamp
from casemgmt.core.i18n import N_
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody import queries, signatures, signing
from casemgmt.custody.api import describe
from casemgmt.custody.schemas import Answer, NewOffer
from casemgmt.custody.sign_pages import request_uuid, rules_of
from casemgmt.exhibits import queries as exhibit_queries


@post("/api/v1/hand-overs/signature-requests", status_code=201)
async def prepare_offer(request: AnyRequest) -> Response[dict[str, Any]]:
    """As an offer, and ``sign_with``: the code of one of my keys. Nothing is recorded yet.

    201 with what will be signed and the ``options`` for ``navigator.credentials.get`` (null for the key behind a PIN,
    which signs the statement as docs/spec/signature.md says); 200 with the hand-over when this
    ``client_id`` made one before.
    """
    actor, state = actor_of(request), request.app.state
    fields, key = await _asked(request)
    data = parse(NewOffer, fields, lax=False)
    made = await signing.prepare_offer(state.database, actor, data, key, state.codes, rules_of(request))
    if isinstance(made, UUID):
        return Response(await _pending(request, made), status_code=201)
    return Response(await _handover(request, made), status_code=200)


@post("/api/v1/hand-overs/{code:str}/answer/signature-requests", status_code=201)
async def prepare_answer(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """As an answer, and ``sign_with``. Nothing is recorded yet."""
    actor, state = actor_of(request), request.app.state
    handover_id = state.codes.decode("handover", code)
    fields, key = await _asked(request)
    data = parse(Answer, fields, lax=False)
    made = await signing.prepare_answer(state.database, actor, handover_id, data, key, state.codes, rules_of(request))
    return await _pending(request, made)


@get("/api/v1/signature-requests/{request_id:str}")
async def waiting(request: AnyRequest, request_id: FromPath[str]) -> dict[str, Any]:
    """What waits for a signature in this session, with its options."""
    return await _pending(request, request_uuid(request_id))


@post("/api/v1/signature-requests/{request_id:str}/signature", status_code=201)
async def sign(request: AnyRequest, request_id: FromPath[str]) -> dict[str, Any]:
    """``credential``: the authenticator's answer, as ``PublicKeyCredential.toJSON`` writes it; for the key behind a PIN
    ``key`` and ``signature``. Answers with the hand-over, now recorded with its signature. Sent again: the same."""
    actor, state = actor_of(request), request.app.state
    credential = (await read_json(request)).get("credential")
    wanted = request_uuid(request_id)
    return await _handover(request, await signing.sign(state.database, actor, wanted, credential, rules_of(request)))


@get("/api/v1/exhibits/{code:str}/signatures")
async def of_exhibit(request: AnyRequest, code: FromPath[str]) -> list[dict[str, Any]]:
    """By what means each custody event of the exhibit is signed, and where its files are."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        exhibit = await exhibit_queries.exhibit(db, state.codes.decode("exhibit", code))
        chain = await queries.chain(db, exhibit.id)
        signed = await signatures.of_exhibit(db, exhibit.id)
    base = f"/api/v1/exhibits/{code}/signatures"
    return [
        {
            "seq": event.seq, "kind": event.kind,
            **signatures.described(found := signed.get((event.exhibit_id, event.seq))),
            "files": {name: f"{base}/{event.seq}/{name}" for name in found.file_names} if found else None,
        }
        for event in chain
        if event.kind != "registered"
    ]  # fmt: skip


MEDIA_TYPES = {
    "statement.txt": "text/plain; charset=utf-8",
    "clientData.json": "application/json",
    "authData.bin": "application/octet-stream",
    "sig.der": "application/octet-stream",
    "pub.pem": "application/x-pem-file",
    "record.json": "application/json",
}


@get("/api/v1/exhibits/{code:str}/signatures/{seq:int}/{name:str}")
async def file(request: AnyRequest, code: FromPath[str], seq: FromPath[int], name: FromPath[str]) -> Response[bytes]:
    """One of the files of a signed event, for openssl (docs/spec/signature.md)."""
    actor, state = actor_of(request), request.app.state
    async with state.database.begin(actor) as db:
        exhibit = await exhibit_queries.exhibit(db, state.codes.decode("exhibit", code))
        found = await signatures.files(db, exhibit.id, seq if 0 < seq < 1 << 31 else 0)
    if name not in found:
        raise NotFound
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found[name], media_type=MEDIA_TYPES[name], headers=headers)


async def _asked(request: AnyRequest) -> tuple[dict[str, Any], str]:
    fields = await read_json(request)
    key = fields.pop("sign_with", "")
    if not isinstance(key, str):
        raise Invalid({"sign_with": N_("Choose one of the given values.")})
    return fields, key


async def _pending(request: AnyRequest, request_id: UUID) -> dict[str, Any]:
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await signing.pending(db, actor, request_id)
    return {
        "request": str(request_id),
        "expires_at": timestamp(found.request.expires_at),
        "statement": found.request.statement.decode(),
        "events": [body.decode() for body in found.request.bodies],
        "options": found.options or None,
    }


async def _handover(request: AnyRequest, handover_id: int) -> dict[str, Any]:
    async with request.app.state.database.begin(actor_of(request)) as db:
        full = await queries.handover(db, handover_id)
    return describe(full, request.app.state.codes)


handlers = [prepare_offer, prepare_answer, waiting, sign, of_exhibit, file]
