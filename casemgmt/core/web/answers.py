"""How errors are answered: problem details (RFC 9457) for JSON, a friendly page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from casemgmt.core.errors import DomainError, Invalid, NotFound, NotSignedIn, Unavailable
from casemgmt.core.i18n import N_, Text
from casemgmt.core.render import page
from casemgmt.core.web.signin import SAFE, AnyRequest, prepare, wants_json

log = structlog.get_logger()

_CLIENT_LEFT = "client disconnected prematurely"
"""What Litestar's internal server error says of a body that was cut; it has no other mark."""

_BY_STATUS: dict[int, Text] = {
    400: N_("The request could not be read."),
    404: NotFound.default,
    405: N_("This address does not take that kind of request."),
    413: N_("This is larger than may be sent."),
    415: N_("This kind of content is not taken here."),
    500: N_("Something broke on our side. It was recorded; nothing was half-done."),
}


def on_domain_error(request: AnyRequest, error: DomainError) -> Response[Any]:
    if isinstance(error, NotSignedIn) and not wants_json(request) and request.method in SAFE:
        return Redirect("/sign-in", query_params={"next": request.url.path})
    answer = _answer(
        request, error.status, error.slug, error.message, error.fields if isinstance(error, Invalid) else {}
    )
    answer.headers.update(error.headers)
    if isinstance(error, Unavailable):
        log.error("database.away", path=request.url.path, method=request.method)
        answer.headers["Retry-After"] = "5"
    return answer


def on_http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Litestar's own refusals (unknown address, unreadable body), in the same form."""
    if error.detail == _CLIENT_LEFT:  # a border post's network, not a fault of ours; nobody hears the answer
        log.info("request.cut", path=request.url.path, method=request.method)
        return _answer(request, 400, "request-cut", _BY_STATUS[400], {})
    if error.status_code >= HTTP_500_INTERNAL_SERVER_ERROR:
        return on_unexpected(request, error)
    return _answer(request, error.status_code, "http-error", _BY_STATUS.get(error.status_code) or _BY_STATUS[400], {})


def on_unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
    """Recorded with its traceback, answered without it."""
    log.error("request.failed", path=request.url.path, method=request.method, exc_info=error)
    return _answer(request, 500, "internal", _BY_STATUS[500], {})


def _answer(request: AnyRequest, status: int, slug: str, words: Text, fields: Mapping[str, Text]) -> Response[Any]:
    if "lang" not in request.state:
        prepare(request)  # no handler was found, so nothing has run before
    beside = {name: str(text) for name, text in fields.items()}
    if wants_json(request):
        problem: dict[str, Any] = {"type": f"urn:casemgmt:problem:{slug}", "title": str(words), "status": status}
        if beside:
            problem["errors"] = beside
        return Response(problem, status_code=status, media_type="application/problem+json")
    return page(request, "error.html", status_code=status, status=status, message=str(words), errors=beside)
