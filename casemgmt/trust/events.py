"""The form of a ledger entry as its verifier reads it, and the chain the entries of one stream make."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from casemgmt.trust.canonical import parse_canonical
from casemgmt.trust.encoding import is_hash_hex, shown
from casemgmt.trust.errors import EventError
from casemgmt.trust.hashing import leaf_hash

VERSION = 1

MAX_BODY = 65_535
"""Bytes of the longest entry: what a tlog-tiles entry bundle can hold."""

EXHIBIT_STREAM = "exhibit:"
PASSKEY_STREAM = "passkeys:"
WHOLE = (EXHIBIT_STREAM, PASSKEY_STREAM)
"""Streams of which a package holds every entry or none."""

_MEMBERS = {"v", "type", "stream", "seq", "prev", "at", "actor", "nonce", "data"}
_TYPE = re.compile(r"[a-z][a-z0-9_-]*(?::[a-z][a-z0-9_-]*){2}", re.ASCII)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """`hash` is the leaf hash of the body; `at` is kept as written."""

    type: str
    stream: str
    seq: int
    prev: str | None
    at: str
    actor: Mapping[str, Any]
    data: Mapping[str, Any]
    hash: bytes

    @classmethod
    def parse(cls, body: bytes) -> "Event":
        """Reads the exact bytes of an entry; raises `EventError` for any other form."""
        if len(body) > MAX_BODY:
            raise EventError(f"an entry has at most {MAX_BODY} bytes, this has {len(body)}")
        value = parse_canonical(body)
        if not isinstance(value, dict) or set(value) != _MEMBERS:
            raise EventError(f"an entry has the members {', '.join(sorted(_MEMBERS))}")
        for name, holds in (
            ("v", value["v"] == VERSION and value["v"] is not True),
            ("type", _matches(_TYPE, value["type"])),
            ("stream", isinstance(value["stream"], str) and value["stream"] != ""),
            ("seq", type(value["seq"]) is int and value["seq"] >= 1),
            ("prev", is_hash_hex(value["prev"]) if value["seq"] != 1 else value["prev"] is None),
            ("at", _matches(_AT, value["at"]) and _is_time(value["at"])),
            ("actor", isinstance(value["actor"], dict)),
            ("nonce", _matches(_NONCE, value["nonce"])),
            ("data", isinstance(value["data"], dict)),
        ):
            if not holds:
                raise EventError(f"an entry cannot have this {name!r}: {shown(repr(value[name]))}")
        del value["v"], value["nonce"]
        return cls(**value, hash=leaf_hash(body))


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry whose bytes are withheld: its place in its stream and its leaf hash."""

    stream: str
    seq: int
    hash: bytes


Link = Event | Unread


def chains(events: Iterable[Link]) -> dict[str, list[Link]]:
    """Events by stream, first to last.

    Raises `EventError` unless every stream that must be `WHOLE` is: numbered 1, 2, 3 ... without gap or double,
    each naming the hash of the one before.  Of other streams an excerpt may be given: no double, and
    events that follow one another must be linked.  What an unread event names is unknown.
    """
    streams: dict[str, list[Link]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    for stream, chain in streams.items():
        chain.sort(key=lambda event: event.seq)
        whole = stream.startswith(WHOLE)
        if whole and chain[0].seq != 1:
            raise EventError(f"{shown(stream)}: event 1 is missing")
        for before, event in pairwise(chain):
            if event.seq == before.seq:
                raise EventError(f"{shown(stream)}: event {event.seq} is twice")
            if event.seq > before.seq + 1:
                if not whole:
                    continue
                raise EventError(f"{shown(stream)}: event {before.seq + 1} is missing")
            if isinstance(event, Event) and event.prev != before.hash.hex():
                raise EventError(f"{shown(stream)}: event {event.seq} does not name the event before it")
    return streams


def read_events(streams: Mapping[str, list[Link]]) -> Iterator[Event]:
    """Those whose bytes are known, stream by stream."""
    return (link for chain in streams.values() for link in chain if isinstance(link, Event))


def heads(streams: Mapping[str, list[Link]], kind: str) -> dict[str, dict[str, object]]:
    """The last event of every stream that begins with `kind`, by the rest of the stream's name, as a seal names it."""
    return {
        stream.removeprefix(kind): {"seq": chain[-1].seq, "hash": chain[-1].hash.hex()}
        for stream, chain in streams.items()
        if stream.startswith(kind)
    }


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
