"""Headers every answer carries, errors and redirects too."""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from casemgmt.core.render import CONTENT_SECURITY_POLICY

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # evidence must not stay in a shared computer's cache
    "Cache-Control": "no-store",
}


UNREAD = "unread"
"""In the state of a request whose body still comes while it is answered."""


async def security_headers(message: Message, scope: Scope) -> None:
    """A handler's own value wins: static files are cached, evidence files have a stricter policy."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders(message)
        for name, value in _ALWAYS.items():
            headers.setdefault(name, value)
        if scope["state"].get(UNREAD):
            headers["Connection"] = "close"
