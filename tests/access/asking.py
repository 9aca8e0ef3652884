"""How each route is asked: which record its address names, and what is sent to it.

What is sent is whole enough to reach the question "may you?", and where it can be, wrong in something that is judged
after it, so that asking changes nothing.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from tests.access.scene import CONTAINER, Scene, registration
from tests.cast import Member
from tests.uploads.client import encoded

_RECORDS = {
    "seizures": "seizure", "exhibits": "exhibit", "files": "file", "hand-overs": "handover", "cases": "case",
    "packages": "package", "events": "event", "x": "exhibit", "people": "timur", "grants": "ended_grant",
    "keys": "key", "agreements": "agreement",
}  # fmt: skip
_FORM = "application/x-www-form-urlencoded"


def address(path: str, scene: Scene) -> str:
    """The route's path with the scene's records in it."""
    if path == "/packages/{code:str}/archive/{name:str}":
        return scene.codes["archive"]
    if path == "/verify/{name:str}":
        return "/verify/verify.html"
    if path.startswith("/api/v1/uploads/"):
        return f"/api/v1/uploads/{scene.codes['upload']}"
    if path == "/agreements/{code:str}/files/{name:str}":
        return f"/agreements/{scene.codes['agreement']}/files/offer-record.json"
    found = re.sub(r"/(\w[\w-]*)/\{code:str\}", lambda m: f"/{m[1]}/{scene.codes[_RECORDS[m[1]]]}", path)
    grant = "case_grant" if path.startswith("/cases") else "ended_grant"
    for part, value in {
        "{grant:str}": scene.codes[grant],
        "{seizure:str}": scene.codes["seizure"],
        "{person:str}": scene.codes["elena"],
        "{client_id:str}": str(uuid.uuid4()),
        "{appointment:int}": "0",
        "{key:str}": scene.codes["key"],
        "{agreement:str}": scene.codes["agreement_id"],
        "{request_id:str}": str(uuid.uuid4()),
        "{seq:int}": "1",
        "{size:int}": "0",
        "{name:str}": "statement.txt",
        "{version:str}/{name:path}": "0/not-there.css",
        "{path:str}": "not-there",
        "{path:path}": "0/999",
    }.items():
        found = found.replace(part, value)
    return f"{found}?seconds=0" if path.endswith("/live") else found


def body(method: str, path: str, scene: Scene) -> dict[str, Any]:
    """What is sent; forms and JSON say the same, so a page's address is looked up as its API's."""
    codes, key = scene.codes, f"{method} {path.removeprefix('/api/v1')}"
    exhibit = {"exhibit": codes["exhibit"], "seq": 1, "prev": "0" * 64, "seal": "B-1000"}
    bodies: dict[str, dict[str, Any]] = {
        "POST /seizures": registration(CONTAINER, "", exhibits=1),
        "POST /number-blocks": {"client_id": str(uuid.uuid4()), "device": str(uuid.uuid4()), "count": 2},
        "POST /seizures/{code:str}/corrections": {"field": "nothing", "words": "x", "reason": "x"},
        "POST /seizures/{code:str}/correct": {"field": "nothing", "words": "x", "reason": "x"},
        "POST /seizures/{code:str}/people": {"participants": [{"role": "nobody", "name": "x"}]},
        "PUT /seizures/{code:str}/need-to-know": {"need_to_know": False, "names": []},
        "POST /seizures/{code:str}/grants": {
            "purpose": "none", "to": f"unit:{codes['crime_unit']}", "endless": True,
        },
        "POST /hand-overs": {
            "client_id": str(uuid.uuid4()), "to": codes["timur"], "purpose": "storage", "exhibits": [exhibit],
        },
        "POST /hand-overs/{code:str}/answer": {"items": [{"exhibit": codes["exhibit"], "decision": "accepted"}]},
        "POST /hand-overs/signature-requests": {
            "client_id": str(uuid.uuid4()), "to": codes["timur"], "purpose": "storage", "exhibits": [exhibit],
            "sign_with": codes["key"],
        },
        "POST /hand-overs/{code:str}/answer/signature-requests": {
            "items": [{"exhibit": codes["exhibit"], "decision": "accepted"}], "sign_with": codes["key"],
        },
        "POST /agreements": json.loads(codes["agreement_sent"]),
        "POST /agreements/{code:str}/resolution": {"outcome": "record_stands", "words": "asked both"},
        "POST /agreements/{agreement:str}/resolution": {"outcome": "record_stands", "words": "asked both"},
        "POST /files/{code:str}/showings": {"shows": "nothing_known"},
        "POST /keys": {"credential": {}},
        "POST /keys/{code:str}/revocation": {"reason": "none"},
        "POST /cases": {"client_id": str(uuid.uuid4()), "title": "A case"},
        "POST /cases/{code:str}/members": {"person": codes["timur"], "role": "nobody"},
        "POST /cases/{code:str}/seizures": {"seizure": codes["seizure"]},
        "POST /cases/{code:str}/links": {"case": codes["case"], "reason": "none"},
        "POST /cases/{code:str}/status": {"status": "none"},
        "POST /cases/{code:str}/grants": {"purpose": "none", "to": f"unit:{codes['prosecutors']}", "endless": True},
        "POST /cases/{code:str}/referrals": {
            "client_id": str(uuid.uuid4()), "unit": codes["crime_unit"], "seizures": [],
        },
        "POST /cases/{code:str}/packages": {
            "client_id": str(uuid.uuid4()), "exhibits": [codes["other_exhibit"]],
        },
        "POST /packages/{code:str}/downloads": {"reason": "for the hearing"},
        "POST /packages/{code:str}/download": {"reason": "for the hearing"},
        "POST /grants/{code:str}/end": {"reason": "because"},
        "POST /seizures/{code:str}/grants/{grant:str}/end": {"reason": "because"},
        "POST /cases/{code:str}/grants/{grant:str}/end": {"reason": "because"},
        "POST /cases/{code:str}/members/{person:str}/leave": {"reason": "because"},
        "POST /cases/{code:str}/seizures/{seizure:str}/leave": {"reason": "because"},
    }  # fmt: skip
    return bodies.get(key, {})


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As the form's inputs would send it: ``items-0-exhibit``; a list of words is one input used several times."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found |= {f"{name}-{i}-{leaf}": words for i, row in enumerate(value) for leaf, words in row.items()}
        else:
            found[name] = "true" if value is True else value
    return {name: value for name, value in found.items() if value not in ([], False)}


async def ask(client: httpx.AsyncClient, member: Member | None, method: str, path: str, scene: Scene) -> httpx.Response:
    """As the person would: a page with its form's token, JSON with the token in a header. No redirect is followed."""
    csrf = member.actor.csrf if member else "of nobody"
    url, fields = address(path, scene), body(method, path, scene)
    if path.startswith("/api/v1/uploads"):
        said = encoded(id=str(uuid.uuid4()), exhibit=scene.codes["exhibit"])
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "0", "Upload-Metadata": said, "Upload-Offset": "999"}
        kind = {"Content-Type": "application/offset+octet-stream"} if method == "PATCH" else {}
        return await client.request(method, url, headers={"X-CSRF-Token": csrf, **tus, **kind})
    if method in ("GET", "HEAD"):
        return await client.request(method, url)
    if path.endswith("/files/{client_id:str}"):
        headers = {"X-CSRF-Token": csrf, "X-Content-SHA256": "0" * 64}
        return await client.request(method, url, content=b"other bytes", headers=headers)
    if path == "/exhibits/{code:str}/files":
        return await client.post(url, files={"csrf_token": (None, csrf)})
    if path.startswith("/api/"):
        return await client.request(method, url, json=fields, headers={"X-CSRF-Token": csrf})
    fields = {"new-status": "none"} if path.endswith("/status") else fields
    return await client.request(method, url, data={"csrf_token": csrf, **flat(fields)})
