"""One's own keys as JSON: passkeys, and the keys behind the PINs of one's phones."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.params import FromPath

from casemgmt.accounts import key_queries, keys, pin_keys
from casemgmt.accounts.key_queries import HeldKey
from casemgmt.accounts.keys import Site
from casemgmt.accounts.schemas import KeyRevocation, NewKey, NewPinKey
from casemgmt.core.codes import Codes
from casemgmt.core.events import timestamp
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of


@get("/api/v1/keys")
async def mine(request: AnyRequest) -> list[dict[str, Any]]:
    """My keys, newest first, revoked ones included."""
    actor = actor_of(request)
    async with request.app.state.database.begin(actor) as db:
        found = await key_queries.held_by(db, actor.id)
    return [_described(key, request.app.state.codes) for key in found]


@post("/api/v1/keys/enrolments", status_code=201)
async def begin(request: AnyRequest) -> dict[str, Any]:
    """``password``, once more. Answers with the options for ``navigator.credentials.create``, good for five minutes in
    this session and for one answer."""
    state, fields = request.app.state, await read_json(request)
    data = parse(NewKey, fields, lax=False)
    site = Site.of(state.settings.public_url)
    options = await keys.begin_enrolment(state.database, actor_of(request), site, password=data.password)
    return {"options": options}


@post("/api/v1/keys", status_code=201)
async def enrol(request: AnyRequest) -> dict[str, Any]:
    """``credential``: the authenticator's answer as ``PublicKeyCredential.toJSON`` writes it; ``name``."""
    actor, state, fields = actor_of(request), request.app.state, await read_json(request)
    new = await keys.enrol(
        state.database, actor, Site.of(state.settings.public_url), fields.get("credential"),
        name=str(fields.get("name") or ""), allow_synced=state.settings.synced_passkeys,
    )  # fmt: skip
    async with state.database.begin(actor) as db:
        return _described(await key_queries.key(db, new.id), state.codes)


@post("/api/v1/pin-keys", status_code=201)
async def enrol_phone(request: AnyRequest) -> dict[str, Any]:
    """``spki`` and ``proof`` (base64url), ``device``, ``name``: the key that a phone keeps behind my PIN.

    Sent again: the same, with its revocation when there was one."""
    actor, state = actor_of(request), request.app.state
    data = parse(NewPinKey, await read_json(request), lax=False)
    origin = keys.origin_of(state.settings.public_url)
    async with state.database.begin(actor) as db:
        new = await pin_keys.enrol(db, actor, state.codes.encode("person", actor.id), origin, data)
    async with state.database.begin(actor) as db:
        return _described(await key_queries.key(db, new), state.codes)


@post("/api/v1/keys/{code:str}/revocation", status_code=200)
async def revoke(request: AnyRequest, code: FromPath[str]) -> dict[str, Any]:
    """End one of my keys; as an administrator, anybody's. Sent again: the same."""
    actor, state = actor_of(request), request.app.state
    data = parse(KeyRevocation, await read_json(request), lax=False)
    key_id = state.codes.decode("passkey", code)
    async with state.database.begin(actor) as db:
        await keys.revoke(db, actor, key_id, data)
    async with state.database.begin(actor) as db:
        return _described(await key_queries.key(db, key_id), state.codes)


def _described(key: HeldKey, codes: Codes) -> dict[str, Any]:
    row, ended = key.row, key.ended
    return {
        "id": codes.encode("passkey", row.id),
        "means": row.kind,
        "name": row.name,
        "person": key.person.name,
        "fingerprint": row.fingerprint.hex(),
        "algorithm": row.algorithm,
        "device": str(row.device) if row.device else None,
        "aaguid": str(row.aaguid) if row.aaguid else None,
        "attestation": row.attestation_format,
        "synced": row.backup_eligible,
        "backed_up": row.backed_up,
        "rp_id": row.rp_id,
        "enrolled_at": timestamp(row.enrolled_at),
        "revoked": {"at": timestamp(ended.at), "reason": ended.reason, "note": ended.note} if ended else None,
    }


handlers = [mine, begin, enrol, enrol_phone, revoke]
