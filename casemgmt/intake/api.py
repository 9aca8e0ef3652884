"""Registering through JSON. Photographs follow one by one, each with ``PUT`` to its exhibit's files."""

from __future__ import annotations

from typing import Any

from litestar import Response, post

from casemgmt.core.errors import Forbidden
from casemgmt.core.i18n import N_
from casemgmt.core.parse import parse
from casemgmt.core.web.json import read_json
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.exhibits.api import exhibit_json
from casemgmt.intake import actions
from casemgmt.intake.schemas import Registration
from casemgmt.seizures.api import seizure_json


class CapturedByAnother(Forbidden):
    """A phone bound the record to one officer and sends it with the session of another."""

    slug = "captured-by-another"
    default = N_("Another officer captured this record, so only they can send it. It stays on the phone.")


@post("/api/v1/seizures")
async def register(request: AnyRequest) -> Response[dict[str, Any]]:
    """Register a seizure with its exhibits. The same ``client_id`` again answers with the same, ``repeated`` true."""
    actor, state = actor_of(request), request.app.state
    data = parse(Registration, await read_json(request), lax=False)
    if data.captured_by not in (None, state.codes.encode("person", actor.id)):
        raise CapturedByAnother
    async with state.database.begin(actor) as db:
        registered = await actions.register(db, actor, data, state.zone)
    answer = {
        **seizure_json(registered.seizure, state.codes),
        "exhibits": [exhibit_json(exhibit, state.codes) for exhibit in registered.exhibits],
        "repeated": registered.repeated,
    }
    return Response(answer, status_code=201, headers={"Location": f"/api/v1/seizures/{answer['id']}"})


handlers = [register]
