"""Chromium's own virtual authenticator (CTAP 2), driven through its developer protocol."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page

ES256_ONLY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class VirtualAuthenticator:
    """A device of the person at ``page``. It lives as long as the page."""

    def __init__(self, context: BrowserContext, page: Page, **options: Any) -> None:
        self._cdp = context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        self.id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**ES256_ONLY, **options}})[
            "authenticatorId"
        ]

    def verifies_user(self, does: bool) -> None:
        """Whether the next finger fits."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": does})

    def credentials(self) -> list[dict[str, Any]]:
        found = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def clear(self) -> None:
        self._cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
