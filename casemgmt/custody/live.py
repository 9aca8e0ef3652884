"""A hand-over as it changes: the giver's screen follows the receiver's answer by itself.

Server-sent events where there is room for one more, otherwise the same question asked now and then by the page. What
is told is only that something changed; the page then asks for itself, as its reader may see it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Iterable

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy import select

from casemgmt.core.actor import Actor
from casemgmt.core.db import Database
from casemgmt.core.errors import DomainError, NotFound
from casemgmt.core.web.signin import AnyRequest, actor_of
from casemgmt.custody.models import Handover, HandoverItem

LOOK = 1.0  # seconds between two looks of a stream
LASTS = 300.0  # seconds; the browser then opens another by itself
AT_ONCE = 40
"""Streams of one process. Each holds a connection, and the server must stay free for work: who comes later asks."""

_open = 0


class NoRoom(DomainError):
    """Ask instead of listening. The page does so by itself."""

    status = 503
    slug = "no-room-to-listen"


@get("/hand-overs/{code:str}/state")
async def state(request: AnyRequest, code: FromPath[str]) -> Response[dict[str, str]]:
    """``version`` changes whenever anything of the hand-over does."""
    actor, handover_id = actor_of(request), request.app.state.codes.decode("handover", code)
    version = await _version(request.app.state.database, actor, handover_id)
    return Response({"version": version}, headers={"Cache-Control": "no-store"})


@get("/hand-overs/{code:str}/live")
async def live(request: AnyRequest, code: FromPath[str]) -> ServerSentEvent:
    """Events ``version``: the present one at once, then each new one, until the reader's session or sight ends.

    ``?seconds=`` listens for less than the 300 seconds after which a browser opens another stream by itself.
    """
    actor, handover_id = actor_of(request), request.app.state.codes.decode("handover", code)
    database: Database = request.app.state.database
    asked = request.query_params.get("seconds", "")
    seconds = min(int(asked), LASTS) if asked.isascii() and asked.isdigit() and len(asked) < 6 else LASTS
    first = await _version(database, actor, handover_id)
    if _open >= AT_ONCE:
        raise NoRoom
    changes = _changes(database, actor, handover_id, first, int(seconds / LOOK))
    return ServerSentEvent(changes, headers={"Cache-Control": "no-store"})


async def _changes(
    database: Database, actor: Actor, handover_id: int, version: str, looks: int
) -> AsyncGenerator[ServerSentEventMessage, None]:
    global _open  # noqa: PLW0603 - streams of this process, counted where they begin and end
    _open += 1
    try:
        yield ServerSentEventMessage(version, event="version", retry=2000)
        for look in range(looks):
            await asyncio.sleep(LOOK)
            try:
                now = await _version(database, actor, handover_id)
            except DomainError:
                return  # signed out, or out of sight: the page will be told when it asks
            if now != version:
                version = now
                yield ServerSentEventMessage(version, event="version")
            elif look % 15 == 14:
                yield ServerSentEventMessage(comment="still here")
    finally:
        _open -= 1


async def _version(database: Database, actor: Actor, handover_id: int) -> str:
    """Raises NotFound for a hand-over the actor has no sight of, NotSignedIn when the session has ended."""
    async with database.begin(actor) as db:
        if await db.get(Handover, handover_id) is None:
            raise NotFound
        return version_of((await db.scalars(select(HandoverItem).where(HandoverItem.handover_id == handover_id))).all())


def version_of(items: Iterable[HandoverItem]) -> str:
    """The version of a page that shows these items of a hand-over."""
    rows = sorted([item.exhibit_id, item.state] for item in items)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


handlers = [state, live]
