"""A hand-over that two people agreed on their phones without a network (docs/spec/agreement.md).

Two records, an offer and an answer, each signed with the key behind its maker's PIN. They are read strictly, held
against each other, and held against the ledger entries that say they were agreed so.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from casemgmt.trust.canonical import parse_canonical
from casemgmt.trust.encoding import is_hash_hex, shown
from casemgmt.trust.errors import AgreementError, EncodingError, EventError
from casemgmt.trust.events import Event
from casemgmt.trust.passkey import ES256, PublicKey

VERSION = 1
CONTEXT = b"evidence-custody-pin-v1\0"
"""Stands before the statement in what a key behind a PIN signs (`casemgmt.trust.pin`, which builds on this module)."""

MAX_SIGNATURE = 80

OFFER, ANSWER = "handover-offer", "handover-answer"

MAX_RECORD = 16_384
"""Bytes of a record: what fits a few dozen QR codes."""

MAX_ITEMS = 50
MAX_PHOTOS = 5

SEAL_STATES = ("intact", "damaged", "missing")
"""What a receiver can see of a seal."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_EXHIBIT = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{5,6}-[0-9]/[1-9][0-9]{0,3}", re.ASCII)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_LOOK_ALIKES = str.maketrans(
    "АВЕЁКМНОРСТУХЅІЇЈԚԜҮҰҺҢҚҲӘӨЗӮЎБГДЖИЙЛПФЦЧЫЭҒҶҐЄЯЮШЩ", "ABEEKMHOPCTYXSIIJQWYYHHKXAO3YYBGDJIJLPFCCYEGJGIYYSS"
)
"""Capitals of one look, and of the rest their sound: coarser than any reading of a number in another alphabet."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who made a record, as their phone knows them. `badge` may be empty."""

    login: str
    badge: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """One exhibit of a record. `said` is the item exactly as the record has it."""

    exhibit: str
    said: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.said.get(name)


@dataclass(frozen=True, slots=True)
class Record:
    """What an offer and an answer have in common. `at` is the device's claim; `at_text` the same as written."""

    id: str
    at: datetime
    at_text: str
    by: Person
    device: str
    key: str
    items: tuple[Item, ...]
    body: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def statement(self) -> bytes:
        """What is signed: one line, the hash of the record."""
        return f"{self.sha256}\n".encode()

    def item(self, exhibit: str) -> Item | None:
        return next((item for item in self.items if item.exhibit == exhibit), None)

    def check_signature(self, signature: bytes, key: PublicKey) -> None:
        """Whether `key` is the one the record names, and signed it; raises `AgreementError` or `PasskeyError`."""
        if key.fingerprint != self.key:
            raise AgreementError("the record names another key than the one that is said to have signed it")
        if key.algorithm != ES256 or not 0 < len(signature) <= MAX_SIGNATURE:
            raise AgreementError("the key behind a PIN is of P-256, and so is its signature")
        key.verify(signature, CONTEXT + self.statement)


@dataclass(frozen=True, slots=True)
class Offer(Record):
    """The giver's record. `note` is empty where there is none."""

    purpose: str = ""
    place: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """The receiver's record. `offer` is the hex SHA-256 of the offer's bytes."""

    offer: str = ""


def parse_offer(data: bytes) -> Offer:
    """Reads the exact bytes of an offer; raises `AgreementError` for any other form."""
    value = _object(data, OFFER, {"purpose"}, {"place", "note"})
    items = [_item(item, {"exhibit", "what"}, {"seal", "after"}) for item in _list(value)]
    for item in items:
        _matches(item.said, "what", _CODE)
        _optional(item.said, "after", _UUID)
    return Offer(
        **_common(value, items, data), purpose=_matches(value, "purpose", _CODE),
        place=_text(value, "place", 200), note=_text(value, "note", 1000, lines=True),
    )  # fmt: skip


def parse_answer(data: bytes) -> Answer:
    """Reads the exact bytes of an answer; raises `AgreementError` for any other form."""
    value = _object(data, ANSWER, {"offer"}, set())
    if not is_hash_hex(value["offer"]):
        raise AgreementError("an answer names its offer by 64 lower-case hexadecimal digits")
    more = {"seal", "seal_state", "reason", "discrepancy", "note", "photos"}
    items = [_item(item, {"exhibit", "decision"}, more) for item in _list(value)]
    for item in items:
        _check_decision(item)
    return Answer(**_common(value, items, data), offer=value["offer"])


def check_pair(offer: Offer, answer: Answer) -> None:
    """Whether this answer is one to this offer, by another person; raises `AgreementError`."""
    if answer.offer != offer.sha256:
        raise AgreementError("the answer is to another offer")
    if answer.id != offer.id:
        raise AgreementError("offer and answer are of two agreements")
    if {item.exhibit for item in answer.items} != {item.exhibit for item in offer.items}:
        raise AgreementError("the answer is not about the same exhibits")
    if answer.by.login == offer.by.login:
        raise AgreementError("nobody hands over to themselves")
    if answer.key == offer.key:
        raise AgreementError("two people do not sign with one key")


def parse(data: bytes) -> Offer | Answer:
    """Reads a record of either kind; raises `AgreementError`."""
    return parse_offer(data) if b'"type":"%b"' % OFFER.encode() in data else parse_answer(data)


def check_event(data: bytes, event: Event) -> None:
    """Whether a ledger entry that says it was agreed by the record `data` says what the record says.

    Raises `AgreementError`. The signature over the record, and whose its key is, are for the caller to check.
    """
    record = parse(data)
    signature = event.data.get("signature")
    if signature != {"means": "pin", "key": record.key, "record": record.sha256}:
        raise AgreementError("the entry does not say that it was agreed by this record")
    item = _item_of(record, event)
    mine: Mapping[str, Any] = event.data.get("from" if isinstance(record, Offer) else "to") or {}
    for what, wanted, found in (
        ("agreement", record.id, event.data.get("agreement")),
        ("record's words", item.said, event.data.get("agreed")),
        ("time of the device", _utc(record.at), event.data.get("device_at")),
        ("person", dict(event.actor), dict(mine) if isinstance(mine, dict) else None),
        ("name", record.by.name, event.actor.get("name")),
        ("badge", record.by.badge, event.actor.get("badge")),
        *_said_by(record, item, event),
    ):
        if wanted != found:
            raise AgreementError(f"the entry says another {what} than the record: {shown(repr(found))}")


def _item_of(record: Offer | Answer, event: Event) -> Item:
    exhibit = event.data.get("exhibit")
    item = record.item(exhibit) if isinstance(exhibit, str) else None
    if item is None or event.stream != f"exhibit:{exhibit}":
        raise AgreementError("the record is not about the exhibit of this entry")
    kind = "offered" if isinstance(record, Offer) else str(item.get("decision"))
    if event.type != f"custody:handover:{kind}":
        raise AgreementError(f"the record says {kind}, the entry is {shown(event.type)}")
    return item


def _said_by(record: Offer | Answer, item: Item, event: Event) -> list[tuple[str, object, object]]:
    data, seal, place = event.data, event.data.get("seal"), event.data.get("place")
    seal, place = seal if isinstance(seal, dict) else {}, place if isinstance(place, dict) else {}
    if isinstance(record, Offer):
        return [
            ("seal", same_seal_key(item.get("seal")), same_seal_key(seal.get("giver"))),
            ("purpose", record.purpose, data.get("purpose")),
            ("place", record.place, place.get("claimed")),
            ("note", record.note, data.get("note") or ""),
        ]
    state = item.get("seal_state")
    return [
        ("seal", same_seal_key(item.get("seal")), same_seal_key(seal.get("receiver"))),
        ("state of the seal", state, seal.get("state") if state in {"damaged", "missing"} else state),
        *((name, item.get(name), data.get(name) or None) for name in ("reason", "discrepancy", "note")),
    ]


def same_seal_key(text: object) -> str | None:
    """What two spellings of one seal have in common: letters by their look, and digits; None: no seal."""
    if not isinstance(text, str):
        return None
    capitals = unicodedata.normalize("NFKC", text).upper().translate(_LOOK_ALIKES)
    return "".join(c for c in capitals if c.isalnum()) or None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_COMMON = {"v", "type", "id", "at", "by", "device", "key", "items"}


def _object(data: bytes, kind: str, more: set[str], may: set[str]) -> Any:
    if len(data) > MAX_RECORD:
        raise AgreementError(f"a record has at most {MAX_RECORD} bytes, this has {len(data)}")
    try:
        value = parse_canonical(data)
    except (EventError, EncodingError) as error:
        raise AgreementError(f"the record cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise AgreementError("a record is an object")
    if type(value.get("v")) is not int or value["v"] != VERSION:
        raise AgreementError(f"this reads records of version {VERSION}, not {shown(repr(value.get('v')))}")
    if value.get("type") != kind:
        raise AgreementError(f"this is no {kind}: {shown(repr(value.get('type')))}")
    _members(value, _COMMON | more, may)
    return value


def _common(value: dict[str, Any], items: list[Item], data: bytes) -> dict[str, Any]:
    if len({item.exhibit for item in items}) != len(items):
        raise AgreementError("an exhibit stands twice in the record")
    if not is_hash_hex(value["key"]):
        raise AgreementError("a record names its key by 64 lower-case hexadecimal digits")
    at = _matches(value, "at", _AT)
    return {
        "id": _matches(value, "id", _UUID), "at": _moment(at), "at_text": at, "by": _person(value["by"]),
        "device": _matches(value, "device", _UUID), "key": value["key"], "items": tuple(items), "body": data,
    }  # fmt: skip


def _person(value: object) -> Person:
    if not isinstance(value, dict):
        raise AgreementError("a record says who made it: badge, login, name")
    _members(value, {"badge", "login", "name"}, set())
    badge = "" if value["badge"] == "" else _text(value, "badge", 100)
    return Person(_text(value, "login", 200), badge, _text(value, "name", 200))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise AgreementError(f"not a time: {shown(text)}") from error
    if abs(moment.utcoffset() or timedelta()) > timedelta(hours=14):
        raise AgreementError(f"no place on Earth has this clock: {shown(text)}")
    return moment


def _list(value: dict[str, Any]) -> list[Any]:
    items = value["items"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise AgreementError(f"a record is about 1 to {MAX_ITEMS} exhibits")
    return items


def _item(value: object, must: set[str], may: set[str]) -> Item:
    if not isinstance(value, dict):
        raise AgreementError("an item of a record is an object")
    _members(value, must, may)
    _text(value, "seal", 60)
    return Item(_matches(value, "exhibit", _EXHIBIT), value)


def _check_decision(item: Item) -> None:
    said = item.said
    if item.get("decision") not in ("accepted", "refused"):
        raise AgreementError(f"an exhibit is accepted or refused, not {shown(repr(item.get('decision')))}")
    if "seal_state" in said and item.get("seal_state") not in SEAL_STATES:
        raise AgreementError(f"a seal is intact, damaged or missing, not {shown(repr(item.get('seal_state')))}")
    _optional(said, "reason", _CODE)
    if (item.get("decision") == "refused") != ("reason" in said):
        raise AgreementError("who refuses says why, and who accepts gives no reason for a refusal")
    for name in ("discrepancy", "note"):
        _text(said, name, 1000, lines=True)
    if "photos" in said:
        photos = item.get("photos")
        if not isinstance(photos, list) or not 1 <= len(photos) <= MAX_PHOTOS or not all(map(is_hash_hex, photos)):
            raise AgreementError(f"photographs are named by 1 to {MAX_PHOTOS} SHA-256 values in hexadecimal")


def _members(value: Mapping[str, Any], must: set[str], may: set[str]) -> None:
    if missing := sorted(must - set(value)):
        raise AgreementError(f"the record lacks {', '.join(map(repr, missing))}")
    if extra := sorted(set(value) - must - may):
        raise AgreementError(f"the record has something that does not belong there: {shown(repr(extra))}")


def _text(value: Mapping[str, Any], name: str, most: int, *, lines: bool = False) -> str:
    """Empty where the record leaves it out; a field that stands there says something."""
    if name not in value:
        return ""
    found = value[name]
    if not isinstance(found, str) or not 0 < len(found) <= most:
        raise AgreementError(f"{name!r} is text of 1 to {most} characters, or left out: {shown(repr(found))}")
    if any(unicodedata.category(c) == "Cc" and not (lines and c in "\r\n\t") for c in found):
        raise AgreementError(f"{name!r} has a control character")
    return found


def _matches(value: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    found = value[name]
    if not isinstance(found, str) or not pattern.fullmatch(found):
        raise AgreementError(f"a record cannot have this {name!r}: {shown(repr(found))}")
    return found


def _optional(value: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> None:
    if name in value:
        _matches(value, name, pattern)
