"""Headers every answer carries."""

from __future__ import annotations

from typing import Any

from litestar import Response

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


def security_headers(response: Response[Any]) -> Response[Any]:
    """A handler's own value wins: static files are cached, evidence files have a stricter policy."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    return response
