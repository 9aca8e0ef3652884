"""One of the cast at their browser or program: nothing here knows more than HTTP."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import urllib3

from casemgmt.demo.cast import PASSWORD

Answer = urllib3.BaseHTTPResponse
_HIDDEN = re.compile(r'<input type="hidden" name="(csrf_token|client_id)" value="([^"]*)"')


class Visitor:
    """Signs in with name and password, keeps the cookie, and sends each form with the token of its page."""

    def __init__(self, base: str, login: str, name: str) -> None:
        self.base, self.login, self.name = base, login, name
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=120))
        self._cookie = ""
        self._token = ""

    def sign_in(self) -> bool:
        """As the page does it, and once more as a program does; False when the name or the password is refused."""
        form = {"login": self.login, "password": PASSWORD, "next": "/account"}
        answer = self._send("POST", "/sign-in", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        if answer.status != 303 or not cookie:
            return False
        self._cookie = cookie
        opened = self._send("POST", "/api/v1/sessions", json.dumps({"login": self.login, "password": PASSWORD}), {})
        self._token = json.loads(opened.data)["token"]
        return True

    def page(self, path: str) -> Answer:
        """A page, as the browser asks for it. No redirect is followed."""
        return self._send("GET", path, None, {"Cookie": self._cookie, "Accept": "text/html"})

    def submit(self, form_page: str, path: str, fields: list[tuple[str, Any]]) -> Answer:
        """Open ``form_page``, and send ``fields`` to ``path`` as the multipart form it shows would be sent.

        The hidden fields are the page's own. A field's value is text, or ``(name, bytes, type)`` for a file.
        """
        hidden = dict(_HIDDEN.findall(self.page(form_page).data.decode()))
        body, kind = urllib3.encode_multipart_formdata([*hidden.items(), *fields])
        return self._send("POST", path, body, {"Cookie": self._cookie, "Content-Type": kind})

    def api(self, method: str, path: str, data: Any = None) -> Answer:
        body = None if data is None else json.dumps(data)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return self._send(method, f"/api/v1{path}", body, headers)

    def put(self, path: str, data: bytes, headers: dict[str, str]) -> Answer:
        """Raw bytes, as a program sends a file."""
        return self._send("PUT", f"/api/v1{path}", data, {"Authorization": f"Bearer {self._token}", **headers})

    def download(
        self, path: str, start: int = 0, *, limit: int | None = None, etag: str = ""
    ) -> tuple[int, bytes, str]:
        """Bytes from ``start`` on; with ``limit`` the connection is cut after so many. Status, bytes, ETag."""
        headers = {"Authorization": f"Bearer {self._token}"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": etag}
        answer = self._http.request("GET", self.base + path, headers=headers, redirect=False, preload_content=False)
        try:
            data = answer.read(limit) if limit is not None else answer.read()
        finally:
            answer.close()
        return answer.status, data, answer.headers.get("etag", "")

    def _send(self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]) -> Answer:
        return self._http.request(method, self.base + path, body=body, headers=headers, redirect=False)


def read(answer: Answer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.data) if answer.data else None
