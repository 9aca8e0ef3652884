"""What must never be sent and is: by broken programs, old phones, tired people and attackers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

HUGE = 10**40

TEXTS = [
    "", " ", "\x00", "a\x00b", "\ufffe", "\u202egpj.exe", "😀" * 50, "ß" * 5000, "x" * 20_000,
    "../../etc/passwd", "%", "%00", "%zz", "null", "[]", "{}", "true", "--", "'; drop table",
    "-1", "0", str(HUGE), "1e400", "-1e400", "NaN", "-Infinity", "0.1e-400", "٣", "９９９９", "1_000", "0x10",
    "2026-02-30", "2026-01-01", "99999-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00-14:00", "0001-01-01T00:00:00+14:00",
    "unit:", "unit:x", "person:\x00", "agency:" + "z" * 100, "2026-0412-00001-3", "2026-0412-00001-3/1",
    str(uuid.UUID(int=0)),
]  # fmt: skip

VALUES: list[Any] = [
    *TEXTS, None, True, 0, -1, 2**31, 2**63, HUGE, 1.5, -0.0, 1e308,
    [], {}, [[]], [None], [{}], {"": ""}, ["x"], ["x"] * 3000,
]  # fmt: skip

CODES = [
    "x", "00000000", "%00", "%FF%FE", "%ED%A0%80", "..", "%2e%2e%2f", "a" * 5000, "0", "-1", "null", "{code}",
    "аааааааа", "%F0%9F%98%80",
]  # fmt: skip

HEADERS = [
    {"Range": "bytes=0-0,2-3"},
    {"Range": f"bytes={HUGE}-"},
    {"Range": "bytes=5-1"},
    {"Range": "bytes=-0"},
    {"If-Range": "\x7f"},
    {"Accept-Language": "x;q=9,,;;" + "ru," * 500},
    {"Accept": "application/json, */*;q=x"},
    {"Cookie": "casemgmt_session=%00; lang=zz; theme=<b>"},
    {"Cookie": "casemgmt_session=" + "x" * 3000},
    {"Authorization": "Bearer \x7f"},
    {"Authorization": "Bearer "},
    {"Content-Length": "7"},
    {"X-Forwarded-For": "x"},
    {"Origin": "null"},
    {"Host": "x y"},
]

_JSON = {
    "nothing": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "invalid UTF-8": b'{"a":"\xff\xfe"}',
    "a lone surrogate": b'{"title":"\\ud800","client_id":"\\udfff"}',
    "a NUL": b'{"title":"a\\u0000b"}',
    "a raw NUL": b'{"title":"\x00"}',
    "deep lists": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a huge number": b'{"quantity":' + b"9" * 10_000 + b"}",
    "NaN": b'{"quantity":NaN}',
    "the same name twice": b'{"title":"a","title":1}',
    "ten thousand fields": json.dumps({f"f{n}": n for n in range(10_000)}).encode(),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "too much": b'{"title":"' + b"x" * (2 << 20) + b'"}',
}
_FORM = {
    "nothing": b"",
    "invalid UTF-8": b"title=%FF%FE",
    "raw bytes": b"title=\xff\xfe\x00",
    "a NUL": b"title=a%00b&description=%00",
    "a surrogate": b"title=%ED%A0%80",
    "ten thousand fields": b"&".join(b"f%d=x" % n for n in range(10_000)),
    "many rows": b"&".join(b"exhibits-%d-category=DRUG" % n for n in range(900)),
    "odd rows": b"exhibits-0=1&exhibits=2&exhibits--x=3",
    "deep names": b"a-0-b-0-c-0-d=1&items-99999999999-x=1&items-0-decision=accepted",
    "too much": b"title=" + b"x" * (1 << 20),
}
_DISPOSITION = b"--x\r\nContent-Disposition: form-data"
_MULTIPART = {
    "empty": b"",
    "cut": _DISPOSITION + b'; name="csrf_token"\r\n\r\nabc',
    "no name": _DISPOSITION + b"\r\n\r\nabc\r\n--x--\r\n",
    "not UTF-8": _DISPOSITION + b'; name="\xff"\r\n\r\n\xff\r\n--x--\r\n',
}
_KINDS = {
    "no boundary": "multipart/form-data",
    "a long boundary": "multipart/form-data; boundary=" + "x" * 3000,
    "XML": "application/xml",
    "no kind": "",
    "an odd kind": ";;=",
    "an odd charset": "application/json; charset=utf-99",
}


def bodies() -> Iterator[tuple[str, str, bytes]]:
    """Bodies that are wrong as a whole, whatever they are sent to: name, ``Content-Type``, bytes."""
    for kind, made in (
        ("application/json", _JSON),
        ("application/x-www-form-urlencoded", _FORM),
        ("multipart/form-data; boundary=x", _MULTIPART),
    ):
        yield from ((f"{kind}: {name}", kind, data) for name, data in made.items())
    yield from ((name, kind, b"--x\r\n") for name, kind in _KINDS.items())


_PERSON = {"role": "owner", "name": "x", "document": "d", "address": "a", "note": "n", "refused_signature": True}
_THING = {
    "category": "DRUG", "quantity": "1.5", "unit": "kg", "basis": "gross", "description": "d", "seal": "B-1",
    "value": "10", "currency": "USD",
}  # fmt: skip
_PLACE = {"place_latitude": "1", "place_longitude": "1", "place_accuracy": "1", "device_time": "2026-01-01T00:00:00Z"}
_CONVEYANCE = {"kind": "container", "identifier": "MSKU3070316", "country": "KG"}

# Fields that ``asking.body`` leaves out, by path without the prefix of the API.
OTHER_FIELDS: dict[str, dict[str, Any]] = {
    "/seizures": {
        "device_at": "2026-01-01T00:00:00Z", "latitude": "42.1", "longitude": "74.1", "accuracy_m": "5",
        "direction": "import", "detection": "search", "ground": "g", "circumstances": "c",
        "participants": [_PERSON], "conveyances": [_CONVEYANCE], "exhibits": [_THING],
    },
    "/seizures/new": {
        "client_id": str(uuid.uuid4()), "seized_at": "2026-01-01T00:00", "place": "p", "exhibits": [_THING],
        "participants": [_PERSON], "conveyances": [_CONVEYANCE], **_PLACE,
    },
    "/seizures/{code:str}/people": {"participants": [_PERSON], "conveyances": [_CONVEYANCE]},
    "/seizures/{code:str}/need-to-know": {"hidden": "no", "names": ["x"]},
    "/seizures/{code:str}/grants": {"person": "x", "note": "n", "until": "2026-01-01", "onward": True},
    "/hand-overs": {"place": "p", "note": "n", **_PLACE},
    "/cases": {"summary": "s", "unit": "x"},
    "/cases/{code:str}/packages": {"reason": "r", "step": "check"},
    "/cases/{code:str}/grants": {"person": "x", "note": "n", "until": "2026-01-01", "with_seizures": True},
    "/sign-in": {"login": "x", "password": "y", "next": "/"},
    "/sessions": {"login": "x", "password": "y"},
    "/preferences": {"language": "ru", "theme": "dark", "back": "/"},
    "/people": {"login": "x", "name": "y", "password": "short", "badge": "b"},
    "/people/{code:str}/appointments": {"kind": "officer", "unit_id": "x", "agency_id": "y"},
    "/people/{code:str}/password": {"password": "short"},
    "/account/password": {"password": "short"},
    "/units": {"agency_id": "0", "code": "x", "name": "y", "place": "z"},
    "/agencies": {"code": "x y", "kind": "none", "name": "y"},
}  # fmt: skip


Place = tuple[str | int, ...]


def places(whole: dict[str, Any]) -> list[Place]:
    """Where a value stands in a body: by name, and in the first row of a list."""
    found: list[Place] = []
    for name, value in whole.items():
        found.append((name,))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found += [(name, 0, leaf) for leaf in value[0]]
    return found


def replaced(whole: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    """The body with another value in one place."""
    changed: dict[str, Any] = json.loads(json.dumps(whole))
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed
