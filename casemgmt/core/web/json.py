"""Reading JSON bodies: bounded, an object, with an answer in words when it is neither."""

from __future__ import annotations

from typing import Any

import msgspec

from casemgmt.core.errors import Invalid, TooLarge
from casemgmt.core.i18n import N_
from casemgmt.core.web.signin import AnyRequest

MAX_BYTES = 1 << 20


async def read_json(request: AnyRequest) -> dict[str, Any]:
    """The body as an object. Raises TooLarge or Invalid."""
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise TooLarge
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid({}, N_("The body is not valid JSON.")) from error
    if not isinstance(value, dict):
        raise Invalid({}, N_("The body must be a JSON object."))
    return value
