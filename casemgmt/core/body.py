"""The body of a request as it arrives, for handlers that never hold a whole file."""

from collections.abc import AsyncGenerator

from litestar.types import Receive

from casemgmt.core.ingest import Refused


async def body(receive: Receive) -> AsyncGenerator[bytes, None]:
    """Chunks as the server delivers them. Raises ``Refused("cut")`` when the client left before the end: an everyday
    event at a border post, where the framework's own stream raises an internal server error."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("cut")
        if message["type"] == "http.request":
            if chunk := message["body"]:
                yield chunk
            if not message["more_body"]:
                return
